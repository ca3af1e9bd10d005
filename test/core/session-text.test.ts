import assert from "node:assert/strict";
import { test } from "node:test";
import { readSession } from "../../src/core/session-text.ts";

const timestamp = "2024-12-03T14:00:00.000Z";
const said = (role: string, content: unknown, more: object = {}) => ({
  type: "message",
  id: "a",
  parentId: null,
  timestamp,
  message: { role, content, ...more },
});
const text = (words: string) => [{ type: "text", text: words }];
const file = (...entries: readonly object[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
const HEADER = { type: "session", version: 3, id: "s-1", timestamp, cwd: "/home/me/work" };

const SESSION = file(
  HEADER,
  said("system", "", { sections: { preamble: "You are" } }),
  said("user", [
    { type: "text", text: "  Why does it fail?\nSee the log." },
    { type: "image", data: "AAAA", mimeType: "image/png" },
  ]),
  said("assistant", [
    { type: "thinking", thinking: "hm" },
    { type: "text", text: "Let me look." },
    { type: "toolCall", id: "c1", name: "read", arguments: { path: "x" } },
  ]),
  said("toolResult", text("line 1\nline 2"), { toolName: "read" }),
  { type: "compaction", id: "f", summary: "It failed because of x.", firstKeptEntryId: "a", tokensBefore: 5 },
  { type: "branch_summary", id: "g", summary: "Tried y.", fromId: "f" },
  { type: "custom", id: "h", customType: "mine", data: { secret: 1 } },
  { type: "custom_message", id: "i", customType: "mine", content: "Injected" },
  said("bashExecution", undefined, { command: "ls -l", output: "total 0" }),
  said("assistant", text("   ")),
  said("assistant", text("Done."), { stopReason: "stop" }),
);

test("what was said, with summaries and without tool output", () => {
  const session = readSession(SESSION, { withToolOutput: false });
  const expected = [
    "## User\n\nWhy does it fail?\nSee the log.\n",
    "## Assistant\n\nLet me look.\n",
    "## Summary\n\nIt failed because of x.\n",
    "## Summary of a branch\n\nTried y.\n",
    "## Command\n\nls -l\n",
    "## Assistant\n\nDone.\n",
  ].join("\n");
  const startedMs = Date.UTC(2024, 11, 3, 14);
  assert.deepEqual(session, {
    sessionId: "s-1",
    cwd: "/home/me/work",
    startedMs,
    title: "Why does it fail?",
    text: expected,
    damagedLines: 0,
  });
});

test("tool output when it is asked for", () => {
  const { text } = readSession(SESSION, { withToolOutput: true });
  assert.match(text, /## Output of read\n\nline 1\nline 2\n/);
  assert.match(text, /## Output of the command\n\ntotal 0\n/);
  assert.doesNotMatch(text, /Injected|hm|AAAA|You are/);
});

test("the name that a person gave it is its title; a long first message is cut", () => {
  const named = file(
    HEADER,
    said("user", "a"),
    { type: "session_info", name: " Fix auth \n" },
    { type: "session_info", name: "" },
  );
  assert.equal(readSession(named, { withToolOutput: false }).title, "Fix auth");
  const { title } = readSession(file(HEADER, said("user", "long ".repeat(100))), { withToolOutput: false });
  assert.ok(title!.length <= 120 && title!.endsWith("long\u2026"), title);
});

test("a code block that was left open ends with its message", () => {
  const talk = [
    said("user", "see\n```ts\nconst a = 1;"),
    said("user", "```\nwhole\n```"),
    said("user", "~~~~\n```\n~~~"),
    said("user", "end"),
  ];
  const { text } = readSession(file(HEADER, ...talk), { withToolOutput: false });
  const sections = ["see\n```ts\nconst a = 1;\n```", "```\nwhole\n```", "~~~~\n```\n~~~\n~~~~", "end"];
  assert.equal(text, sections.map((section) => `## User\n\n${section}\n`).join("\n"));
});

test("damaged lines are counted; a torn last line is not there yet, a whole one is", () => {
  const good = file(HEADER, said("user", "one"));
  const odd = file({ type: "message" }, said("user", [null, { type: "text" }]), said("user", 7));
  const damaged = `${good}{"type":\n\n[1]\n7\nnull\n${odd}`;
  const session = readSession(`${damaged}${JSON.stringify(said("user", "two"))}`, { withToolOutput: false });
  assert.equal(session.damagedLines, 4);
  assert.equal(session.text, "## User\n\none\n\n## User\n\ntwo\n");
  const torn = readSession(`${good}{"type":"message","mess`, { withToolOutput: false });
  assert.equal(torn.damagedLines, 0);
  const nothing = { sessionId: "", cwd: "", startedMs: undefined, title: undefined, text: "", damagedLines: 0 };
  assert.deepEqual(readSession("", { withToolOutput: false }), nothing);
  assert.deepEqual(readSession('{"__proto__":{"type":"session"},"id":7}\n', { withToolOutput: false }), nothing);
});
