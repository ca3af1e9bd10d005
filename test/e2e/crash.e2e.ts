/** kill -9 at random moments under load, with and without damage to the files between rounds. */
import assert from "node:assert/strict";
import { appendFileSync, closeSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCrashRounds } from "../support/crash-rounds.ts";
import { type Random, seededRandom } from "../support/random.ts";

const SEED = Number(process.env["PI_DAEMON_TEST_SEED"] ?? Date.now() % 100_000);

/** Small enough that snapshots are made under load. */
const SMALL_JOURNAL = { maxJournalBytes: 65_536 };

function stateFile(dataDir: string, kind: "journal" | "snapshot"): string | undefined {
  const directory = join(dataDir, "metrics");
  const files = readdirSync(directory).filter(
    (name) => name.includes(kind) && !name.includes("corrupt") && !name.includes("tmp"),
  );
  return files.length === 0 ? undefined : join(directory, files.sort().at(-1)!);
}

function change(path: string, offset: number, edit: (bytes: Buffer) => void, length = 1): void {
  const bytes = Buffer.alloc(length);
  const file = openSync(path, "r+");
  readSync(file, bytes, 0, length, offset);
  edit(bytes);
  writeSync(file, bytes, 0, length, offset);
  closeSync(file);
}

function flipBit(path: string, random: Random): string {
  const offset = random.int(0, statSync(path).size - 1);
  change(path, offset, (bytes) => void (bytes[0]! ^= 1 << random.int(0, 7)));
  return `a bit flipped at ${offset} of ${statSync(path).size} in ${path.split("/").at(-1)}`;
}

const DAMAGE: Readonly<Record<string, (dataDir: string, random: Random) => string>> = {
  "the tail of the journal cut": (dataDir, random) => {
    const path = stateFile(dataDir, "journal")!;
    const lost = random.int(1, Math.min(200, statSync(path).size));
    truncateSync(path, statSync(path).size - lost);
    return `the journal cut by ${lost} bytes`;
  },
  "garbage after the journal": (dataDir, random) => {
    appendFileSync(
      stateFile(dataDir, "journal")!,
      Buffer.from(Array.from({ length: random.int(1, 100) }, () => random.int(0, 255))),
    );
    return "garbage after the journal";
  },
  "a bit of the journal flipped": (dataDir, random) => flipBit(stateFile(dataDir, "journal")!, random),
  "a page of the journal zeroed": (dataDir, random) => {
    const path = stateFile(dataDir, "journal")!;
    const page = random.int(0, Math.floor((statSync(path).size - 1) / 4096));
    change(path, page * 4096, (bytes) => void bytes.fill(0), Math.min(4096, statSync(path).size - page * 4096));
    return `page ${page} of the journal zeroed`;
  },
  "a bit of the snapshot flipped": (dataDir, random) => {
    const path = stateFile(dataDir, "snapshot");
    return path === undefined ? "no snapshot yet" : flipBit(path, random);
  },
};

describe(`kill -9 under load (seed ${SEED})`, () => {
  for (const durability of ["async", "sync"]) {
    test(`20 rounds, ${durability}: nothing acknowledged is lost, nothing counted twice`, async (t) => {
      await runCrashRounds(t, { random: seededRandom(SEED), rounds: 20, storage: { durability, ...SMALL_JOURNAL } });
    });
  }

  for (const [title, damage] of Object.entries(DAMAGE)) {
    test(`6 rounds with ${title}: never more than was sent, and whole again once all is sent again`, async (t) => {
      await runCrashRounds(t, { random: seededRandom(SEED), rounds: 6, storage: SMALL_JOURNAL, damage });
    });
  }

  test("the test can fail: a journal that vanishes behind its back is noticed", async (t) => {
    let vanished = false;
    const forget = (dataDir: string): undefined => {
      truncateSync(stateFile(dataDir, "journal")!, 0);
      vanished = true;
      return undefined;
    };
    const losing = runCrashRounds(t, { random: seededRandom(SEED), rounds: 1, storage: {}, damage: forget });
    await assert.rejects(losing, /<=/);
    assert.ok(vanished);
  });
});
