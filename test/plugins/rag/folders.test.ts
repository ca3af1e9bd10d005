/** Folders as collections: what is stored is what the folder holds, whatever happens to it. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ReindexReport } from "../../../src/plugins/rag/indexer.ts";
import { startTestRag, type TestRag, writeFiles } from "../../support/rag.ts";
import { tempDir } from "../../support/temp-dir.ts";

interface FolderRag extends TestRag {
  readonly root: string;
  look(full?: boolean): Promise<ReindexReport>;
  ids(): string[];
}

async function startOnFolder(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
  more: { readonly collection?: object; readonly config?: object } = {},
): Promise<FolderRag> {
  const home = tempDir(t);
  const root = join(home, "docs");
  mkdirSync(root);
  writeFiles(root, files);
  const collections = [{ name: "docs", kind: "folder", root, watch: false, ...more.collection }];
  const rag = await startTestRag(t, { config: { collections, allowedRoots: [home], ...more.config } });
  const { engine } = rag;
  await engine.indexer.settled();
  await engine.settled();
  return {
    ...rag,
    root,
    async look(full = false) {
      const report = await engine.indexer.reindex("docs", { isFull: full });
      await engine.settled();
      return report;
    },
    ids: () => [...engine.corpus.collection("docs")!.documents.keys()].sort(),
  };
}

function countsOf({ added, changed, removed, unchanged }: ReindexReport): object {
  return { added, changed, removed, unchanged };
}

test("a folder is indexed at the start, with the kind of each file", async (t) => {
  const { engine, find, ids } = await startOnFolder(t, {
    "a.md": "# Alpha\n\nabout foxes",
    "src/b.ts": "export function hunt() {}",
    "c.txt": "about dogs",
  });
  assert.deepEqual(ids(), ["a.md", "c.txt", "src/b.ts"]);
  assert.deepEqual(find("fox"), ["a.md"]);
  assert.deepEqual(find("hunt"), ["src/b.ts"]);
  const kinds = [...engine.corpus.collection("docs")!.documents.values()].map(({ id, kind }) => [id, kind]).sort();
  assert.deepEqual(kinds, [
    ["a.md", "markdown"],
    ["c.txt", "text"],
    ["src/b.ts", "code"],
  ]);
  const view = engine.viewCollection("docs")!;
  assert.deepEqual([view.state, view.documents, view.problems], ["idle", 3, []]);
  assert.ok(view.lastIndexedMs);
});

test("what programs write for programs is left out, unless the collection or the config takes it in", async (t) => {
  const files = { "a.js": "fox()", "b.min.js": "fox()", "package-lock.json": "fox", "node_modules/c/c.js": "fox()" };
  const { engine, ids } = await startOnFolder(t, files, { collection: { exclude: ["a.js", "!*-lock.json"] } });
  await engine.indexer.settled();
  assert.deepEqual(ids(), ["package-lock.json"]);
  await engine.follow({ ...engine.config(), exclude: ["*.json"] });
  await engine.indexer.settled();
  assert.deepEqual(ids(), ["b.min.js", "node_modules/c/c.js", "package-lock.json"]);
});

test("only what changed is read again", async (t) => {
  const { root, look, find, ids } = await startOnFolder(t, {
    "a.md": "fox",
    "b.md": "dog",
    "c.md": "cat",
    "d/e.md": "owl",
  });
  assert.deepEqual(countsOf(await look()), { added: 0, changed: 0, removed: 0, unchanged: 4 });
  writeFileSync(join(root, "a.md"), "wolf and bear");
  rmSync(join(root, "b.md"));
  renameSync(join(root, "d"), join(root, "f"));
  utimesSync(join(root, "c.md"), 1, 1);
  assert.deepEqual(countsOf(await look()), { added: 1, changed: 1, removed: 2, unchanged: 1 });
  assert.deepEqual(ids(), ["a.md", "c.md", "f/e.md"]);
  assert.deepEqual([find("fox"), find("wolf"), find("dog"), find("owl")], [[], ["a.md"], [], ["f/e.md"]]);
  assert.deepEqual(countsOf(await look()), { added: 0, changed: 0, removed: 0, unchanged: 3 });
  assert.deepEqual(countsOf(await look(true)), { added: 0, changed: 3, removed: 0, unchanged: 0 });
});

test("a file of which only the time changed keeps its chunks", async (t) => {
  const { root, look, engine } = await startOnFolder(t, { "a.md": "fox" });
  const before = engine.corpus.find("docs", "a.md")!;
  utimesSync(join(root, "a.md"), 1000, 1000);
  assert.equal(await engine.knowledge.isStale(before), true);
  await look();
  const after = engine.corpus.find("docs", "a.md")!;
  assert.equal(after.firstChunkId, before.firstChunkId);
  assert.equal(after.file!.modifiedMs, 1_000_000);
  assert.equal(await engine.knowledge.isStale(engine.knowledge.chunk(after.firstChunkId)!.document), false);
});

test("what is no text, or too large, or elsewhere, is counted and left out", async (t) => {
  const { root, look, ids, engine } = await startOnFolder(
    t,
    {
      "a.md": "fox",
      "b.bin": Buffer.from([1, 2, 0, 3]),
      "large.md": "x".repeat(2000),
      "bad.txt": Buffer.from([0x66, 0xff, 0x6f]),
    },
    { collection: { maxFileBytes: 1000 } },
  );
  symlinkSync("/etc/passwd", join(root, "link.md"));
  const { skipped } = await look();
  assert.deepEqual(skipped, { binary: 1, large: 1, unreadable: 0, special: 0, outside: 1 });
  assert.deepEqual(ids(), ["a.md", "bad.txt"]);
  assert.equal(engine.corpus.find("docs", "bad.txt")!.text!.toString(), "f\uFFFDo");
  assert.deepEqual((await look()).skipped, skipped);
  writeFileSync(join(root, "a.md"), Buffer.from([0]));
  assert.deepEqual((await look()).skipped, { ...skipped, binary: 2 });
  assert.deepEqual(ids(), ["bad.txt"]);
});

test("a root that is gone keeps what is indexed, and says so; when it is back all is well", async (t) => {
  const { root, look, ids, engine, services } = await startOnFolder(t, { "a.md": "fox" });
  renameSync(root, `${root}-away`);
  assert.match((await look()).problems.join(), /does not exist; the 1 documents of it are kept/);
  assert.deepEqual(ids(), ["a.md"]);
  assert.match(engine.problems().join(), /collection "docs": .*docs does not exist/);
  renameSync(`${root}-away`, root);
  const { advance } = services.clock as unknown as { advance(ms: number): void };
  advance(60_000);
  await engine.indexer.settled();
  assert.deepEqual(engine.problems(), [], "looked at again after a minute");
});

test("an empty folder in its place wipes nothing, unless all is read anew; an emptied one does", async (t) => {
  const { root, look, ids } = await startOnFolder(t, { "a.md": "fox" });
  renameSync(root, `${root}-away`);
  mkdirSync(root);
  assert.match((await look()).problems.join(), /is empty, and not the folder that it was/);
  assert.deepEqual(ids(), ["a.md"]);
  await look(true);
  assert.deepEqual(ids(), []);
  writeFileSync(join(root, "b.md"), "dog");
  await look();
  rmSync(join(root, "b.md"));
  await look();
  assert.deepEqual(ids(), []);
});

test("the limits stop the indexing with a sentence; what is there stays", async (t) => {
  const { ids, engine } = await startOnFolder(
    t,
    { "a.md": "1", "b.md": "2", "c.md": "3" },
    { config: { maxDocuments: 2 } },
  );
  assert.equal(ids().length, 2);
  assert.match(engine.problems().join(), /not all is indexed: there are 2 documents already/);
  assert.equal(engine.viewCollection("docs")!.lastIndexedMs, null);
});

test("a collection that goes takes its documents with it, and nothing of the folder", async (t) => {
  const { engine, find, root } = await startOnFolder(t, { "a.md": "fox" });
  const { collections } = engine.config();
  await engine.follow({ ...engine.config(), collections: [] });
  await engine.settled();
  assert.equal(engine.corpus.collection("docs"), undefined);
  assert.deepEqual(find("fox"), []);
  assert.ok(existsSync(join(root, "a.md")));
  await engine.follow({ ...engine.config(), collections });
  await engine.indexer.settled();
  await engine.settled();
  assert.deepEqual(find("fox"), ["a.md"]);
});

test("roots: below an allowed one, by real path, and in no hidden folder", async (t) => {
  const { engine, root } = await startOnFolder(t, {});
  const home = join(root, "..");
  mkdirSync(join(home, ".ssh"));
  mkdirSync(join(home, "ok"));
  symlinkSync(join(home, ".ssh"), join(home, "innocent"));
  symlinkSync("/etc", join(home, "elsewhere"));
  const create = (path: string) => engine.collections.create({ name: "n", kind: "folder", root: path, watch: false });
  await assert.rejects(create("/etc"), /\/etc is not below any folder of rag\.allowedRoots/);
  await assert.rejects(create(join(home, "elsewhere")), /\(really \/etc\) is not below any/);
  await assert.rejects(create(join(home, ".ssh")), /lies in \.ssh, whose name begins with a dot/);
  await assert.rejects(create(join(home, "innocent")), /lies in \.ssh/);
  await assert.rejects(create(join(home, "none")), /does not exist/);
  await assert.rejects(create(join(root, "../ok/../.ssh")), /lies in \.ssh/);
  await create(join(home, "ok"));
});

test("word of changes is enough: a file, a folder, what went", async (t) => {
  const { engine, root, find, ids, services } = await startOnFolder(t, {
    "a.md": "fox",
    "d/x.md": "owl",
    "d/y.md": "eel",
  });
  let tell: (change: readonly string[] | "everything") => void = () => undefined;
  const folder = services.openFolder(root, {
    include: [],
    exclude: [],
    gitignore: true,
    withHidden: false,
    maxFileBytes: 1e6,
  });
  const other = await startTestRag(t, {
    config: { collections: [{ name: "docs", kind: "folder", root }], allowedRoots: [join(root, "..")] },
    services: {
      openFolder: () => ({
        ...folder,
        watch(onChange) {
          tell = onChange;
          return { problem: () => "only some folders are watched", close: () => undefined };
        },
      }),
    },
  });
  await other.engine.indexer.settled();
  assert.match(other.engine.problems().join(), /only some folders are watched/);
  writeFiles(root, { "a.md": "wolf", "new/n.md": "gnu", "unseen.md": "ant" });
  rmSync(join(root, "d"), { recursive: true });
  tell(["a.md", "new", "d"]);
  await other.engine.indexer.settled();
  await other.engine.settled();
  assert.deepEqual([...other.engine.corpus.collection("docs")!.documents.keys()].sort(), ["a.md", "new/n.md"]);
  assert.deepEqual(
    [other.find("wolf"), other.find("gnu"), other.find("owl"), other.find("ant")],
    [["a.md"], ["new/n.md"], [], []],
  );
  tell("everything");
  await other.engine.indexer.settled();
  await other.engine.settled();
  assert.deepEqual(other.find("ant"), ["unseen.md"]);
  assert.deepEqual([find("fox"), ids().length, engine.problems()], [["a.md"], 3, []]);
});

test("notes past their time go", async (t) => {
  const { put, find, engine, services } = await startTestRag(t);
  await put("a", "fox", { ttlMs: 5000 });
  await put("b", "fox and dog");
  assert.equal(await engine.expire(), 0);
  (services.clock as unknown as { stepWall(ms: number): void }).stepWall(5000);
  assert.equal(await engine.expire(), 1);
  await engine.settled();
  assert.deepEqual(find("fox"), ["b"]);
});

const KEY = `AKIA${"ABCDEFGHIJKLMNOP"}`;

test("secrets are taken out before anything is kept; with other patterns all is read anew", async (t) => {
  const { engine, find, look } = await startOnFolder(t, { "a.md": `the key ${KEY} of ticket-4711` });
  const text = (): string => engine.corpus.find("docs", "a.md")!.text!.toString();
  assert.doesNotMatch(text(), /AKIA/);
  assert.deepEqual([find(KEY), find("4711")], [[], ["a.md"]]);
  await engine.follow({ ...engine.config(), redact: { patterns: ["ticket-[0-9]+"] } });
  await look();
  assert.equal(text(), "the key [redacted] of [redacted]");
  assert.deepEqual(find("4711"), []);
  assert.deepEqual(countsOf(await look()), { added: 0, changed: 0, removed: 0, unchanged: 1 });
});

test("sessions: what was said, under the project that it was said in", async (t) => {
  const lines = [
    { type: "session", version: 3, id: "s-1", timestamp: "2026-01-02T03:04:05.000Z", cwd: "/home/me/here" },
    { type: "message", message: { role: "user", content: [{ type: "text", text: "why does the parser hang" }] } },
    { type: "message", message: { role: "assistant", content: [{ type: "text", text: "because of recursion" }] } },
    { type: "message", message: { role: "toolResult", content: [{ type: "text", text: "enormous output" }] } },
  ];
  const home = tempDir(t);
  writeFiles(home, {
    ".pi/agent/sessions/--home-me-here--/1_s-1.jsonl": lines.map((line) => JSON.stringify(line) + "\n").join(""),
    ".pi/agent/sessions/--home-me-here--/other.txt": "parser",
  });
  const rag = await startTestRag(t, {
    config: { collections: [{ name: "sessions", kind: "sessions", watch: false }], allowedRoots: [home] },
    services: { host: { env: {}, home, bootId: "" }, projectIdOf: (folder) => `project of ${folder}` },
  });
  await rag.engine.indexer.settled();
  await rag.engine.settled();
  assert.deepEqual(rag.engine.problems(), []);
  const [document, ...others] = rag.engine.corpus.collection("sessions")!.documents.values();
  assert.equal(others.length, 0);
  const { kind, project, metadata, id } = document!;
  assert.deepEqual([kind, project, id], ["session", "project of /home/me/here", "--home-me-here--/1_s-1.jsonl"]);
  assert.deepEqual(metadata, { sessionId: "s-1", cwd: "/home/me/here", startedMs: Date.parse("2026-01-02T03:04:05Z") });
  assert.deepEqual([rag.find("parser").length, rag.find("recursion").length, rag.find("enormous").length], [1, 1, 0]);
});
