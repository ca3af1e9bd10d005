/** The `rag` commands against a daemon, and what they refuse before they ask one. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { CommandCall } from "../../src/cli/command.ts";
import { renderBar, waitForIndex } from "../../src/cli/rag-progress.ts";
import { describeHit } from "../../src/cli/rag-texts.ts";
import type { HitShown } from "../../src/cli/rag-views.ts";
import { createPainter } from "../../src/cli/style.ts";
import type { Client } from "../../src/client.ts";
import { projectIdOf } from "../../src/system/project-id.ts";
import { startFakeEmbeddings } from "../support/fake-embeddings.ts";
import { commandLine, type Ran } from "../support/command-line.ts";
import { startProgram } from "../support/program.ts";

test("a life of a folder and of notes", async (t) => {
  const cli = commandLine(t);
  await startProgram(t, cli.configPath, { env: cli.env });
  const status: string[] = [];
  const rag = (...words: string[]): Promise<Ran> => cli.call(["rag", ...words]);
  const folder = join(cli.home, "My Docs");
  mkdirSync(folder);
  writeFileSync(join(folder, "bus.md"), "# The blue bus\n\nIt has 41 seats.\n");
  writeFileSync(join(folder, "tram.md"), "# The tram\n\nIt has 80 seats.\n");

  await t.test("nothing yet", async () => {
    assert.match((await rag("list")).out, /^there are no collections yet; index a folder: pi-daemon rag add FOLDER/);
    const { code, err } = await rag("show", "docs");
    assert.equal(code, 1);
    assert.match(err, /there is no collection "docs"\n {2}there is none yet; index a folder with "pi-daemon rag add/);
  });

  await t.test("add: named by the folder, with a bar on a terminal; a second of that name is refused", async () => {
    const out: string[] = [];
    const terminal = { out: (text: string) => void out.push(text), err: () => {}, outHasColours: false };
    const showStatus = (line: string): void => void status.push(line);
    const more = { terminal: { ...terminal, errHasColours: false, columns: 80, showStatus } };
    assert.equal((await cli.call(["rag", "add", folder], more)).code, 0);
    assert.match(out.join(), /^my-docs: 2 documents, \d+ chunks, \d+ B in .*, for everyone/);
    assert.equal(status.at(-1), "", "the bar, if there was time for one, is taken away");
    const again = await rag("add", folder);
    assert.equal(again.code, 1);
    assert.match(again.err, /My Docs" is indexed already, as "my-docs"\n {2}"pi-daemon rag reindex my-docs" looks/);
    const other = await rag("add", cli.home, "--name", "my-docs");
    assert.equal(other.code, 1);
    assert.match(other.err, /there is a collection "my-docs" already\n {2}choose another one with --name/);
  });

  await t.test("search --explain: the parts of a score", async () => {
    const { out } = await rag("search", "seats", "of", "the", "tram", "--explain", "-k", "1");
    assert.match(out, /words 0\.60 \(.*seat \d.*\), letters 0\.\d\d; the best hit covers 100 % of the query$/m);
  });

  await t.test("note: of this project, of everyone, with tags", async () => {
    const { code, out } = await rag(
      "note",
      "Staging is reset",
      "every Monday",
      "--tags",
      "db, staging",
      "--ttl",
      "30d",
    );
    assert.equal(code, 0);
    assert.match(out, /^kept as notes\/\S+, for here\n$/);
    const kept = JSON.parse(
      (await rag("note", "Tea at five", "--project", "none", "--title", "Tea", "--json")).out,
    ) as object;
    assert.deepEqual({ ...kept, title: "Tea", project: null }, kept);
  });

  await t.test("search: places with the snippet; nothing of other projects", async () => {
    const { code, out } = await rag("search", "41 seats");
    assert.equal(code, 0);
    assert.match(out, /bus\.md:1-\d+ {2}.*\d\.\d\d\n( {4}.*\n)* {4}It has 41 seats\.\n/);
    assert.match((await rag("search", "Monday")).out, /^notes\/\S+:1-1 .*\n {4}Staging is reset every Monday\n$/);
    const elsewhere = await rag("search", "Monday", "--project", "none");
    assert.deepEqual([elsewhere.code, elsewhere.out], [0, ""]);
    assert.match(elsewhere.err, /^nothing found\n/);
    assert.match((await rag("search", "zyzzyva")).err, /^nothing found; --project all searches in every project\n/);
    assert.match((await rag("search", "seats", "--collection", "my-docs", "--json")).out, /^\{.*"hits":\[\{/);
    const unknown = await rag("search", "x", "--collection", "mydocs");
    assert.match(unknown.err, /there is no collection "mydocs"\n {2}did you mean "my-docs"\?/);
    const { out: block } = await rag("search", "41 seats", "--context", "--budget", "500");
    assert.match(block, /^.*untrusted[^\n]*\n[^]*It has 41 seats\.\n/i);
  });

  await t.test("list, show, status", async () => {
    const { out: list } = await rag("list");
    assert.match(list, /^NAME +KIND +FOR +DOCUMENTS +CHUNKS +SIZE +INDEXED +STATE +FOLDER$/m);
    assert.match(list, /^my-docs +folder +everyone +2 .* ok +\/.*My Docs$/m);
    assert.match(list, /^notes +notes +everyone +2 .* ok +-$/m);
    const { out: shown } = await rag("show", "my-docs");
    assert.match(shown, /^folder +\/.*My Docs$/m);
    assert.match(shown, /^bus\.md +/m);
    assert.doesNotMatch((await rag("show", "my-docs/nothing/")).out, /bus\.md/);
    assert.equal((await rag("show", "my-docs/bus.md", "--lines", "3-3")).out, "It has 41 seats.\n");
    const gone = await rag("show", "my-docs/gone.md");
    assert.equal(gone.code, 1);
    assert.match(gone.err, /there is no document "gone\.md" in the collection "my-docs"/);
    assert.match((await rag("status")).out, /^collections +2$/m);
  });

  await t.test("reindex and remove", async () => {
    assert.match((await rag("reindex", "my-docs", "--full")).out, /^my-docs: 2 documents/);
    assert.equal(
      (await rag("remove", "my-docs")).out,
      "my-docs is removed from the index; its files stay as they are\n",
    );
    assert.match((await rag("remove", "my-docs")).err, /there is no collection "my-docs"/);
    const refused = await rag("remove", "notes");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /"notes" holds 2 notes, kept nowhere else\n {2}--force removes them/);
    assert.equal((await rag("remove", "notes", "--force")).code, 0);
  });

  await t.test("projects: of the repository here, else of everyone", async () => {
    const folder = join(cli.home, "repository/docs");
    mkdirSync(join(cli.home, "repository/.git"), { recursive: true });
    mkdirSync(folder);
    const rows: readonly (readonly [words: readonly string[], project: string | null])[] = [
      [[], projectIdOf(folder)],
      [["--project", "none"], null],
      [["--project", "web"], "web"],
      [["--project", "here"], projectIdOf(process.cwd())],
    ];
    for (const [at, [words, project]] of rows.entries()) {
      const ran = await cli.call(["rag", "add", folder, "--name", `c${at}`, "--no-wait", "--json", ...words]);
      assert.equal((JSON.parse(ran.out) as { project: unknown }).project, project);
    }
  });

  await t.test("what the daemon refuses, in sentences", async () => {
    mkdirSync(join(cli.home, "pw/.hidden"), { recursive: true });
    const rows: readonly (readonly [words: readonly string[], err: RegExp])[] = [
      [
        ["add", "/etc"],
        /\/etc is not below any folder of rag\.allowedRoots\n {2}rag\.allowedRoots stands in the config/,
      ],
      [["add", join(cli.home, "pw/.hidden"), "--name", "h"], /lies in \.hidden, whose name begins with a dot/],
      [["add", join(cli.home, "pw"), "--name", "Pw"], /expected the name of a collection .*got "Pw"/],
      [["add", "--sessions"], /sessions does not exist/],
      [["note", "x", "--collection", "no good"], /expected the name of a collection/],
      [["search", "x".repeat(2001)], /2000/],
      [["remove", "nothing"], /there is no collection "nothing"/],
    ];
    for (const [words, expected] of rows) {
      const { code, out, err } = await cli.call(["rag", ...words]);
      assert.match(err, expected);
      assert.deepEqual([code, out], [1, ""]);
    }
  });

  await t.test("doctor: folders that have gone, secrets that were found", async () => {
    const folder = join(cli.home, "docs");
    mkdirSync(folder);
    writeFileSync(join(folder, "keys.md"), `# Keys\n\nOurs is ghp_${"a1B2".repeat(9)} and more.\n`);
    assert.equal((await cli.call(["rag", "add", folder])).code, 0);
    const well = await cli.call(["rag", "doctor"]);
    assert.equal(well.code, 0, well.out);
    assert.match(well.out, /^ok {4}daemon +answers at .*daemon\.sock: 1 document, /m);
    assert.match(well.out, /^ok {4}folders +\d folders can be read$/m);
    assert.match(well.out, /^ok {4}watching +\d folders in \d collections/m);
    assert.match(well.out, /^ok {4}embeddings +no endpoint is set up/m);
    assert.match(well.out, /^ok {4}index +.* of memory, .* in .*\/rag$/m);
    assert.match(
      well.out,
      /^warn {2}secrets +1 place with \[redacted\] for what looks like a secret: .*keys\.md:1-3$/m,
    );
    rmSync(folder, { recursive: true });
    const { code, out } = await cli.call(["rag", "doctor"]);
    assert.equal(code, 1);
    assert.match(out, /^fail {2}folders +docs: .*docs does not exist\n.*rag remove docs/m);
    await cli.call(["rag", "reindex", "docs"]);
    const once = (await cli.call(["rag", "doctor"])).out;
    assert.equal(once.match(/docs does not exist/g)?.length, 1, once);
  });
});

test("status and doctor tell of an embeddings server, and of one that has gone", async (t) => {
  const cli = commandLine(t);
  const server = await startFakeEmbeddings(t);
  cli.writeConfig({ server: { port: 0 }, rag: { embeddings: { url: server.url, model: "small" } } });
  assert.equal((await cli.run("start")).code, 0);
  await cli.call(["rag", "note", "The blue bus has 41 seats", "--project", "none"]);
  const status = async (): Promise<string> => (await cli.call(["rag", "status"])).out;
  while (/catching-up/.test(await status())) await nextTurn();
  assert.match(await status(), /^embeddings +ready \(small\), 100 % embedded$/m);
  const { out } = await cli.call(["rag", "doctor"]);
  assert.match(out, /^ok {4}embeddings +small: 64 dimensions in \d+ ms, 100 % embedded$/m);
  await server.close();
  const away = await cli.call(["rag", "doctor"]);
  assert.match(away.out, /^warn {2}embeddings +small at http:.*: connection refused\n +-> is it running\? /m);
  assert.equal(away.code, 0, "searches go on");
});

describe("what is refused before a daemon is asked", () => {
  const rows: readonly (readonly [words: readonly string[], code: number, err: RegExp])[] = [
    [["add"], 2, /"rag add" needs FOLDER, or --sessions/],
    [["add", ".", "--sessions"], 2, /--sessions takes no FOLDER/],
    [["add", "no/such/folder"], 1, /Cannot index "no\/such\/folder": it does not exist/],
    [["add", "package.json"], 1, /Cannot index "package\.json": it is no folder\n.*--include "package\.json"/],
    [["add", "/"], 2, /"\/" gives no name for a collection\n {2}give one: --name NAME/],
    [["add", ".", "--watch", "--no-watch"], 2, /both --watch and --no-watch are given/],
    [["note", " "], 2, /the note is empty/],
    [["note", "x", "--ttl", "soon"], 2, /duration "soon"/],
    [["note", "x", "--project", ""], 2, /--project must be 1 to 128 characters/],
    [["search", " "], 2, /there is nothing to search for/],
    [["search", "x", "--mode", "magic"], 2, /--mode must be one of hybrid, lexical, vector/],
    [["search", "x", "--budget", "100"], 2, /--budget goes with --context/],
    [["search", "x", "-k", "0"], 2, /--k must be a whole number from 1 to 100, not "0"/],
    [["search", "x", "-y"], 2, /there is no option "-y"/],
    [["show", "/a.md"], 2, /"\/a\.md" names no collection/],
    [["show", "docs/a.md", "--lines", "9-3"], 2, /--lines must be a range such as 10-30, not "9-3"/],
    [["show"], 2, /"rag show" needs COLLECTION/],
    [["serch", "x"], 2, /there is no command "rag serch"\n {2}did you mean "pi-daemon rag search"/],
  ];
  for (const [words, code, expected] of rows) {
    test(words.join(" "), async (t) => {
      const ran = await commandLine(t).call(["rag", ...words]);
      assert.match(ran.err, expected);
      assert.deepEqual([ran.code, ran.out], [code, ""]);
    });
  }

  test("no daemon", async (t) => {
    const cli = commandLine(t);
    for (const words of [["list"], ["search", "x"], ["note", "x"], ["add", "."]]) {
      const { code, err } = await cli.call(["rag", ...words]);
      assert.deepEqual([code, err.split("\n")[0]], [3, "pi-daemon: no daemon is running"]);
    }
    const doctor = await cli.call(["rag", "doctor"]);
    assert.equal(doctor.code, 1);
    assert.match(doctor.out, /^fail {2}daemon {2}no daemon is running\n.*-> start it with "pi-daemon start"/);
  });
});

test("a daemon without a knowledge base says so, whatever is asked", async (t) => {
  const cli = commandLine(t);
  const server = createServer((_, response) =>
    response.writeHead(404).end('{"error":"no such route","code":"NOT_FOUND"}'),
  );
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const env = { ...cli.env, PI_DAEMON_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  for (const words of [
    "list",
    "status",
    "search x",
    "search x --collection a",
    "note x",
    "add .",
    "show a",
    "reindex",
  ]) {
    const { code, err } = await cli.call(["rag", ...words.split(" ")], { env });
    assert.deepEqual([words, code, err.split("\n")[0]], [words, 1, "pi-daemon: this daemon has no knowledge base"]);
  }
  assert.match((await cli.call(["rag", "doctor"], { env })).out, /^fail {2}daemon {2}it has no knowledge base$/m);
});

describe("texts", () => {
  const hit: HitShown = {
    score: 0.876,
    collection: "docs",
    id: "a.md",
    path: join(process.cwd(), "docs/a.md"),
    startLine: 3,
    endLine: 9,
    headings: ["Setup", "Linux"],
    symbol: null,
    title: null,
    snippet: "npm \u001b[31mstart\n\n  \tthen  wait\n  go\n",
    highlights: [
      [0, 3],
      [11, 29],
    ],
    why: "both",
    stale: true,
  };

  test("a hit: highlights by line, nothing that moves a cursor", () => {
    const plain = describeHit(hit, createPainter(false));
    assert.deepEqual(plain, [
      "docs/a.md:3-9  Setup > Linux  0.88  changed since",
      "    npm \\u001b[31mstart",
      "      then  wait",
      "    go",
    ]);
    const [, first, second] = describeHit(hit, createPainter(true));
    assert.equal(first, "    \u001b[33mnpm\u001b[39m \\u001b[31mst\u001b[33mart\u001b[39m");
    assert.equal(second, "    \u001b[33m  then  wait\u001b[39m");
  });

  test("a hit without a file, and one elsewhere", () => {
    const note = { ...hit, path: null, headings: [], title: "Tea", stale: false, snippet: "" };
    assert.deepEqual(describeHit(note, createPainter(false)), ["docs/a.md:3-9  Tea  0.88"]);
    const elsewhere = { ...note, path: "/elsewhere/b.ts", symbol: "run" };
    assert.deepEqual(describeHit(elsewhere, createPainter(false)), ["/elsewhere/b.ts:3-9  run  0.88"]);
  });

  test("the bar", () => {
    assert.equal(renderBar({ name: "docs", progress: null }), "[------------------------]  looking for files  docs");
    const half = renderBar({ name: "docs", progress: { done: 120, total: 240 } });
    assert.equal(half, "[############------------]  50 %  120 of 240 files  docs");
    assert.match(renderBar({ name: "d", progress: { done: 9, total: 3 } }), /^\[#{24}\] 100 %/);
  });
});

test("waiting: a line every few seconds, and Ctrl-C leaves the work going", async () => {
  const states = [
    { state: "waiting", progress: null },
    { state: "indexing", progress: { done: 0, total: 0 } },
    { state: "indexing", progress: { done: 3, total: 6 } },
    { state: "idle", progress: null, lastIndexedMs: 5 },
  ];
  const client = { json: async () => ({ name: "d", lastIndexedMs: 1, problems: [], ...states.shift() }) };
  const err: string[] = [];
  const exits: number[] = [];
  let nowMs = 0;
  let interrupt = (): void => {};
  const call = {
    clock: { monotonicMs: () => nowMs },
    terminal: { err: (text: string) => void err.push(text) },
    host: {
      on: (_: string, run: () => void) => void (interrupt = run),
      exitNow: (code: number) => void exits.push(code),
    },
    pause: async () => {
      nowMs += 2000;
      if (nowMs === 6000) interrupt();
    },
  } as unknown as CommandCall;
  const { lastIndexedMs } = await waitForIndex(call, client as unknown as Client, { name: "d", lastIndexedMs: 1 });
  assert.equal(lastIndexedMs, 5);
  assert.deepEqual(err, ["d: 3 of 6 files", 'the daemon goes on indexing d; see "pi-daemon rag list"']);
  assert.deepEqual(exits, [130]);
  interrupt();
  assert.deepEqual([err.length, exits], [2, [130, 130]], "there is nothing left to go on with");
});
