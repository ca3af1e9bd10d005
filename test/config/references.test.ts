import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";
import { resolveReferences } from "../../src/config/references.ts";
import { array, object, optional, record, string } from "../../src/core/validate.ts";
import { tempDir } from "../support/temp-dir.ts";

const uid = process.getuid?.();
const env = { A: "alpha", EMPTY: "", LOOKS: "${A}", undefinedOne: undefined };
const bare = { env, home: "/nowhere", base: "/nowhere", uid };

for (const [text, expected] of [
  ["plain", "plain"],
  ["${A}", "alpha"],
  ["Bearer ${A}-${A}", "Bearer alpha-alpha"],
  ["<${EMPTY}>", "<>"],
  ["${LOOKS}", "${A}"],
  ["$${A}", "${A}"],
  ["cost: $5, $A, {A}", "cost: $5, $A, {A}"],
] as const) {
  test(`"${text}" becomes "${expected}"`, () => {
    const { value, issues } = resolveReferences({ key: [text] }, bare);
    assert.deepEqual([value, issues], [{ key: [expected] }, []]);
  });
}

const WRONG_NAME =
  'expected "${NAME}" with the name of an environment variable; a "${" that means itself is written "$${"';
for (const [text, message] of [
  ["${MISSING}", "the environment variable MISSING is not set"],
  ["${toString}", "the environment variable toString is not set"],
  ["${undefinedOne}", "the environment variable undefinedOne is not set"],
  ["${A:-b}", WRONG_NAME],
  ["${A", WRONG_NAME],
] as const) {
  test(`"${text}" is a fault`, () => {
    const { value, issues } = resolveReferences({ key: [0, text] }, bare);
    assert.deepEqual(issues, [{ path: "key.1", message }]);
    assert.deepEqual(value, { key: [0, text] });
  });
}

test("text that the schema marks verbatim is left alone; a file in its place is not", (t) => {
  const base = tempDir(t);
  writeFileSync(join(base, "s"), "of the file", { mode: 0o600 });
  const line = string({ mark: "verbatim" });
  const schema = object({
    a: optional(line),
    list: optional(array(line)),
    records: optional(record(object({ a: line }))),
    b: optional(string()),
  });
  const tree = { a: "${MISSING} $${x}", list: ["${A}"], records: { r: { a: "${A" } }, b: "${A}" };
  const { value, issues } = resolveReferences(tree, { ...bare, base }, schema);
  assert.deepEqual([value, issues], [{ ...tree, b: "alpha" }, []]);
  const ofFile = resolveReferences({ a: { $file: "s" } }, { ...bare, base }, schema);
  assert.deepEqual([ofFile.value, [...ofFile.filledIn.keys()]], [{ a: "of the file" }, ["a"]]);
});

test("what was filled in is noted by the path that holds it", () => {
  const { filledIn } = resolveReferences({ a: "${A} ${EMPTY}", b: ["x", "${LOOKS}"], c: "c" }, bare);
  assert.deepEqual(
    [...filledIn],
    [
      ["a", ["alpha", ""]],
      ["b.1", ["${A}"]],
    ],
  );
});

test("a secret comes from a file, without its last line break", (t) => {
  const home = tempDir(t);
  const base = join(home, "etc");
  mkdirSync(base);
  for (const path of [join(home, "one"), join(base, "two"), join(base, "alpha")]) {
    writeFileSync(path, `secret of ${path.slice(home.length)}\n`, { mode: 0o600 });
  }
  const tree = { a: { $file: "~/one" }, b: [{ $file: "two" }], c: { $file: "${A}" }, d: { $file: join(home, "one") } };
  const { value, issues, filledIn, warnings } = resolveReferences(tree, { ...bare, home, base });
  assert.deepEqual([issues, warnings], [[], []]);
  const [one, two, alpha] = ["secret of /one", "secret of /etc/two", "secret of /etc/alpha"];
  assert.deepEqual(value, { a: one, b: [two], c: alpha, d: one });
  assert.deepEqual(
    [...filledIn],
    [
      ["a", [one]],
      ["b.0", [two]],
      ["c", [alpha]],
      ["d", [one]],
    ],
  );
});

test("inner line breaks and spaces of a secret are kept; ${A} in it is not looked at", (t) => {
  const base = tempDir(t);
  writeFileSync(join(base, "s"), " a\n${A} \r\n\n", { mode: 0o600 });
  assert.deepEqual(resolveReferences({ $file: "s" }, { ...bare, base }).value, " a\n${A} \r\n");
});

test("a file that others can read is warned of, one that they can write is refused", (t) => {
  const base = tempDir(t);
  const path = join(base, "s");
  writeFileSync(path, "x");
  chmodSync(path, 0o644);
  const { warnings } = resolveReferences({ key: { $file: "s" } }, { ...bare, base });
  assert.deepEqual(warnings, [`${path} holds the secret key and can be read by others; run: chmod 600 ${path}`]);
  chmodSync(path, 0o666);
  const { issues } = resolveReferences({ key: { $file: "s" } }, { ...bare, base });
  assert.deepEqual(issues, [
    { path: "key", message: `$file: ${path} can be changed by others (mode 0666); run: chmod go-w ${path}` },
  ]);
});

test("a $file that leads nowhere is a fault and stays as it was", () => {
  const tree = {
    a: { $file: "none" },
    b: { $file: 5 },
    c: { $file: "x", more: 1 },
    d: { $file: "${MISSING}" },
    e: { $file: "" },
  };
  const { value, issues } = resolveReferences(tree, bare);
  const form = 'expected {"$file": "path of a file"} and no other key beside it';
  assert.deepEqual(issues, [
    { path: "a", message: "$file: /nowhere/none does not exist" },
    { path: "b", message: form },
    { path: "c", message: form },
    { path: "d", message: "the environment variable MISSING is not set" },
    { path: "e", message: form },
  ]);
  assert.deepEqual(value, tree);
});

test("hostile keys are ordinary", () => {
  const { value } = resolveReferences(JSON.parse('{"__proto__": {"a": "${A}"}, "toString": "${A}"}'), bare);
  assert.equal(JSON.stringify(value), '{"__proto__":{"a":"alpha"},"toString":"alpha"}');
  assert.equal("a" in (value as object), false);
});
