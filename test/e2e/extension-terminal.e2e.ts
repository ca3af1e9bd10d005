/** The extension in pi's terminal: what a person types and sees. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startBadServer } from "../support/bad-servers.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { type FakeLlm, startFakeLlm } from "../support/fake-llm.ts";
import { EXTENSION, type PiHome, makePiHome } from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";
import { findTerminal, startTerminal } from "../support/pi-terminal.ts";
import { scrape } from "../support/scrape.ts";
import { until } from "../support/tally.ts";

const install = installPi();
const skip = typeof install === "string" ? install : (findTerminal() ?? false);

/** Says in the footer when pi is ready for what is typed. */
const READY = `export default (pi) => {
  pi.on("session_start", (event, ctx) => setTimeout(() => ctx.ui.setStatus("ready", "ready-" + event.reason), 200));
};`;

async function stage(t: TestContext): Promise<{ llm: FakeLlm; home: PiHome; extensions: readonly string[] }> {
  assert.ok(typeof install !== "string");
  const llm = await startFakeLlm();
  t.after(() => llm.close());
  llm.reply = ({ number }) => ({ text: `answer-${number}`, usage: { prompt: 1000, completion: 50 } });
  const home = makePiHome(t, install, llm.url);
  const ready = join(home.home, "ready.ts");
  writeFileSync(ready, READY);
  return { llm, home, extensions: ["-e", EXTENSION, "-e", ready] };
}

test("a prompt, /daemon, /new, /reload, /quit, by way of the socket", { skip }, async (t) => {
  const { home, extensions } = await stage(t);
  const daemon = await startTestDaemon(t, { dataDir: join(home.home, ".pi/daemon/data") });
  const pi = startTerminal(t, home, { args: extensions });
  await pi.see("ready-startup");
  pi.type("hello");
  await pi.see("answer-1");
  pi.type("/daemon status");
  await pi.see(/pi-daemon \d+\.\d+\.\d+ at .*daemon\.sock: ok, up for/);
  pi.type("/daemon usage");
  await pi.see(/this session, since pi started: 1000 input, 50 output tokens, \$0\.003[78]/);
  pi.type("/new");
  await pi.see("ready-new");
  pi.type("/reload");
  await pi.see("ready-reload");
  pi.type("again");
  await pi.see("answer-2");
  pi.type("/daemon flush");
  await pi.see("all is sent");
  pi.type("/quit");
  assert.equal(await pi.end(), 0);
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_sessions_started"), 2);
  assert.equal(shown.sum("pi_sessions_ended"), 2);
  assert.equal(shown.count("pi_sessions_started"), 2);
  assert.equal(shown.sum("pi_prompts_total", { source: "interactive" }), 2);
  assert.equal(shown.sum("pi_tokens_total", { type: "input" }), 2000);
  assert.ok(!pi.text().includes("away"), "silent while all is well");
});

test("a hanging daemon: a word in the footer, one notice, and pi goes on", { skip }, async (t) => {
  const { home, extensions } = await stage(t);
  const bad = await startBadServer("hanging");
  t.after(() => bad.close());
  const pi = startTerminal(t, home, {
    args: extensions,
    env: { PI_DAEMON_URL: bad.url.href, PI_DAEMON_TIMEOUT: "100" },
  });
  await pi.see("ready-startup");
  pi.type("hello");
  await pi.see("answer-1");
  pi.type("/daemon flush");
  await pi.see("still wait");
  pi.type("again");
  await pi.see("answer-2");
  // They may have come before or after what was looked for above.
  await until(() => pi.text().includes("pi-daemon takes no metrics at") && pi.text().includes("pi-daemon: away"));
  pi.type("/new");
  await pi.see("ready-new");
  pi.type("/quit");
  assert.equal(await pi.end(), 0);
});
