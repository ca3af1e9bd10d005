import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readArguments, selectCommand } from "../../src/cli/arguments.ts";
import { COMMON_OPTIONS, type Command, CommandError, EXIT } from "../../src/cli/command.ts";

const nothing = async (): Promise<number> => EXIT.ok;
const base = { operands: [], options: [], summary: "", run: nothing };
const start: Command = { ...base, name: "start", options: [{ name: "foreground", summary: "" }] };
const logs: Command = {
  ...base,
  name: "logs",
  options: [
    { name: "follow", short: "f", summary: "" },
    { name: "lines", short: "n", value: "COUNT", summary: "" },
  ],
};
const send: Command = {
  ...base,
  name: "send",
  operands: ["NAME"],
  options: [
    { name: "delta", value: "NUMBER", summary: "" },
    { name: "label", short: "l", value: "KEY=VALUE", isRepeatable: true, summary: "" },
  ],
};
const check: Command = { ...base, name: "config check" };
const show: Command = { ...base, name: "config show", operands: ["[KEY]"] };
const commands = [start, logs, send, check, show];

function parse(line: string) {
  const { command, group, rest } = selectCommand(commands, line.split(" "));
  return command ? { name: command.name, args: readArguments(command, rest) } : { group, rest };
}

function refusal(line: string): { message: string; hint: string | undefined; code: number } {
  try {
    parse(line);
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return { message: error.message, hint: error.hint, code: error.code };
  }
  throw new Error(`"${line}" was taken`);
}

describe("what is found on the command line", () => {
  for (const [line, name, expected] of [
    ["start", "start", {}],
    ["start --foreground", "start", { foreground: [""] }],
    ["--json start", "start", { json: [""] }],
    ["--url http://x start --foreground", "start", { url: ["http://x"], foreground: [""] }],
    ["logs -n 20", "logs", { lines: ["20"] }],
    ["logs -n20 -f", "logs", { lines: ["20"], follow: [""] }],
    ["logs -fn 20", "logs", { lines: ["20"], follow: [""] }],
    ["logs --lines=20", "logs", { lines: ["20"] }],
    ["logs --lines 1 --lines 2", "logs", { lines: ["1", "2"] }],
    ["send x --delta -3.5", "send", { delta: ["-3.5"] }],
    ["send x --delta -.5", "send", { delta: ["-.5"] }],
    ["send x -l a=1 -l b=2", "send", { label: ["a=1", "b=2"] }],
    ["send x -l=a=1", "send", { label: ["=a=1"] }],
    ["send x --label=--odd", "send", { label: ["--odd"] }],
    ["config check", "config check", {}],
    ["config --json check", "config check", { json: [""] }],
    ["--json config check --url u", "config check", { json: [""], url: ["u"] }],
  ] as const) {
    test(line, () => {
      const found = parse(line);
      assert.equal(found.name, name);
      const names = [...COMMON_OPTIONS, ...commands.flatMap(({ options }) => options)].map((option) => option.name);
      const given = names.filter((each) => found.args!.isSet(each));
      assert.deepEqual(Object.fromEntries(given.map((each) => [each, [...found.args!.values(each)]])), expected);
    });
  }

  test("operands, also behind --", () => {
    assert.deepEqual(parse("send x").args!.operands, ["x"]);
    assert.deepEqual(parse("send -- --x").args!.operands, ["--x"]);
    assert.deepEqual(parse("config show a").args!.operands, ["a"]);
    assert.deepEqual(parse("config show").args!.operands, []);
  });
  test("the last of several values counts", () => assert.equal(parse("logs -n 1 -n 2").args!.value("lines"), "2"));
  test("no command, and a group without one", () => {
    assert.deepEqual(parse("--json"), { group: undefined, rest: ["--json"] });
    assert.deepEqual(parse("config --json"), { group: "config", rest: ["--json"] });
  });
  test("with --help nothing needs to be there", () => assert.ok(parse("send --help").args!.isSet("help")));
});

describe("what is refused, and what is suggested", () => {
  for (const [line, message, hint] of [
    ["strat", 'there is no command "strat"', 'did you mean "pi-daemon start"?'],
    ["strat --foreground", 'there is no command "strat"', 'did you mean "pi-daemon start"?'],
    ["confg check", 'there is no command "confg"', 'did you mean "pi-daemon config"?'],
    ["config chekc", 'there is no command "config chekc"', 'did you mean "pi-daemon config check"?'],
    ["xyzzy", 'there is no command "xyzzy"', 'see "pi-daemon help" for the commands'],
    ["start --forground", 'there is no option "--forground"', "did you mean --foreground?"],
    ["start --jsn", 'there is no option "--jsn"', "did you mean --json?"],
    ["start -x", 'there is no option "-x"', 'see "pi-daemon help start"'],
    [
      "--foreground start",
      'there is no option "--foreground"',
      "options of a command stand after it: pi-daemon COMMAND --foreground",
    ],
    ["--jsom start", 'there is no option "--jsom"', "did you mean --json?"],
    ["logs -n", "option -n needs a value", "write -n COUNT"],
    ["logs --lines", "option --lines needs a value", "write --lines COUNT"],
    [
      "logs --lines --json",
      'option --lines needs a value, but the next word is the option "--json"',
      "write --lines COUNT, or --lines=--json if that is meant",
    ],
    ["start --foreground=yes", "option --foreground takes no value", "write only --foreground"],
    ["send", '"send" needs NAME', 'see "pi-daemon help send"'],
    ["send a b", '"send" takes only NAME, but there is also "b"', 'see "pi-daemon help send"'],
    ["start now", '"start" takes no operand, but there is also "now"', 'see "pi-daemon help start"'],
    ["config show a b", '"config show" takes only [KEY], but there is also "b"', 'see "pi-daemon help config show"'],
  ] as const) {
    test(line, () => assert.deepEqual(refusal(line), { message, hint, code: EXIT.usage }));
  }

  test("a word with an escape in it is shown without it", () => {
    assert.equal(refusal("\u001b[31mstart").message, 'there is no command "\\u001b[31mstart"');
  });
});
