/** What launchd would run, run without it: the arguments and the environment of the property list, as an install fits it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fitPlist } from "../../src/cli/service-unit.ts";
import { PROGRAM } from "../support/command-line.ts";
import { freePort } from "../support/free-port.ts";
import { parsePlist } from "../support/plist.ts";
import { tempDir } from "../support/temp-dir.ts";

const TEMPLATE = join(import.meta.dirname, "../../contrib/com.pi-daemon.plist");

test("the arguments of the property list start a daemon that logs to its file, and ends in order", async (t) => {
  const home = join(tempDir(t), "a home & garden");
  mkdirSync(join(home, ".pi/daemon"), { recursive: true, mode: 0o700 });
  const port = await freePort();
  const config = { server: { port }, dataDir: join(home, "data") };
  const configPath = join(home, "my config.json");
  writeFileSync(configPath, JSON.stringify(config), { mode: 0o600 });
  const plist = fitPlist(readFileSync(TEMPLATE, "utf8"), { words: PROGRAM, configPath });
  const { ProgramArguments, EnvironmentVariables, Label } = parsePlist(plist) as {
    ProgramArguments: string[];
    EnvironmentVariables: Record<string, string>;
    Label: string;
  };

  const env = { ...EnvironmentVariables, HOME: home, XPC_SERVICE_NAME: Label };
  const child = spawn(ProgramArguments[0]!, ProgramArguments.slice(1), { env, stdio: "ignore" });
  t.after(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit");
  const health = async (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  const giveUpAtMs = performance.now() + 30_000;
  while (!(await health())) {
    assert.ok(performance.now() < giveUpAtMs && child.exitCode === null, "it does not answer");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const log = join(home, ".pi/daemon/logs/daemon.log");
  assert.match(
    readFileSync(log, "utf8"),
    new RegExp(`"pid":${child.pid}\\b`),
    "no shell stands between launchd and the daemon",
  );
  assert.equal(statSync(log).mode & 0o777, 0o600);

  child.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null], "a stop is no failure, after which launchd would start it again");
  assert.match(readFileSync(log, "utf8"), /"stopped"/);
});
