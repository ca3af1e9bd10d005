import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { findJsonFault } from "../../src/core/json-fault.ts";
import { forEachSeed } from "../support/random.ts";

for (const [text, line, column, message] of [
  ["", 1, 1, "expected a value, found nothing"],
  ['{\n  "a": 1,\n}', 3, 1, 'there may be no comma before "}"'],
  ["[1,]", 1, 4, 'there may be no comma before "]"'],
  ['{"a": 1\n "b": 2}', 2, 2, 'expected "," or "}", found "\\""'],
  ['{"a" 1}', 1, 6, 'expected ":" after the key, found "1"'],
  ["{port: 1}", 1, 2, 'expected a key in double quotes, found "port"'],
  ["{'port': 1}", 1, 2, "strings take double quotes, not single ones"],
  ['{\n// the port\n"port": 1}', 2, 1, "JSON has no comments"],
  ['{"a": }', 1, 7, 'expected a value, found "}"'],
  ['{"a": True}', 1, 7, 'expected a value, found "True"'],
  ['{"a": [1, 2}', 1, 12, 'expected "," or "]", found "}"'],
  ['{"a":\n {"b": 1', 2, 9, 'the text ends before the "{" at line 2, column 2 is closed'],
  ['{"a": "x', 1, 7, "the string that begins here is never closed"],
  ['{"a": "x\ny"}', 1, 7, 'the string that begins here holds a raw control character, "\\n"'],
  ['{"a": "\\x41"}', 1, 7, 'the string that begins here holds a wrong escape, "\\\\x"'],
  ["{} {}", 1, 4, 'expected nothing more after the value, found "{"'],
  ["[01]", 1, 3, 'expected "," or "]", found "1"'],
] as const) {
  test(`${JSON.stringify(text)}: ${message}`, () => {
    assert.deepEqual(findJsonFault(text), { line, column, message });
  });
}

test("nesting is bounded where asked", () => {
  assert.equal(findJsonFault("[[[]]]", 3), undefined);
  const fault = { line: 1, column: 4, message: "expected at most 3 levels of nesting" };
  assert.deepEqual(findJsonFault("[[[[]]]]", 3), fault);
  assert.equal(findJsonFault("[".repeat(100_000) + "]".repeat(100_000)), undefined);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("random texts are faulty just when JSON.parse says so", () => {
  const strings = ['"a"', '"\\u00e9\\n"', '"'];
  const pieces = [...strings, ..."{}[],: \n\\", "1", "-0.5e+3", "01", "true", "nul"];
  let valid = 0;
  forEachSeed(4000, (random) => {
    const text = Array.from({ length: random.int(1, 6) }, () => random.pick(pieces)).join("");
    assert.equal(findJsonFault(text) === undefined, isJson(text), JSON.stringify(text));
    if (isJson(text)) valid++;
  });
  if (process.env["PI_DAEMON_TEST_SEED"] === undefined) assert.ok(valid > 100, `only ${valid} texts were JSON`);
});

test("a JSON document with one character changed is faulty just when JSON.parse says so", () => {
  const document = JSON.stringify({ a: [1, -2.5e3, true, null, "x\n\u00e9"], "b c": { d: {}, e: [] } }, null, 1);
  forEachSeed(2000, (random) => {
    const at = random.int(0, document.length - 1);
    const char = random.pick([...'{}[],:"\\ 0.e-tn\n']);
    const text = document.slice(0, at) + char + document.slice(at + random.int(0, 1));
    assert.equal(findJsonFault(text) === undefined, isJson(text), JSON.stringify(text));
  });
});

const SUITE = fileURLToPath(new URL("../../../shared/json/test_parsing", import.meta.url));

test("the JSON parsing suite: faulty just when JSON.parse says so", (t) => {
  if (!existsSync(SUITE)) return t.skip(`no ${SUITE}: the suite is not part of the repository`);
  const names = readdirSync(SUITE);
  for (const name of names) {
    const text = readFileSync(join(SUITE, name), "utf8");
    assert.equal(findJsonFault(text) === undefined, isJson(text), name);
  }
  assert.ok(names.length > 300);
});
