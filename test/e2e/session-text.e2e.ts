/** A session file that the real pi has written -> its text. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readSession } from "../../src/core/session-text.ts";
import { startFakeLlm } from "../support/fake-llm.ts";
import { makePiHome, runPi } from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";

test("what was said to the real pi, and what it said", async (t) => {
  const install = installPi();
  if (typeof install === "string") return t.skip(install);
  const llm = await startFakeLlm();
  t.after(() => llm.close());
  llm.reply = ({ number }) =>
    number === 1
      ? { text: "Let me look.", toolCalls: [{ name: "bash", args: { command: "echo from-the-tool" } }] }
      : { text: "It says so.\n\n```ts\nconst a = 1;\n```" };
  const home = makePiHome(t, install, llm.url);
  const { exitCode, err } = await runPi(home, ["-p", "--name", "My talk", "What does echo say?"]);
  assert.equal(exitCode, 0, err);
  const [path] = globSync(join(home.home, ".pi/agent/sessions/**/*.jsonl"));
  const file = readFileSync(path!, "utf8");
  const session = readSession(file, { withToolOutput: false });
  const said = [
    "User\n\nWhat does echo say?",
    "Assistant\n\nLet me look.",
    "Assistant\n\nIt says so.\n\n```ts\nconst a = 1;\n```",
  ];
  assert.equal(session.text, said.map((section) => `## ${section}\n`).join("\n"));
  assert.deepEqual([session.title, session.cwd, session.damagedLines], ["My talk", home.cwd, 0]);
  assert.ok(path!.includes(session.sessionId) && session.startedMs !== undefined);
  assert.match(readSession(file, { withToolOutput: true }).text, /## Output of bash\n\nfrom-the-tool\n/);
});
