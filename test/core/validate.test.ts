import { test } from "node:test";
import assert from "node:assert/strict";
import {
  type Infer,
  MAX_ISSUES,
  type Schema,
  anything,
  array,
  boolean,
  filePath,
  integer,
  literal,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  refine,
  secret,
  string,
  union,
  validate,
  withDefault,
} from "../../src/core/validate.ts";
import { forEachSeed } from "../support/random.ts";

/** The issues as lines, `path: message`; empty when the value is taken. */
function faults(schema: Schema<unknown>, value: unknown): string[] {
  const result = validate(schema, value);
  return result.ok ? [] : result.issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
}

function take<T>(schema: Schema<T>, value: unknown): T {
  const result = validate(schema, value);
  if (!result.ok) assert.fail(JSON.stringify(result.issues));
  return result.value;
}

const LONG = "x".repeat(200);
for (const [name, schema, value, expected] of [
  ["string", string(), 5, "expected a string, got 5"],
  ["string", string(), null, "expected a string, got null"],
  ["string, too long", string({ maxLength: 3 }), LONG, "expected at most 3 characters, got 200"],
  ["string, too short", string({ minLength: 3 }), "ab", "expected at least 3 characters, got 2"],
  ["string, empty", string({ minLength: 1 }), "", "must not be empty"],
  ["string, pattern", string({ pattern: /^a+$/ }), "b\n", 'expected a string that matches /^a+$/, got "b\\n"'],
  ["string, named pattern", string({ pattern: /^a+$/, expected: "some a" }), "b", 'expected some a, got "b"'],
  [
    "string, lone surrogate",
    string({ wellFormed: true }),
    "\ud800",
    "expected well-formed Unicode, got a lone surrogate",
  ],
  [
    "string, long and not shown",
    string({ pattern: /^a$/, expected: "a" }),
    LONG,
    "expected a, got a string of 200 characters",
  ],
  ["number", number(), "5", 'expected a number, got "5"'],
  ["number, infinite", number(), Infinity, "expected a number, got Infinity"],
  ["number, NaN", number(), NaN, "expected a number, got NaN"],
  ["number, low", number({ min: 0 }), -1, "expected a number of at least 0, got -1"],
  ["number, high", number({ min: 0, max: 1 }), 1.5, "expected a number from 0 to 1, got 1.5"],
  ["integer", integer(), 1.5, "expected an integer, got 1.5"],
  ["integer, unsafe", integer(), 2 ** 53, "expected an integer, got 9007199254740992"],
  ["integer, high", integer({ min: 0, max: 65_535 }), 65_536, "expected an integer from 0 to 65535, got 65536"],
  ["boolean", boolean(), "true", 'expected true or false, got "true"'],
  ["literal", literal("a"), "b", 'expected "a", got "b"'],
  ["oneOf", oneOf(["debug", "info"]), [], 'expected one of "debug", "info", got an array'],
  [
    "oneOf, near",
    oneOf(["debug", "info"]),
    "inof",
    'expected one of "debug", "info", got "inof"; did you mean "info"?',
  ],
  ["filePath", filePath(), "~root/x", 'expected a path (~/ is the home directory), got "~root/x"'],
  ["filePath, empty", filePath(), "", 'expected a path (~/ is the home directory), got ""'],
  ["nullable", nullable(integer()), "x", 'expected an integer, got "x"'],
  ["array", array(integer()), {}, "expected an array, each an integer, got an object"],
  ["array, too long", array(integer(), { max: 1 }), [1, 2], "expected an array of at most 1 items, got 2"],
  ["array, too short", array(integer(), { min: 1, max: 2 }), [], "expected an array of 1 to 2 items, got 0"],
  ["array, item", array(integer()), [1, "x", 3], '1: expected an integer, got "x"'],
  ["object", object({}), [], "expected an object, got an array"],
  ["object, null", object({}), null, "expected an object, got null"],
  ["object, missing", object({ a: integer() }), {}, "a: is required; expected an integer"],
  ["object, undefined", object({ a: integer() }), { a: undefined }, "a: is required; expected an integer"],
  [
    "object, near key",
    object({ port: optional(integer()) }),
    { prot: 1 },
    'prot: unknown key "prot"; did you mean "port"?',
  ],
  ["object, far key", object({ port: optional(integer()) }), { xyzzy: 1 }, 'xyzzy: unknown key "xyzzy"'],
  ["record, value", record(integer()), { a: "x" }, 'a: expected an integer, got "x"'],
  [
    "record, key",
    record(integer(), { key: string({ pattern: /^[a-z]$/, expected: "a letter" }) }),
    { 1: 1 },
    '1: bad key: expected a letter, got "1"',
  ],
  ["record, too many", record(integer(), { max: 1 }), { a: 1, b: 2 }, "expected at most 1 keys, got 2"],
  ["union", union(integer(), string()), true, "expected an integer or a string, got true"],
  [
    "secret",
    secret(string({ pattern: /^a+$/, expected: "a token" })),
    "hunter2",
    "expected a token; what was given is a secret and not shown",
  ],
] as const) {
  test(`${name} refuses ${JSON.stringify(value).slice(0, 20)}`, () => {
    assert.deepEqual(faults(schema, value), [expected]);
  });
}

