/**
 * Rounds of notes put and files written, a kill in the middle, and the questions: is every acknowledged note there,
 * whole; and does the index say what the folder holds?
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Random } from "./random.ts";
import { type RagDaemon, startRagDaemon } from "./rag-daemon.ts";
import { tempDir } from "./temp-dir.ts";

export interface RagRoundsOptions {
  readonly random: Random;
  readonly rounds: number;
  readonly durability: "async" | "sync";
  /** Done to the data directory between a kill and the next start; says what it did. */
  readonly damage?: (dataDir: string, random: Random) => string | undefined;
}

/** The versions of a note that were sent, and the last that was acknowledged. */
interface Sent {
  last: number;
  acknowledged: number;
}

interface Rounds {
  readonly options: RagRoundsOptions;
  readonly directory: string;
  readonly folder: string;
  readonly notes: Map<string, Sent>;
}

const WORKERS = 4;
const NOTES = 12;
const FILES = 30;
const SYLLABLES = "ba ke li mo nu ra se ti vo zu da fe gi ho ju ka le mi no pu sa te wi xo yu ga he ni so lu".split(
  " ",
);

export async function runRagRounds(t: TestContext, options: RagRoundsOptions): Promise<void> {
  const directory = tempDir(t);
  const folder = join(directory, "folder");
  mkdirSync(folder);
  const rounds: Rounds = { options, directory, folder, notes: new Map() };
  let daemon = await start(t, rounds, directory);
  for (let round = 0; round < options.rounds; round++) {
    const killed = new Promise<void>((resolve) => {
      setTimeout(() => void daemon.kill().then(resolve), options.random.int(100, 1500));
    });
    const workers = Array.from({ length: WORKERS }, (_, worker) => putUntilKilled(daemon, rounds, worker));
    await Promise.all([killed, changeFiles(rounds, killed), ...workers]);
    const damage = options.damage?.(join(directory, "data"), options.random);
    daemon = await start(t, rounds, directory);
    const context = `round ${round}${damage === undefined ? "" : `, ${damage}`}\n${daemon.log()}`;
    await checkNotes(daemon, rounds, { context, isDamaged: damage !== undefined });
    await daemon.reindex("folder");
    await checkFolder(daemon, rounds, context);
    t.diagnostic(`round ${round}: ${rounds.notes.size} notes${damage === undefined ? "" : `; ${damage}`}`);
  }
  // Without the journal's second half there may be too little left to be sealed.
  if (options.damage === undefined) {
    assert.notDeepEqual(readdirSync(join(directory, "data/rag/texts")), [], "texts were sealed");
  }
  await compareWithFresh(t, rounds, daemon);
  await daemon.kill("SIGTERM");
}

function start(t: TestContext, { folder, options }: Rounds, directory: string): Promise<RagDaemon> {
  return startRagDaemon(t, directory, {
    // Small, so that snapshots are made under load, and texts sealed.
    storage: { durability: options.durability, maxJournalBytes: 131_072 },
    rag: { allowedRoots: [folder], collections: [{ name: "folder", kind: "folder", root: folder }] },
  });
}

/** The text that a version stands for: its first and last lines say which, and its length depends on it. */
function textOf(name: string, version: number): string {
  let state = version * 2_654_435_761 + name.length * 97 + name.charCodeAt(name.length - 1);
  const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 8;
  const count = 50 + (next() % 1_500);
  const words = Array.from({ length: count }, () => `${wordOf(next())}${next() % 50 === 0 ? "\n\n" : " "}`);
  return `# ${name} version${version}\n\n${words.join("")}\n\nend of ${name} version${version}\n`;
}

/** One of 27 000, so that a search for it finds a few chunks, and all of them. */
function wordOf(number: number): string {
  const at = (place: number): string => SYLLABLES[Math.floor(number / 30 ** place) % 30]!;
  return at(0) + at(1) + at(2);
}

