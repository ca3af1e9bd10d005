import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { PRETEND_OLD_NODE } from "./support/pretend-old-node.ts";
import { tempDir } from "./support/temp-dir.ts";

const LAUNCHER = join(import.meta.dirname, "../src/launch.js");

function writeScript(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/** A folder with an `npx` of our own in it, first in the PATH. */
function pathWith(t: TestContext, npx: string): { directory: string; env: NodeJS.ProcessEnv } {
  const directory = tempDir(t);
  writeScript(directory, "npx", npx);
  return { directory, env: { ...process.env, PATH: `${directory}:${process.env["PATH"]}` } };
}

describe("the launcher", () => {
  test("runs a TypeScript file with its arguments and hands on its exit code", (t) => {
    const script = "const [a]: string[] = process.argv.slice(2); console.log(a); process.exit(7);";
    const program = writeScript(tempDir(t), "program.ts", script);
    const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, program, "hello"], { encoding: "utf8" });
    assert.deepEqual([status, stdout, stderr], [7, "hello\n", ""]);
  });

  test("passes a signal on, and ends by it as its program does", async (t) => {
    const script = `process.on("SIGTERM", () => process.exit(5)); console.log("up"); setInterval(() => {}, 1e6);`;
    const program = writeScript(tempDir(t), "program.ts", script);
    const child = spawn(process.execPath, [LAUNCHER, program], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    assert.equal(await new Promise((resolve) => child.once("exit", resolve)), 5);
  });

  test("under a Node that is too old runs the same thing by npx, and says so in one line", (t) => {
    // Our npx leaves out its own options and runs the Node of this test in the place of node@22.
    const npx = `#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\nshift 5\nexec "${process.execPath}" "$@"\n`;
    const { directory, env } = pathWith(t, npx);
    const program = writeScript(directory, "program.ts", "const n: number = 3; console.log(n); process.exit(n);");
    const words = [...PRETEND_OLD_NODE, LAUNCHER, program, "x"];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: "utf8" });
    assert.deepEqual([status, stdout], [3, "3\n"]);
    assert.equal(stderr, "pi-daemon: Node v20.11.1 is older than 22.19; running under node@22 from npm instead\n");
    assert.ok(existsSync(join(directory, "calls")));
  });

  test("where npm cannot get that Node, ends with one clear sentence", (t) => {
    const { env } = pathWith(t, "#!/bin/sh\necho 'npm error code EAI_AGAIN' >&2\nexit 1\n");
    const words = [...PRETEND_OLD_NODE, LAUNCHER, "x.ts"];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: "utf8" });
    assert.deepEqual([status, stdout], [1, ""]);
    const sentence = /^[^\n]+\npi-daemon: needs Node >= 22.19, and node@22 could not be fetched .*network[^\n]+\n$/;
    assert.match(stderr, sentence);
  });

  test("where there is no npx at all, says the same", (t) => {
    const words = [...PRETEND_OLD_NODE, LAUNCHER, "x.ts"];
    const { status, stderr } = spawnSync(process.execPath, words, { env: { PATH: tempDir(t) }, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /could not be fetched with npx/);
  });
});

describe("under a real Node that is too old", () => {
  const oldNode = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => {
    const version = existsSync(path) ? spawnSync(path, ["--version"], { encoding: "utf8" }).stdout : "";
    return /^v(1[4-9]|2[01])\./.test(version);
  });

  test("the launcher gets as far as npx", (t) => {
    if (oldNode === undefined) return t.skip("this machine has no Node from 14 to 21");
    const { env } = pathWith(t, "#!/bin/sh\nexit 1\n");
    const { status, stderr } = spawnSync(oldNode, [LAUNCHER, "x.ts"], { env, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /could not be fetched with npx/);
    return undefined;
  });
});
