/**
 * Every command of the README, run as a newcomer would: in a copy of the checkout, with a home directory of its own, one block after
 * the other. Only the port differs, so that a daemon of this machine is left alone. Those of the service are run in a machine of
 * their own: service-readme.e2e.ts.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-port.ts";
import { readReadmeCommands } from "../support/readme-commands.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Sections whose commands another test runs, because they change the machine. */
const RUN_ELSEWHERE = new Map([["As a service", "service-readme.e2e.ts"]]);

/** Commands that cannot or need not run here, and why. */
const NOT_RUN: readonly (readonly [RegExp, string])[] = [
  [/^git clone https:/, "needs the network; the test clones the checkout itself"],
  [/^cd pi-daemon$/, "goes with the clone"],
  [/^npm test\b/, "runs this very suite"],
  [/^npm run dev\b/, "stays in the foreground; tested with the launcher"],
];

/** Exit codes that a command of the README rightly ends with. */
const EXPECTED: readonly (readonly [RegExp, number])[] = [];

test("every command of the README runs", async (t) => {
  // Registered before the folder is made, and so run before the folder goes.
  t.after(() => void run("pi-daemon stop"));
  const directory = tempDir(t);
  const home = join(directory, "home");
  // Of a person who has used pi before.
  for (const folder of [".pi/daemon", ".pi/agent/sessions"]) mkdirSync(join(home, folder), { recursive: true });
  const checkout = join(home, "pi-daemon");
  execFileSync("git", ["clone", "--quiet", ROOT, checkout]);
  const port = await freePort();
  writeFileSync(join(home, ".pi/daemon/config.json"), JSON.stringify({ server: { port } }), { mode: 0o600 });
  const bin = join(directory, "bin");
  mkdirSync(bin);
  // As installed from the package, but from the checkout.
  writeFileSync(
    join(bin, "pi-daemon"),
    `#!/bin/sh\nexec "${process.execPath}" --experimental-strip-types --disable-warning=ExperimentalWarning "${checkout}/src/cli.ts" "$@"\n`,
    { mode: 0o755 },
  );
  const env = {
    ...process.env,
    HOME: home,
    PATH: `${bin}:${join(process.execPath, "..")}:${process.env["PATH"]}`,
    NO_COLOR: "1",
  };
  delete (env as Record<string, string | undefined>)["NODE_TEST_CONTEXT"];
  const run = (text: string) =>
    spawnSync("sh", ["-c", text.replaceAll("9876", String(port))], {
      cwd: checkout,
      env,
      encoding: "utf8",
      timeout: 60_000,
    });

  const commands = readReadmeCommands().filter(({ section }) => !RUN_ELSEWHERE.has(section));
  assert.ok(commands.length > 8, `only ${commands.length} commands found`);
  for (const { line, text } of commands) {
    const reason = NOT_RUN.find(([pattern]) => pattern.test(text))?.[1];
    if (reason !== undefined) {
      t.diagnostic(`README line ${line} is not run (${reason}): ${text}`);
      continue;
    }
    // Blocks stop the daemon and later ones want it: a newcomer would start it again.
    if (!/cli\.ts|npm/.test(text)) run("pi-daemon start");
    const { status, stdout, stderr } = run(text.replace(/^curl /, "curl --fail-with-body -sS "));
    const expected = EXPECTED.find(([pattern]) => pattern.test(text))?.[1] ?? 0;
    assert.equal(status, expected, `README line ${line}: ${text}\n${stdout}${stderr}`);
  }
});