async function putUntilKilled(daemon: RagDaemon, { notes, options }: Rounds, worker: number): Promise<void> {
  for (;;) {
    // Each note has one worker, so that its versions come in order.
    const id = `note-${worker + WORKERS * options.random.int(0, NOTES / WORKERS - 1)}`;
    const sent = notes.get(id) ?? { last: 0, acknowledged: 0 };
    notes.set(id, sent);
    const version = ++sent.last;
    const put = daemon.call("PUT", `collections/notes/documents/${id}`, { text: textOf(id, version) });
    const status = await put.then(
      (reply) => reply.status,
      () => undefined,
    );
    if (status === undefined) return;
    assert.ok(status === 200 || status === 201, `${status}`);
    sent.acknowledged = version;
  }
}

/** Files come, change, are renamed and go, until the daemon has. */
async function changeFiles({ folder, options: { random } }: Rounds, until: Promise<void>): Promise<void> {
  let isOver = false;
  void until.then(() => (isOver = true));
  for (let at = 0; !isOver; at++) {
    const name = `file-${random.int(0, FILES - 1)}.md`;
    const path = join(folder, name);
    const what = random.int(0, 9);
    if (what === 0) rmSync(path, { force: true });
    else if (what === 1 && readdirSync(folder).includes(name))
      renameSync(path, join(folder, `file-${random.int(0, FILES - 1)}.md`));
    else writeFileSync(path, textOf(name, at));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function checkNotes(
  daemon: RagDaemon,
  { notes }: Rounds,
  { context, isDamaged }: { readonly context: string; readonly isDamaged: boolean },
): Promise<void> {
  for (const [id, sent] of notes) {
    const { status, body } = await daemon.call("GET", `collections/notes/documents/${id}`);
    if (isDamaged && status === 404) {
      // Damage took its text; what is left of it would stand in the way of a comparison.
      await daemon.call("DELETE", `collections/notes/documents/${id}`);
      sent.acknowledged = 0;
      continue;
    }
    if (sent.acknowledged === 0 && status === 404) continue;
    assert.equal(status, 200, `${id}: ${JSON.stringify(body)}, ${context}`);
    const text = String(body["text"]);
    const version = Number(/version(\d+)/.exec(text)?.[1]);
    assert.equal(text, textOf(id, version), `${id} is whole, ${context}`);
    if (!isDamaged)
      assert.ok(version >= sent.acknowledged, `${id}: ${version}, ${sent.acknowledged} was acknowledged, ${context}`);
    assert.ok(version <= sent.last, `${id}: ${version}, ${sent.last} was the last sent, ${context}`);
    sent.acknowledged = version;
  }
}

async function checkFolder(daemon: RagDaemon, { folder }: Rounds, context: string): Promise<void> {
  const names = readdirSync(folder).sort();
  const { body } = await daemon.call("GET", "collections/folder/documents?limit=1000");
  assert.deepEqual(
    (body["documents"] as { id: string }[]).map(({ id }) => id),
    names,
    context,
  );
  for (const name of names) {
    const { body: document } = await daemon.call("GET", `collections/folder/documents/${name}`);
    assert.equal(document["text"], readFileSync(join(folder, name), "utf8"), `${name}, ${context}`);
    assert.equal(document["stale"], false);
  }
}

/** The answers after all that must be those of a daemon that has just read the same. */
async function compareWithFresh(t: TestContext, rounds: Rounds, daemon: RagDaemon): Promise<void> {
  const fresh = await start(t, rounds, tempDir(t));
  for (const id of rounds.notes.keys()) {
    const { status, body } = await daemon.call("GET", `collections/notes/documents/${id}`);
    if (status === 200) await fresh.call("PUT", `collections/notes/documents/${id}`, { text: body["text"] });
  }
  const words = Array.from({ length: 20 }, (_, at) => wordOf(at * 1301));
  const queries = [
    ...words,
    `${words[0]} ${words[1]} ${words[2]}`,
    `${words[3]} -${words[4]}`,
    `"${words[5]} ${words[6]}"`,
  ];
  const answers = [];
  for (const one of [daemon, fresh]) {
    await one.reindex("folder");
    const lexical = await one.answersTo(queries, "lexical");
    await one.reindex("folder", true);
    const { documents, chunks, textBytes, problems } = (await one.call("GET", "status")).body;
    answers.push({ documents, chunks, textBytes, problems, lexical, hybrid: await one.answersTo(queries, "hybrid") });
  }
  assert.deepEqual(answers[0], answers[1]);
  await fresh.kill();
}
