import { test } from "node:test";
import assert from "node:assert/strict";
import { listSettings, mapLeaves } from "../../src/core/schema-walk.ts";
import {
  anything,
  array,
  filePath,
  integer,
  nullable,
  object,
  optional,
  record,
  secret,
  string,
  union,
  validate,
  withDefault,
} from "../../src/core/validate.ts";

const schema = object({
  port: withDefault(integer({ min: 0 }), 9876),
  dir: withDefault(filePath(), "~/x"),
  auth: withDefault(object({ token: withDefault(nullable(secret(string())), null) }), {}),
  headers: withDefault(record(secret(string())), {}),
  cookies: optional(secret(record(array(integer())))),
  hooks: optional(array(union(secret(string()), object({ url: secret(string()), id: integer() })))),
  rest: optional(anything()),
});

test("every leaf comes with its path and mark, in the order of the schema", () => {
  const seen: string[] = [];
  const hooks = ["s", { id: 1, url: "u" }];
  const value = { rest: { a: [true] }, hooks, cookies: { c: [1] }, headers: { k: "v" }, port: 1, dir: "~/d", auth: {} };
  const checked = validate(schema, value);
  assert.ok(checked.ok);
  mapLeaves(schema, checked.value, ({ path, value, mark }) => seen.push(`${path}=${String(value)} ${mark}`));
  assert.deepEqual(seen, [
    "port=1 undefined",
    "dir=~/d path",
    "auth.token=null secret",
    "headers.k=v secret",
    "cookies.c.0=1 secret",
    "hooks.0=s secret",
    "hooks.1.url=u secret",
    "hooks.1.id=1 undefined",
    "rest.a.0=true undefined",
  ]);
});

test("leaves are replaced in a copy; a record's copy inherits nothing either", () => {
  const value = Object.freeze({ port: 1, headers: validate(record(string()), { a: "b" }) });
  const copy = mapLeaves(anything(), { list: [1, { two: 2 }], none: null }, ({ value }) => `<${String(value)}>`);
  assert.deepEqual(copy, { list: ["<1>", { two: "<2>" }], none: "<null>" });
  assert.ok(value.headers.ok);
  const headers = mapLeaves(record(string()), value.headers.value, ({ value }) => value) as Record<string, unknown>;
  assert.equal(headers["toString"], undefined);
  assert.deepEqual(Object.entries(headers), [["a", "b"]]);
});

test("a __proto__ key is copied as any other", () => {
  const copy = mapLeaves(anything(), JSON.parse('{"__proto__": {"polluted": 1}}'), ({ value }) => value) as object;
  assert.deepEqual(Object.keys(copy), ["__proto__"]);
  assert.equal("polluted" in copy, false);
});

test("settings are listed with defaults, secrets marked", () => {
  assert.deepEqual(listSettings(schema), [
    { path: "port", expected: "an integer of at least 0", fallback: 9876, isSecret: false },
    { path: "dir", expected: "a path (~/ is the home directory)", fallback: "~/x", isSecret: false },
    { path: "auth.token", expected: "a string, or null", fallback: null, isSecret: true },
    { path: "headers", expected: "an object, each a string", fallback: validFallback("headers"), isSecret: false },
    { path: "cookies", expected: "an object, each an array, each an integer", fallback: undefined, isSecret: true },
    { path: "hooks", expected: "an array, each a string or an object", fallback: undefined, isSecret: false },
    { path: "rest", expected: "any value", fallback: undefined, isSecret: false },
  ]);
});

test("the default of a group shows in the settings below it", () => {
  const group = object({ limits: withDefault(object({ max: integer() }), { max: 5 }) });
  assert.deepEqual(listSettings(group), [{ path: "limits.max", expected: "an integer", fallback: 5, isSecret: false }]);
});

function validFallback(key: string): unknown {
  return schema.fields?.get(key)?.fallback;
}