for (const [name, schema, value] of [
  ["string", string({ minLength: 1, maxLength: 3, pattern: /^a+$/, wellFormed: true }), "aaa"],
  ["number", number({ min: 0, max: 1 }), 1],
  ["integer", integer({ min: 0 }), Number.MAX_SAFE_INTEGER],
  ["negative integer", integer(), -5],
  ["boolean", boolean(), false],
  ["literal", literal(null), null],
  ["oneOf", oneOf(["a", "b"]), "b"],
  ["filePath", filePath(), "~/x"],
  ["nullable", nullable(integer()), null],
  ["anything", anything(), { a: [1] }],
  ["array", array(integer(), { min: 0, max: 2 }), [1, 2]],
  ["object", object({ a: integer(), b: optional(nullable(integer())) }), { a: 1, b: null }],
  ["union", union(integer(), string()), "x"],
] as const) {
  test(`${name} takes ${JSON.stringify(value)} as it is`, () => assert.equal(take<unknown>(schema, value), value));
}

test("all problems are told at once, each at its path", () => {
  const schema = object({
    server: object({ port: integer({ min: 0, max: 65_535 }), listenAddress: string() }),
    metrics: object({ buckets: array(object({ match: string(), buckets: array(number()) })) }),
    name: string(),
  });
  const value = {
    server: { prot: 1, port: "9876", listenAddress: null },
    metrics: {
      buckets: [
        { match: "a", buckets: [1] },
        { match: 5, buckets: [1, "x"] },
      ],
    },
  };
  assert.deepEqual(faults(schema, value), [
    'server.prot: unknown key "prot"; did you mean "port"?',
    'server.port: expected an integer from 0 to 65535, got "9876"',
    "server.listenAddress: expected a string, got null",
    "metrics.buckets.1.match: expected a string, got 5",
    'metrics.buckets.1.buckets.1: expected a number, got "x"',
    "name: is required; expected a string",
  ]);
});

test("defaults are filled in, optional keys stay absent, the input is left alone", () => {
  const schema = object({ a: withDefault(integer(), 1), b: optional(string()), c: withDefault(array(integer()), []) });
  const input = Object.freeze({});
  assert.deepEqual(take(schema, input), { a: 1, c: [] });
  assert.deepEqual(take(schema, { a: 5, b: "x", c: [1] }), { a: 5, b: "x", c: [1] });
  assert.deepEqual(take(schema, { a: undefined }), { a: 1, c: [] });
});

test("defaults of a nested object are filled in from the inside", () => {
  const schema = object({ server: withDefault(object({ port: withDefault(integer(), 9876) }), {}) });
  assert.deepEqual(take(schema, {}), { server: { port: 9876 } });
  assert.deepEqual(take(schema, { server: {} }), { server: { port: 9876 } });
});

test("a default is frozen, so that one taker cannot change it for the next", () => {
  const schema = object({ list: withDefault(array(integer()), [1]) });
  assert.throws(() => (take(schema, {}).list as number[]).push(2), TypeError);
  assert.deepEqual(take(schema, {}).list, [1]);
});

test("a default that does not fit is a fault of the program", () => {
  assert.throws(() => withDefault(object({ a: integer() }), {}), {
    name: "TypeError",
    message: "the default {} does not fit its schema: a: is required; expected an integer",
  });
});

test("a pattern that remembers its place is a fault of the program", () => {
  assert.throws(() => string({ pattern: /a/g }), TypeError);
  assert.throws(() => string({ pattern: /a/y }), TypeError);
});

test("refine sees right values only, and tells a sentence or issues with paths", () => {
  const range = object({ low: number(), high: number() });
  const rising = refine(range, ({ low, high }) => (low > high ? `expected low <= high, got ${low}` : undefined));
  assert.deepEqual(faults(rising, { low: 2, high: 1 }), ["expected low <= high, got 2"]);
  assert.deepEqual(faults(rising, { low: "2", high: 1 }), ['low: expected a number, got "2"']);
  assert.deepEqual(faults(rising, { low: 1, high: 2 }), []);
  const pathed = refine(range, ({ high }) => (high < 9 ? [] : [{ path: "high", message: "is too high" }]));
  assert.deepEqual(faults(object({ range: pathed }), { range: { low: 1, high: 9 } }), ["range.high: is too high"]);
  assert.deepEqual(faults(pathed, { low: 1, high: 2 }), []);
});

