import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AgentStream, NO_PROGRESS } from "../../../src/plugins/jobs/agent-stream.ts";
import { forEachSeed } from "../../support/random.ts";

const USAGE = { input: 100, output: 20, cacheRead: 5, cacheWrite: 3, totalTokens: 128, cost: { total: 0.25 } };

function answer(text: string, more: object = {}): object {
  const content = [
    { type: "thinking", thinking: "hm" },
    { type: "text", text },
  ];
  return { type: "message_end", message: { role: "assistant", content, stopReason: "stop", usage: USAGE, ...more } };
}

function toLine(event: object | string): string {
  return (typeof event === "string" ? event : JSON.stringify(event)) + "\n";
}

function read(...events: readonly (object | string)[]): AgentStream & { transcript: string } {
  const stream = new AgentStream();
  const transcript = events.map((event) => stream.push(Buffer.from(toLine(event)))).join("");
  return Object.assign(stream, { transcript });
}

const SESSION = { type: "session", id: "s", cwd: "/" };
const TOOL = { type: "tool_execution_start", toolCallId: "c", toolName: "bash", args: { command: "ls" } };

describe("the stream of a run", () => {
  test("that goes well", () => {
    const { progress, transcript } = read(
      SESSION,
      { type: "agent_start" },
      answer("I look.", { stopReason: "toolUse" }),
      TOOL,
      { type: "tool_execution_end", toolName: "bash", isError: false },
      { type: "message_end", message: { role: "toolResult" } },
      answer("It is fine."),
      { type: "agent_end", messages: [] },
      { type: "agent_settled" },
    );
    assert.deepEqual(progress, {
      hasSettled: true,
      stopReason: "stop",
      errorMessage: undefined,
      finalText: "It is fine.",
      inputTokens: 200,
      outputTokens: 40,
      cacheReadTokens: 10,
      cacheWriteTokens: 6,
      costUsd: 0.5,
    });
    assert.equal(transcript, 'I look.\n[tool] bash {"command":"ls"}\nIt is fine.\n');
  });

  test("whose provider fails", () => {
    const failed = answer("", { stopReason: "error", errorMessage: "429: slow down", content: [] });
    const retry = { type: "auto_retry_start", attempt: 1, maxAttempts: 3, errorMessage: "429: slow down" };
    const { progress, transcript } = read(failed, retry, failed, { type: "agent_settled" });
    const { hasSettled, stopReason, errorMessage } = progress;
    assert.deepEqual([hasSettled, stopReason, errorMessage], [true, "error", "429: slow down"]);
    assert.equal(transcript, "[error] 429: slow down\n[retry 1 of 3] 429: slow down\n[error] 429: slow down\n");
    assert.deepEqual(read(failed, answer("again")).progress.errorMessage, undefined);
  });

  test("that goes on after it had settled has not settled", () => {
    assert.equal(read({ type: "agent_settled" }, { type: "agent_start" }).progress.hasSettled, false);
  });

  test("compactions and tools that ask a model cost too", () => {
    const compaction = { type: "compaction_end", result: { summary: "s", usage: USAGE } };
    const tool = { type: "message_end", message: { role: "toolResult", usage: USAGE } };
    const { progress, transcript } = read(compaction, tool, { type: "compaction_end", aborted: true });
    assert.deepEqual([progress.costUsd, progress.inputTokens, progress.stopReason], [0.5, 200, undefined]);
    assert.equal(transcript, "[compaction]\n[compaction]\n");
  });

  test("failed tools are told, long arguments are cut", () => {
    const started = { ...TOOL, args: { text: "x".repeat(1_000) } };
    const { transcript } = read(started, { type: "tool_execution_end", toolName: "bash", isError: true });
    assert.match(transcript, /^\[tool\] bash \{"text":"x{280,300}…\n\[tool\] bash failed\n$/);
  });

  const strange: readonly [string, object | string][] = [
    ["an empty line", ""],
    ["a number", "17"],
    ["null", "null"],
    ["a list", "[]"],
    ["no type", "{}"],
    ["an unknown type", { type: "x_y" }],
    ["no message", { type: "message_end" }],
    ["a message that is none", { type: "message_end", message: 3 }],
    ["no usage", answer("", { usage: undefined })],
    ["strange usage", answer("", { usage: { input: "7", cost: null, output: -1 } })],
  ];
  for (const [name, line] of strange) {
    test(`${name} costs nothing`, () => {
      const { inputTokens, outputTokens, costUsd, finalText } = read(line).progress;
      assert.deepEqual([inputTokens, outputTokens, costUsd, finalText], [0, 0, 0, ""]);
    });
  }

  const contents: readonly [unknown, string][] = [
    ["plain", "plain"],
    [7, ""],
    [undefined, ""],
    [[null, 3, { type: "text" }, { type: "text", text: 3 }], ""],
    [[{ type: "text", text: "a" }, { type: "toolCall" }, { type: "text", text: "b" }], "ab"],
  ];
  for (const [content, text] of contents) {
    test(`the text of ${JSON.stringify(content)} is "${text}"`, () => {
      assert.equal(read(answer("", { content })).progress.finalText, text);
    });
  }

  test("what is no event is shown", () => {
    assert.equal(read("a warning", "17", "{broken").transcript, "a warning\n17\n{broken\n");
  });

  test("a line is as long as its line feed says, whatever else separates lines", () => {
    const text = "one\u2028two\u2029three\u0085four\rfive";
    assert.equal(read(answer(text)).progress.finalText, text);
  });

  test("a line that is too long is dropped, and the next one read", () => {
    const { progress, transcript } = read(answer("x".repeat(9_000_000)), answer("short"));
    assert.deepEqual([progress.finalText, progress.inputTokens], ["short", 100]);
    assert.equal(transcript, "[a longer event than is read]\nshort\n");
  });

  test("the pieces in which it comes make no difference", () => {
    const events = [SESSION, TOOL, answer("größe € 🙂"), "no event", { type: "agent_settled" }];
    const bytes = Buffer.from(events.map(toLine).join(""));
    const whole = read(...events);
    forEachSeed(50, (random) => {
      const stream = new AgentStream();
      let transcript = "";
      for (let at = 0; at < bytes.length;) {
        const size = random.int(1, random.pick([2, 40]));
        transcript += stream.push(bytes.subarray(at, at + size));
        at += size;
      }
      assert.deepEqual([stream.progress, transcript], [whole.progress, whole.transcript]);
    });
  });

  test("nothing is no progress", () => assert.deepEqual(new AgentStream().progress, NO_PROGRESS));
});
