import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CommandError } from "../../src/cli/command.ts";
import { fitPlist, fitRunAs, fitUnit, isOwnFile, programPaths } from "../../src/cli/service-unit.ts";
import { parsePlist } from "../support/plist.ts";

const template = (name: string): string => readFileSync(join(import.meta.dirname, "../../contrib", name), "utf8");
const UNITS = ["pi-daemon.service", "pi-daemon-user.service"];
const plain = { words: ["/usr/bin/node", "/opt/pi-daemon/dist/cli.js"], configPath: undefined };

const QUOTED: readonly (readonly [word: string, asCommand: string, asArgument: string])[] = [
  ["/usr/bin/node", "/usr/bin/node", "/usr/bin/node"],
  ["/with space/node", '"/with space/node"', '"/with space/node"'],
  ["/100%/node", "/100%%/node", "/100%%/node"],
  ["/$HOME/node", "/$HOME/node", "/$$HOME/node"],
  ['/a"b/node', '"/a\\"b/node"', '"/a\\"b/node"'],
  ["/a\\b/node", '"/a\\\\b/node"', '"/a\\\\b/node"'],
  ["/it's;/node", `"/it's;/node"`, `"/it's;/node"`],
  ["/ü/node", '"/ü/node"', '"/ü/node"'],
];

describe("fitUnit", () => {
  for (const unit of UNITS) {
    test(`${unit}: both commands run the program, and nothing else changes`, () => {
      const lines = fitUnit(template(unit), plain).split("\n");
      const changed = template(unit)
        .split("\n")
        .flatMap((line, index) => (line === lines[index] ? [] : [lines[index]]));
      assert.equal(changed.length, 2);
      assert.equal(changed[0], "ExecStart=/usr/bin/node /opt/pi-daemon/dist/cli.js start --foreground");
      assert.match(changed[1]!, /^ExecStartPost=.* sh \/usr\/bin\/node \/opt\/pi-daemon\/dist\/cli.js$/);
    });

    test(`${unit}: a config that was named`, () => {
      const text = fitUnit(template(unit), { ...plain, configPath: "/etc/a b/100%.json" });
      assert.match(text, /^Environment="PI_DAEMON_CONFIG=\/etc\/a b\/100%%.json"\nUMask=/m);
    });
  }

  for (const [word, asCommand, asArgument] of QUOTED) {
    test(`the path ${word}`, () => {
      const text = fitUnit(template("pi-daemon.service"), { ...plain, words: [word, word] });
      assert.ok(text.includes(`\nExecStart=${asCommand} ${asArgument} start --foreground\n`), text);
      assert.ok(text.includes(` sh ${asArgument} ${asArgument}\n`));
    });
  }

  test("a control character is refused: it could begin a line of its own", () => {
    const words = ["/usr/bin/node", "/a\nExecStartPre=/bin/evil"];
    for (const fit of [
      () => fitUnit(template("pi-daemon.service"), { ...plain, words }),
      () => fitPlist(template("com.pi-daemon.plist"), { ...plain, words }),
    ]) {
      assert.throws(fit, (error) => error instanceof CommandError && /control character/.test(error.message));
    }
  });
});

describe("fitPlist", () => {
  test("the program, whatever its path, and the config", () => {
    const words = ["/opt/<a> & b/node", "--flag", '/opt/c"d/cli.js'];
    const { ProgramArguments, EnvironmentVariables } = parsePlist(
      fitPlist(template("com.pi-daemon.plist"), { words, configPath: "/a&b.json" }),
    ) as {
      ProgramArguments: string[];
      EnvironmentVariables: Record<string, string>;
    };
    assert.deepEqual(ProgramArguments.slice(3), ["sh", ...words]);
    assert.equal(EnvironmentVariables["PI_DAEMON_CONFIG"], "/a&b.json");
  });
});

describe("programPaths: what was fitted in is found again", () => {
  for (const [word] of QUOTED) {
    test(word, () => {
      const program = { words: [word, "--flag", `${word}.js`], configPath: undefined };
      for (const unit of UNITS) assert.deepEqual(programPaths(fitUnit(template(unit), program)), [word, `${word}.js`]);
      assert.deepEqual(programPaths(fitPlist(template("com.pi-daemon.plist"), program)), [word, `${word}.js`]);
    });
  }

  test("a unit as it is in contrib names only env", () => {
    for (const name of [...UNITS, "com.pi-daemon.plist"])
      assert.deepEqual(programPaths(template(name)), ["/usr/bin/env"]);
  });

  test("a file that is no unit names nothing", () => assert.deepEqual(programPaths("ExecStart=/bin/true\n"), []));
});

test("fitRunAs: the name and the home directory", () => {
  const text = fitRunAs(template("pi-daemon.service.d/run-as.conf"), { name: "eve", home: "/srv/e ve" });
  assert.match(text, /^User=eve$/m);
  assert.match(text, /^ReadWritePaths="\/srv\/e ve"$/m);
});

test("isOwnFile: what we write, as it is in contrib, and nothing else", () => {
  for (const name of [...UNITS, "pi-daemon.service.d/run-as.conf", "com.pi-daemon.plist"])
    assert.ok(isOwnFile(template(name)), name);
  for (const text of ["", "[Unit]\nDescription=pi-daemon\n", "# another pi-daemon as a service\n"])
    assert.ok(!isOwnFile(text), text);
});
