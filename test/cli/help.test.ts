import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMMON_OPTIONS } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands.ts";
import { commandLine } from "../support/command-line.ts";

describe("help", () => {
  for (const command of commands) {
    test(`on ${command.name}: the same by "help" and by --help, every option, no line too long`, async (t) => {
      const cli = commandLine(t);
      const words = command.name.split(" ");
      const { code, out } = await cli.call(["help", ...words]);
      assert.equal(code, 0);
      assert.deepEqual(await cli.call([...words, "--help"]), { code: 0, out, err: "" });
      for (const { name } of [...command.options, ...COMMON_OPTIONS]) assert.ok(out.includes(`--${name}`), name);
      for (const line of out.split("\n")) assert.ok(line.length <= 115, line);
    });
  }

  test("on everything: each command and each exit code", async (t) => {
    const { code, out } = await commandLine(t).call(["--help"]);
    assert.equal(code, 0);
    for (const { name } of commands) assert.match(out, new RegExp(`^ {2}${name}\\b`, "m"));
    for (const exitCode of [0, 1, 2, 3, 4, 78]) assert.match(out, new RegExp(`^ {2}${exitCode} `, "m"));
  });

  test("unasked, on standard error with the exit code of a wrong command line", async (t) => {
    const cli = commandLine(t);
    const overview = await cli.call([]);
    assert.deepEqual([overview.code, overview.out], [2, ""]);
    assert.match(overview.err, /^pi-daemon: metrics/);
    const group = await cli.call(["config"]);
    assert.equal(group.code, 2);
    assert.match(group.err, /config check/);
    assert.equal((await cli.call(["config", "--help"])).code, 0);
  });

  test("on what does not exist", async (t) => {
    const { code, err } = await commandLine(t).call(["help", "stats"]);
    assert.equal(code, 2);
    assert.match(err, /there is no command "stats"\n {2}did you mean "pi-daemon start"|status/);
  });
});

describe("the table of commands", () => {
  test("an option with one name is written the same way everywhere", () => {
    const shorts = new Map<string, string>();
    for (const { name, options } of commands) {
      for (const option of [...options, ...COMMON_OPTIONS]) {
        if (option.short === undefined) continue;
        assert.equal(shorts.get(option.short) ?? option.name, option.name, `-${option.short} in ${name}`);
        shorts.set(option.short, option.name);
      }
    }
  });
  test("no name begins a group and is a command too", () => {
    const names = commands.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.ok(!names.includes(name.split(" ")[0]!) || !name.includes(" "), name);
  });
});

test("version", async (t) => {
  const cli = commandLine(t);
  const { out } = await cli.call(["version"]);
  assert.match(out, /^pi-daemon \d+\.\d+\.\d+ \(Node v\d+/);
  assert.deepEqual(await cli.call(["--version"]), { code: 0, out, err: "" });
  const data = JSON.parse((await cli.call(["version", "--json"])).out) as object;
  assert.deepEqual(Object.keys(data), ["version", "nodeVersion"]);
});

test("colours where a terminal wants them, and never with --no-color", async (t) => {
  const cli = commandLine(t);
  const err: string[] = [];
  const colours = { outHasColours: true, errHasColours: true };
  const terminal = { ...colours, out: () => {}, err: (text: string) => void err.push(text), columns: 80 };
  await cli.call(["strat"], { terminal });
  await cli.call(["strat", "--no-color"], { terminal });
  await cli.call(["status", "--no-color"], { terminal });
  assert.deepEqual(
    err.map((line) => line.includes("\u001b[")),
    [true, false, false, false, false, false],
  );
});
