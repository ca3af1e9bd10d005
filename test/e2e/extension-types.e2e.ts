/** The shapes that the extension assumes of pi, against pi's own declarations, by the compiler. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { installPi } from "../support/pi-install.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");
const install = installPi();
const skip = typeof install === "string" ? install : existsSync(COMPILER) ? false : "needs the compiler: npm ci";

const HEAD = `
import type * as real from "@earendil-works/pi-coding-agent";
import type { AssistantMessage, ToolResultMessage } from "@earendil-works/pi-ai";
import type * as own from "${ROOT}/src/extension/pi.ts";
import piDaemon from "${ROOT}/src/extension/index.ts";

type Fits<Real, Own> = [Real] extends [Own] ? true : { realLacks: Own };
type Entry<T extends string> = Extract<real.SessionEntry, { type: T }>;
`;

const EVENTS = {
  session_start: "SessionStartEvent",
  session_shutdown: "SessionShutdownEvent",
  session_before_compact: "SessionBeforeCompactEvent",
  session_compact: "SessionCompactEvent",
  session_compact_failed: "SessionCompactFailedEvent",
  session_tree: "SessionTreeEvent",
  input: "InputEvent",
  agent_start: "AgentStartEvent",
  agent_settled: "AgentSettledEvent",
  turn_start: "TurnStartEvent",
  message_end: "MessageEndEvent",
  tool_execution_start: "ToolExecutionStartEvent",
  tool_execution_end: "ToolExecutionEndEvent",
  ui_prompt_start: "UIPromptStartEvent",
  ui_prompt_end: "UIPromptEndEvent",
} as const;

const eventChecks = Object.entries(EVENTS).map(
  ([name, type]) =>
    `export const ${name}: Fits<Extract<real.ExtensionEvent, { type: "${name}" }>, own.PiEvents["${name}"]> = true; // ${type}`,
);

const GOOD = `${HEAD}
export const factory: real.ExtensionFactory = piDaemon;
export const context: Fits<real.ExtensionContext, own.PiContext> = true;
export const commandContext: Fits<real.ExtensionCommandContext, own.PiContext> = true;
export const api: Fits<real.ExtensionAPI, own.Pi> = true;
export const command: Fits<own.PiCommand, Parameters<real.ExtensionAPI["registerCommand"]>[1]> = true;
export const tool: Fits<own.PiTool, Parameters<real.ExtensionAPI["registerTool"]>[0]> = true;
export const toolAnswer: Fits<own.PiToolResult, real.AgentToolResult<unknown>> = true;
export const assistant: Fits<AssistantMessage, own.PiAssistantMessage> = true;
export const toolResult: Fits<ToolResultMessage, own.PiToolResultMessage> = true;
export const compaction: Fits<Entry<"compaction">, own.PiCompactionEntry> = true;
export const usage: Fits<Entry<"usage">, own.PiUsageEntry> = true;
export const allEvents: Fits<keyof own.PiEvents, ${Object.keys(EVENTS)
  .map((name) => `"${name}"`)
  .join(" | ")}> = true;
${eventChecks.join("\n")}
`;

/** What must not pass: proof that the checks above can fail. */
const BAD = `${HEAD}
export const wrongField: Fits<Extract<real.ExtensionEvent, { type: "session_start" }>, { reason: number }> = true;
export const missingField: Fits<real.ExtensionContext, { noSuchThing: string }> = true;
export const missingEntry: Fits<Entry<"usage">, { noSuchThing: string }> = true;
export const wrongFactory: real.ExtensionFactory = (pi: { noSuchThing: string }) => void pi;
`;

test("the extension fits pi's declarations", { skip }, (t) => {
  assert.ok(typeof install !== "string");
  const folder = tempDir(t);
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  writeFileSync(join(folder, "good.ts"), GOOD);
  writeFileSync(join(folder, "bad.ts"), BAD);
  const modules = join(install.folder, "node_modules");
  const declarations = (name: string): string[] => [join(modules, name, "dist/index.d.ts")];
  const compilerOptions = {
    noEmit: true,
    rewriteRelativeImportExtensions: false,
    noUnusedLocals: false,
    typeRoots: [join(ROOT, "node_modules/@types")],
    paths: {
      "@earendil-works/pi-coding-agent": declarations("@earendil-works/pi-coding-agent"),
      "@earendil-works/pi-ai": declarations("@earendil-works/pi-ai"),
    },
  };
  const config = { extends: join(ROOT, "tsconfig.json"), compilerOptions, files: ["good.ts", "bad.ts"], include: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { stdout, stderr } = spawnSync(process.execPath, [COMPILER, "-p", folder], { encoding: "utf8", cwd: folder });
  assert.equal(stderr, "");
  const errors = stdout.split("\n").filter((line) => /error TS/.test(line));
  assert.deepEqual(
    errors.filter((line) => !line.startsWith("bad.ts")),
    [],
  );
  assert.deepEqual(
    errors.map((line) => /^bad\.ts\((\d+)/.exec(line)?.[1]),
    ["10", "11", "12", "13"],
    stdout,
  );
});
