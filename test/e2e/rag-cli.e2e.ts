/** The `rag` commands as a person uses them: the real daemon, a folder of many files, a terminal, Ctrl-C. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { type CommandLine, commandLine, PROGRAM } from "../support/command-line.ts";

const FILES = 1500;
const WORDS = ["journal", "snapshot", "series", "label", "bucket", "lease", "cron", "term", "posting", "vector"];

/** A daemon that runs, and a folder whose indexing takes its time. */
async function stage(t: TestContext): Promise<{ cli: CommandLine; folder: string }> {
  const cli = commandLine(t);
  const folder = join(cli.home, "docs");
  mkdirSync(folder);
  for (let file = 0; file < FILES; file++) {
    const text = Array.from({ length: 300 }, (_, at) => WORDS[(file * 7 + at * at) % WORDS.length]).join(" ");
    writeFileSync(join(folder, `${file}.md`), `# File ${file}\n\n${text} unique${file}\n`);
  }
  assert.equal((await cli.run("start")).code, 0);
  return { cli, folder };
}

/** Once nothing is being looked at: what the watch has seen may set off one more look. */
async function settledState(cli: CommandLine): Promise<{ readonly documents: number; readonly state: string }> {
  for (let tries = 0; ; tries++) {
    const shown = await state(cli);
    if (shown.state === "idle" || tries === 200) return shown;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function state(cli: CommandLine): Promise<{ readonly documents: number; readonly state: string }> {
  const { collection } = JSON.parse((await cli.call(["rag", "show", "docs", "--json"])).out) as {
    collection: { documents: number; state: string };
  };
  return { documents: collection.documents, state: collection.state };
}

test("Ctrl-C ends the waiting, and the daemon goes on", async (t) => {
  const { cli, folder } = await stage(t);
  const child = spawn(PROGRAM[0]!, [...PROGRAM.slice(1), "rag", "add", folder], { env: cli.env, stdio: "pipe" });
  let err = "";
  child.stderr.on("data", (piece: Buffer) => void (err += piece.toString()));
  while ((await cli.call(["rag", "show", "docs"])).code !== 0) assert.equal(child.exitCode, null, err);
  child.kill("SIGINT");
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 130);
  assert.match(err, /the daemon goes on indexing docs; see "pi-daemon rag list"\n$/);
  assert.match((await cli.run("rag", "reindex", "docs")).out, new RegExp(`^docs: ${FILES} documents`));
});

test("on a terminal: a bar, hits in colour; changes are found", async (t) => {
  if (spawnSync("script", ["--version"]).status !== 0) return t.skip("needs the program script of util-linux");
  const { cli, folder } = await stage(t);
  const inTerminal = (...words: string[]): string => {
    const command = [...PROGRAM, ...words].map((word) => `'${word}'`).join(" ");
    const env = { ...cli.env, TERM: "xterm", SHELL: "/bin/sh" };
    return spawnSync("script", ["-q", "-e", "-c", command, "/dev/null"], { env, encoding: "utf8", cwd: folder }).stdout;
  };
  const added = stripVTControlCharacters(inTerminal("rag", "add", "."));
  assert.match(added, /\[[#-]{24}\] +\d+ % +\d+ of 1500 files {2}docs/);
  assert.match(added, /docs: 1500 documents, \d+ chunks, .* for everyone\r\n$/);
  const hit = inTerminal("rag", "search", "unique77");
  assert.match(stripVTControlCharacters(hit), /^77\.md:\d+-\d+ {2}File 77 {2}\d\.\d\d\r\n/);
  assert.ok(hit.includes("\u001b[33munique77\u001b[39m"), hit);

  appendFileSync(join(folder, "5.md"), "\nthe zeppelin lands\n");
  renameSync(join(folder, "6.md"), join(folder, "renamed.md"));
  rmSync(join(folder, "7.md"));
  await cli.call(["rag", "reindex", "docs"]);
  const find = async (words: string): Promise<string> => (await cli.call(["rag", "search", words, "-k", "1"])).out;
  assert.match(await find("zeppelin"), /docs\/5\.md:/);
  assert.match(await find("unique6"), /docs\/renamed\.md:/);
  assert.doesNotMatch(await find('"unique7"'), /docs\/7\.md:/);
  assert.deepEqual(await settledState(cli), { documents: FILES - 1, state: "idle" });
  return undefined;
});

test("what is kept survives a restart", async (t) => {
  const cli = commandLine(t);
  assert.equal((await cli.run("start")).code, 0);
  await cli.call(["rag", "note", "The blue bus has 41 seats", "--project", "none"]);
  assert.equal((await cli.run("restart")).code, 0);
  const { out } = await cli.call(["rag", "search", "blue bus"]);
  assert.match(out, /41 seats/);
});