test("a union lets the alternative speak that got past the outer shape", () => {
  const schema = union(string(), object({ file: string() }));
  assert.deepEqual(faults(schema, { file: 5 }), ["file: expected a string, got 5"]);
  assert.deepEqual(faults(schema, 5), ["expected a string or an object, got 5"]);
});

const HOSTILE_KEYS = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "__defineGetter__"];
for (const key of HOSTILE_KEYS) {
  const input: unknown = JSON.parse(`{"${key}": "x"}`);
  test(`${key} is an ordinary key`, () => {
    assert.deepEqual(faults(object({ a: optional(string()) }), input), [`${key}: unknown key "${key}"`]);
    const labels = take(record(string()), input);
    assert.deepEqual(Object.entries(labels), [[key, "x"]]);
    assert.equal(labels[key], "x");
    for (const other of HOSTILE_KEYS) if (other !== key) assert.equal(labels[other], undefined);
    assert.equal(Object.hasOwn(Object.prototype, "x"), false);
    assert.deepEqual(faults(record(integer()), input), [`${key}: expected an integer, got "x"`]);
  });
}

test("a field named as something inherited is required all the same", () => {
  const fields: Record<string, Schema<unknown>> = { constructor: anything(), toString: withDefault(integer(), 1) };
  const schema = object(fields);
  assert.deepEqual(faults(schema, {}), ["constructor: is required; expected any value"]);
  assert.equal(Object.hasOwn(take(schema, { constructor: 1 }), "toString"), true);
});

test("keys that an input inherits are not seen", () => {
  const input = Object.create({ a: 1 }) as object;
  assert.deepEqual(faults(object({ a: integer() }), input), ["a: is required; expected an integer"]);
  assert.deepEqual(Object.keys(take(record(integer()), input)), []);
});

const MANY = Object.fromEntries(Array.from({ length: 9999 }, (_, index) => [`k${index}`, "x"]));
for (const [name, schema, input] of [
  ["unknown keys", object({ a: optional(integer()) }), MANY],
  ["bad items", array(integer()), Object.values(MANY)],
  ["bad values", record(integer()), MANY],
] as const) {
  test(`issues are bounded: ${name}`, () => assert.equal(faults(schema, input).length, MAX_ISSUES));
}

test("a long unknown key is shown in part", () => {
  const [fault] = faults(object({}), { [LONG]: 1 });
  assert.equal(fault, `${"x".repeat(64)}…: unknown key "${"x".repeat(40)}…"`);
});

test("types are inferred", () => {
  const schema = object({
    name: string(),
    kind: oneOf(["a", "b"]),
    size: withDefault(integer(), 1),
    note: optional(string()),
    tags: record(array(nullable(number()))),
    either: union(integer(), literal("none")),
  });
  type Expected = {
    readonly name: string;
    readonly kind: "a" | "b";
    readonly size: number;
    readonly note?: string;
    readonly tags: Readonly<Record<string, readonly (number | null)[]>>;
    readonly either: number | "none";
  };
  type Found = Infer<typeof schema>;
  // Each must fit the other: the compiler is the test, and the line below only keeps it.
  const same: [Found, Expected] extends [Expected, Found] ? true : false = true;
  assert.ok(same);
});

test("random values are taken just when they are what the schema says", () => {
  const schema = object({ a: integer({ min: 0, max: 2 }), b: optional(array(boolean(), { max: 2 })) });
  const isRight = (value: unknown): boolean => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    const { a, b, ...rest } = value as Record<string, unknown>;
    const isList = Array.isArray(b) && b.length <= 2 && b.every((item) => typeof item === "boolean");
    return [0, 1, 2].includes(a as number) && (b === undefined || isList) && Object.keys(rest).length === 0;
  };
  let taken = 0;
  forEachSeed(3000, (random) => {
    const scalar = (): unknown => random.pick([0, 1, 2, 3, -1, 0.5, "0", null, true]);
    const list = (): unknown => random.pick([[], [true], [true, false], [true, true, true], [1], {}, undefined]);
    const objects = [{ a: scalar() }, { a: scalar(), b: list() }, { a: 1, b: list() }, { a: 1, c: 1 }];
    const value = random.pick<unknown>([...objects, scalar(), list()]);
    assert.equal(validate(schema, value).ok, isRight(value), JSON.stringify(value));
    if (isRight(value)) taken++;
  });
  if (process.env["PI_DAEMON_TEST_SEED"] === undefined) assert.ok(taken > 300, `only ${taken} values were right`);
});
