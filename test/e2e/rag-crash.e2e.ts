/** kill -9 while notes are put, folders are indexed and texts are sealed, with and without damage between rounds. */
import { closeSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Random, seededRandom } from "../support/random.ts";
import { runRagRounds } from "../support/rag-rounds.ts";

const SEED = Number(process.env["PI_DAEMON_TEST_SEED"] ?? Date.now() % 100_000);

function newest(directory: string, isWanted: (name: string) => boolean): string | undefined {
  const name = readdirSync(directory)
    .filter((one) => isWanted(one) && !/tmp|corrupt/.test(one))
    .sort()
    .at(-1);
  return name === undefined ? undefined : join(directory, name);
}

function flipBit(path: string | undefined, random: Random): string {
  if (path === undefined || statSync(path).size === 0) return "nothing to damage yet";
  const offset = random.int(0, statSync(path).size - 1);
  const byte = Buffer.alloc(1);
  const file = openSync(path, "r+");
  readSync(file, byte, 0, 1, offset);
  byte[0]! ^= 1 << random.int(0, 7);
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
  return `a bit flipped at ${offset} of ${statSync(path).size} in ${path.split("/").slice(-2).join("/")}`;
}

const DAMAGE: Readonly<Record<string, (dataDir: string, random: Random) => string>> = {
  "a bit of a segment flipped": (dataDir, random) =>
    flipBit(
      newest(join(dataDir, "rag/texts"), () => true),
      random,
    ),
  "a bit of the kept indexes flipped": (dataDir, random) =>
    flipBit(
      newest(join(dataDir, "rag/index"), () => true),
      random,
    ),
  "a bit of the journal flipped": (dataDir, random) =>
    flipBit(
      newest(join(dataDir, "rag"), (name) => name.includes("journal")),
      random,
    ),
  "the newest segment cut": (dataDir, random) => {
    const path = newest(join(dataDir, "rag/texts"), () => true);
    if (path === undefined) return "no segment yet";
    truncateSync(path, random.int(0, statSync(path).size));
    return "a segment cut";
  },
};

describe(`knowledge: kill -9 (seed ${SEED})`, () => {
  for (const durability of ["async", "sync"] as const) {
    test(`6 rounds, ${durability}: no acknowledged note is lost, none is half, folders are as they are`, async (t) => {
      await runRagRounds(t, { random: seededRandom(SEED), rounds: 6, durability });
    });
  }
  for (const [title, damage] of Object.entries(DAMAGE)) {
    test(`3 rounds with ${title}: never half a text, and files are read again`, async (t) => {
      await runRagRounds(t, { random: seededRandom(SEED), rounds: 3, durability: "async", damage });
    });
  }
});
