import { test } from "node:test";
import assert from "node:assert/strict";
import { renderLine } from "../../src/system/log-line.ts";
import { type LogFields, type LogSink, createLog } from "../../src/system/log.ts";
import { fakeClock } from "../support/fake-clock.ts";

/** A sink that keeps its lines, and loses them while `isFull`. */
function memorySink() {
  const sink = {
    lines: [] as string[],
    isFull: false,
    resume: (): void => {},
    write(line: string): boolean {
      if (!sink.isFull) sink.lines.push(line);
      return !sink.isFull;
    },
    onFlow: (run: () => void) => void (sink.resume = run),
    close: () => Promise.resolve(),
  };
  return sink satisfies LogSink;
}

const TIME_MS = 1_700_000_000_000;

function lineOf(format: "json" | "text", message: string, fields: LogFields = {}, secrets: string[] = []): string {
  return renderLine({ timeMs: TIME_MS, level: "info", message, fields }, format, secrets);
}

for (const [name, message, fields, json, text] of [
  ["message alone", "started", {}, '"message":"started"', "started"],
  [
    "fields",
    "a",
    { pid: 1, ok: true, url: "http://x/", none: null, gone: undefined },
    '"message":"a","pid":1,"ok":true,"url":"http://x/","none":null',
    "a pid=1 ok=true url=http://x/ none=null",
  ],
  [
    "fields that need quotes",
    "a",
    { b: "c d", e: "", f: "g=h", i: 'j"k' },
    '"message":"a","b":"c d","e":"","f":"g=h","i":"j\\"k"',
    'a b="c d" e="" f="g=h" i="j\\"k"',
  ],
  [
    "a forged line",
    "a\r\n2023 INFO forged",
    { b: "\nc" },
    '"message":"a\\r\\n2023 INFO forged","b":"\\nc"',
    'a\\r\\n2023 INFO forged b="\\nc"',
  ],
  [
    "terminal escapes",
    "\u001b[2J",
    { b: "\u009b31m\u007f" },
    '"message":"\\u001b[2J","b":"\\u009b31m\\u007f"',
    '\\u001b[2J b="\\u009b31m\\u007f"',
  ],
  ["direction marks", "a\u202eb", {}, '"message":"a\\u202eb"', "a\\u202eb"],
  [
    "keys of the line itself",
    "a",
    { time: 1, level: "x", message: "y" },
    '"message":"a","time_":1,"level_":"x","message_":"y"',
    "a time_=1 level_=x message_=y",
  ],
  ["odd keys", "a", { "b c\n": 1 }, '"message":"a","b c\\n":1', 'a "b c\\n"=1'],
  [
    "numbers JSON cannot write",
    "a",
    { b: NaN, c: -Infinity },
    '"message":"a","b":"NaN","c":"-Infinity"',
    "a b=NaN c=-Infinity",
  ],
] as const) {
  test(`a line: ${name}`, () => {
    assert.equal(lineOf("json", message, fields), `{"time":"2023-11-14T22:13:20.000Z","level":"info",${json}}\n`);
    assert.equal(lineOf("text", message, fields), `2023-11-14T22:13:20.000Z INFO  ${text}\n`);
  });
}

const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

test("no unprintable character comes through raw, wherever it stands", () => {
  for (let code = 0; code < 0x3000; code++) {
    const char = String.fromCharCode(code);
    for (const format of ["json", "text"] as const) {
      const line = lineOf(format, char, { [char]: char });
      if (UNPRINTABLE.test(line.slice(0, -1))) assert.fail(JSON.stringify(line));
      if (format === "json") JSON.parse(line);
    }
  }
});

for (const format of ["json", "text"] as const) {
  test(`secrets never show in ${format}: message, field, key, number, escaped text`, () => {
    const secrets = ['c4n"\nary', "123456"];
    const fields = { a: `Bearer ${secrets[0]}`, ['c4n"\nary']: 1, n: 5_123_456 };
    const line = lineOf(format, `token ${secrets[0]}`, fields, secrets);
    assert.doesNotMatch(line, /c4n|123456/);
    assert.equal(line.match(/\[redacted\]/g)?.length, 4);
  });
}

test("a long text is cut, after secrets are hidden", () => {
  const line = lineOf("json", "x".repeat(8190) + "canary" + "y".repeat(100_000), {}, ["canary"]);
  assert.ok(line.length < 8400);
  assert.doesNotMatch(line, /ca/);
});

test("levels, children and a change of level", () => {
  const sink = memorySink();
  const log = createLog({ level: "warn", format: "text", sink, clock: fakeClock() });
  const child = log.child({ plugin: "metrics" }).child({ id: 7 });
  log.debug("1");
  log.info("2");
  log.warn("3");
  child.info("4");
  child.error("5", { id: 8 });
  log.setLevel("debug");
  child.debug("6");
  const shown = sink.lines.map((line) => line.slice("2023-11-14T22:13:20.000Z ".length));
  assert.deepEqual(shown, ["WARN  3\n", "ERROR 5 plugin=metrics id=8\n", "DEBUG 6 plugin=metrics id=7\n"]);
});

test("secrets are asked for each line, so that a reload takes effect", () => {
  const sink = memorySink();
  let secrets: string[] = [];
  const log = createLog({ level: "info", format: "text", sink, clock: fakeClock(), secrets: () => secrets });
  log.info("token1");
  secrets = ["token1"];
  log.info("token1");
  assert.deepEqual(
    sink.lines.map((line) => line.slice(31)),
    ["token1\n", "[redacted]\n"],
  );
});

test("lost lines are reported once, as soon as a line can be written", () => {
  const sink = memorySink();
  const log = createLog({ level: "info", format: "json", sink, clock: fakeClock() });
  sink.isFull = true;
  log.info("a");
  log.debug("not even tried");
  log.info("b");
  assert.equal(log.droppedLines(), 2);
  sink.isFull = false;
  log.info("c");
  log.info("d");
  const lines = sink.lines.map((line) => JSON.parse(line) as { message: string; count?: number });
  assert.deepEqual(
    lines.map(({ message, count }) => count ?? message),
    [2, "c", "d"],
  );
  sink.isFull = true;
  log.info("e");
  sink.isFull = false;
  sink.resume();
  sink.resume();
  assert.equal(sink.lines.length, 4);
  assert.equal(log.droppedLines(), 3);
});
