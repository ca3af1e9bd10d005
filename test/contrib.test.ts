/** The files of `contrib` that no other program here reads: what they say, and that they fit the daemon. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadConfig } from "../src/config.ts";
import { pluginSchemas } from "../src/daemon.ts";
import { pluginTable } from "../src/plugins/index.ts";
import { parsePlist } from "./support/plist.ts";

const CONTRIB = join(import.meta.dirname, "../contrib");
const read = (name: string): string => readFileSync(join(CONTRIB, name), "utf8");
const plist = read("com.pi-daemon.plist");

describe("com.pi-daemon.plist", () => {
  test("says what launchd is to do", () => {
    const { ProgramArguments, KeepAlive, RunAtLoad, Label } = parsePlist(plist) as Record<string, unknown>;
    assert.deepEqual(
      { KeepAlive, RunAtLoad, Label },
      { KeepAlive: { SuccessfulExit: false }, RunAtLoad: true, Label: "com.pi-daemon" },
    );
    assert.deepEqual(ProgramArguments, [
      "/bin/sh",
      "-c",
      'exec "$@" start --foreground --log-file "$HOME/.pi/daemon/logs/daemon.log"',
      "sh",
      "/usr/bin/env",
      "pi-daemon",
    ]);
  });

  test("Python's own reader reads the same", (t) => {
    const { status, stdout, stderr, error } = spawnSync(
      "python3",
      ["-c", "import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))"],
      { input: plist, encoding: "utf8" },
    );
    if (error !== undefined) return t.skip("python3 is not installed");
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), parsePlist(plist));
    return undefined;
  });

  test("is found damaged without any one of its tags", () => {
    const tags = [...plist.matchAll(/<\/?(?!!|\?)[^>]*>/g)];
    assert.ok(tags.length > 40);
    for (const { 0: tag, index } of tags) {
      const damaged = plist.slice(0, index) + plist.slice(index + tag.length);
      // The example in the comment is no tag of the document.
      assert.throws(() => parsePlist(damaged), SyntaxError, `without ${tag} at ${index}`);
    }
  });

  test("has its own commands in a comment that stays one", () => {
    for (const [, comment] of plist.matchAll(/<!--([^]*?)-->/g)) assert.doesNotMatch(comment!, /--/);
  });
});

/** A number that a source file gives a name. */
function constant(file: string, name: string): number {
  const found = new RegExp(`^const ${name} = ([\\d_]+);`, "m").exec(
    readFileSync(join(import.meta.dirname, "../src", file), "utf8"),
  );
  assert.ok(found, `src/${file} has no constant ${name} any more: take it from where it is now`);
  return Number(found[1]!.replaceAll("_", ""));
}

describe("the units", () => {
  const units = ["pi-daemon.service", "pi-daemon-user.service"];
  /** The value of a setting that stands once. */
  const setting = (unit: string, name: string): string | undefined =>
    new RegExp(`^${name}=(.*)$`, "m").exec(read(unit))?.[1];

  for (const unit of units) {
    test(`${unit} waits for the daemon, reloads it by SIGHUP, ends it first and does not loop`, () => {
      assert.equal(setting(unit, "Type"), "exec");
      assert.match(setting(unit, "ExecStartPost")!, /^\/bin\/sh -c 'until "\$\$@" status /);
      assert.equal(setting(unit, "ExecReload"), "/bin/kill -HUP $MAINPID");
      assert.equal(setting(unit, "RestartPreventExitStatus"), "78");
      assert.equal(setting(unit, "KillMode"), "mixed");
      assert.equal(setting(unit, "Restart"), "on-failure");
    });
  }

  test("a stop has time for the drain and for every plugin, one after the other", async () => {
    const loaded = loadConfig({ env: {}, home: "/nowhere", uid: undefined, pluginSchemas });
    assert.ok(loaded.ok);
    const pluginStopMs = constant("plugin-set.ts", "STOP_WITHIN_MS");
    const { stopGraceMs } = loaded.config["jobs"] as { stopGraceMs: number };
    const jobsStopMs = stopGraceMs + constant("plugins/jobs/index.ts", "KILL_MS");
    const longestMs = loaded.config.server.drainTimeoutMs + pluginStopMs * (pluginTable.length - 1) + jobsStopMs;
    for (const unit of units)
      assert.ok(Number(setting(unit, "TimeoutStopSec")) * 1000 >= longestMs + 5000, `${unit}: ${longestMs} ms`);
    assert.ok((parsePlist(plist) as { ExitTimeOut: number }).ExitTimeOut * 1000 >= longestMs + 5000);
  });

  test("the config of the service is a good one, with nothing that says otherwise than the defaults", () => {
    const loaded = loadConfig({
      configPath: join(CONTRIB, "pi-daemon.json"),
      env: {},
      home: "/nowhere",
      uid: process.getuid?.(),
      pluginSchemas,
    });
    assert.ok(loaded.ok, JSON.stringify(loaded));
    const defaults = loadConfig({ env: {}, home: "/nowhere", uid: undefined, pluginSchemas });
    assert.ok(defaults.ok);
    assert.deepEqual({ ...loaded.config, jobs: null }, { ...defaults.config, jobs: null });
  });
});

test("everything in contrib is told of in the README", () => {
  const readme = readFileSync(join(CONTRIB, "../README.md"), "utf8");
  for (const name of readdirSync(CONTRIB))
    assert.ok(readme.includes(`contrib/${name}`) || readme.includes(`\`${name}\``), name);
});

test("the README answers a newcomer's questions in their order", () => {
  const readme = readFileSync(join(CONTRIB, "../README.md"), "utf8");
  assert.deepEqual(
    [...readme.matchAll(/^## (.*)$/gm)].map(([, title]) => title),
    [
      "Start",
      "A first metric",
      "Prometheus",
      "Metric types",
      "pi extension",
      "Scheduled jobs",
      "Knowledge",
      "Config",
      "API",
      "Command line",
      "As a service",
      "Security",
      "Performance",
      "Limits",
      "License",
    ],
  );
});
