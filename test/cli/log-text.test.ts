import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toReadableLine } from "../../src/cli/log-text.ts";
import { createPainter } from "../../src/cli/style.ts";

const time = "2024-01-02T03:04:05.678Z";

describe("a line of the log for a person", () => {
  for (const [name, line, expected] of [
    ["JSON", `{"time":"${time}","level":"info","message":"up","port":9,"url":"x"}`, `${time} INFO  up port=9 url=x`],
    ["text", `${time} WARN  slow`, `${time} WARN  slow`],
    ["something else", "Error: \u001b[31mboom", "Error: \\u001b[31mboom"],
    ["broken JSON", '{"time":', '{"time":'],
    ["JSON of somebody else", '{"a":1}', '{"a":1}'],
    ["an unknown level", `{"time":"${time}","level":"loud"}`, `{"time":"${time}","level":"loud"}`],
    ["a time that is none", '{"time":"x","level":"info","message":"x"}', '{"time":"x","level":"info","message":"x"}'],
    ["nothing", "", ""],
  ] as const) {
    test(name, () => assert.equal(toReadableLine(line, createPainter(false)), expected));
  }
  test("a warning in its colour", () => {
    const line = `{"time":"${time}","level":"warn","message":"slow"}`;
    assert.equal(toReadableLine(line, createPainter(true)), `\u001b[33m${time} WARN  slow\u001b[39m`);
  });
});
