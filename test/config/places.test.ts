import { test } from "node:test";
import assert from "node:assert/strict";
import { defaultDataDir, defaultLogFile, listConfigPlaces } from "../../src/config/places.ts";

const home = "/home/ada";
const OF_HOME = ["/home/ada/.pi/daemon/config.json", "home directory", false];

for (const [name, configPath, env, expected] of [
  ["nothing is said", undefined, {}, [OF_HOME]],
  ["--config", "/x/y.json", { PI_DAEMON_CONFIG: "/z.json" }, [["/x/y.json", "--config", true]]],
  ["--config, relative", "y.json", {}, [[`${process.cwd()}/y.json`, "--config", true]]],
  [
    "PI_DAEMON_CONFIG",
    undefined,
    { PI_DAEMON_CONFIG: "~/z.json", CONFIGURATION_DIRECTORY: "/etc/p" },
    [["/home/ada/z.json", "PI_DAEMON_CONFIG", true]],
  ],
  ["PI_DAEMON_CONFIG, empty", undefined, { PI_DAEMON_CONFIG: "" }, [OF_HOME]],
  [
    "CONFIGURATION_DIRECTORY",
    undefined,
    { CONFIGURATION_DIRECTORY: "/etc/p" },
    [["/etc/p/config.json", "CONFIGURATION_DIRECTORY", false], OF_HOME],
  ],
  [
    "two CONFIGURATION_DIRECTORY",
    undefined,
    { CONFIGURATION_DIRECTORY: "/etc/p:/etc/q" },
    [["/etc/p/config.json", "CONFIGURATION_DIRECTORY", false], OF_HOME],
  ],
] as const) {
  test(`the config file: ${name}`, () => {
    const places = listConfigPlaces({ configPath, env, home });
    assert.deepEqual(
      places.map(({ path, from, isExplicit }) => [path, from, isExplicit]),
      expected,
    );
  });
}

test("the data directory: systemd's, else below the home directory", () => {
  assert.equal(defaultDataDir({}), "~/.pi/daemon/data");
  assert.equal(defaultDataDir({ STATE_DIRECTORY: "" }), "~/.pi/daemon/data");
  assert.equal(defaultDataDir({ STATE_DIRECTORY: "/var/lib/p:/var/lib/q" }), "/var/lib/p");
});

test("the log file: systemd's directory, else below the home directory", () => {
  assert.equal(defaultLogFile({ env: {}, home }), "/home/ada/.pi/daemon/logs/daemon.log");
  assert.equal(defaultLogFile({ env: { LOGS_DIRECTORY: "/var/log/p" }, home }), "/var/log/p/daemon.log");
});
