import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type LoadedConfig, loadConfig } from "../../src/extension/config.ts";
import { tempDir } from "../support/temp-dir.ts";

function load(t: TestContext, content: unknown, env: Readonly<Record<string, string>> = {}): LoadedConfig {
  const path = join(tempDir(t), "config.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 });
  return loadConfig({ PI_DAEMON_CLIENT_CONFIG: path, ...env });
}

/** A setting, wherever it stands. */
function read({ config }: LoadedConfig, path: string): unknown {
  const value = path.split(".").reduce<unknown>((below, key) => (below as Record<string, unknown>)[key], config);
  return value instanceof URL ? value.href : value;
}

const DEFAULTS: Readonly<Record<string, unknown>> = {
  daemonUrl: undefined,
  token: undefined,
  maxBufferSize: 50,
  maxQueuedSamples: 10_000,
  flushIntervalMs: 5000,
  requestTimeoutMs: 2000,
  enabled: true,
  footer: true,
  "metrics.compaction": true,
  "metrics.sessions": true,
  "metrics.usage": true,
  "metrics.turns": true,
  "metrics.tools": true,
  "metrics.context": true,
  "labels.session": false,
  "labels.project": false,
  "knowledge.search": true,
  "knowledge.add": false,
  "knowledge.tokens": 2000,
  "knowledge.timeoutMs": 2000,
};

test("an empty file stands for the defaults", (t) => {
  const loaded = load(t, {});
  assert.deepEqual(loaded.problems, []);
  for (const [path, value] of Object.entries(DEFAULTS)) assert.equal(read(loaded, path), value, path);
});

test("the documented example is taken as it stands", (t) => {
  const loaded = load(t, {
    daemonUrl: "http://127.0.0.1:9876",
    auth: { token: "your-token" },
    maxBufferSize: 50,
    flushIntervalMs: 5000,
    requestTimeoutMs: 2000,
    enabled: true,
    metrics: { compaction: true, sessions: true },
  });
  assert.deepEqual(loaded.problems, []);
  assert.equal(read(loaded, "daemonUrl"), "http://127.0.0.1:9876/");
  assert.equal(loaded.config.token, "your-token");
});

test("environment over file over defaults, value by value", (t) => {
  const file = { daemonUrl: "http://file:1", auth: { token: "file" }, maxBufferSize: 7, metrics: { sessions: false } };
  const env = { PI_DAEMON_URL: "https://env:2", PI_DAEMON_TOKEN: "env", PI_DAEMON_TIMEOUT: "300" };
  const loaded = load(t, file, env);
  assert.deepEqual(loaded.problems, []);
  const { config } = loaded;
  assert.equal(config.daemonUrl?.href, "https://env:2/");
  assert.equal(config.token, "env");
  assert.equal(config.maxBufferSize, 7);
  assert.equal(config.requestTimeoutMs, 300);
  assert.equal(config.flushIntervalMs, 5000);
  assert.deepEqual(config.metrics, {
    compaction: true,
    sessions: false,
    usage: true,
    turns: true,
    tools: true,
    context: true,
  });
});

const variables: readonly (readonly [variable: string, text: string, path: string, value: unknown])[] = [
  ["PI_DAEMON_URL", "http://h:1/", "daemonUrl", "http://h:1/"],
  ["PI_DAEMON_TOKEN", "t", "token", "t"],
  ["PI_DAEMON_BUFFER_SIZE", "3", "maxBufferSize", 3],
  ["PI_DAEMON_FLUSH_INTERVAL", "30", "flushIntervalMs", 30],
  ["PI_DAEMON_TIMEOUT", "40", "requestTimeoutMs", 40],
  ["PI_DAEMON_ENABLED", "false", "enabled", false],
  ["PI_DAEMON_ENABLED", "0", "enabled", false],
  ["PI_DAEMON_ENABLED", "true", "enabled", true],
  ["PI_DAEMON_ENABLED", "", "enabled", true],
];
for (const [variable, text, path, value] of variables) {
  test(`${variable}=${text} sets ${path}`, (t) => assert.equal(read(load(t, {}, { [variable]: text }), path), value));
}

const WRONG = ["null", "[]", "{}", '""', '"two words"', "-1", "0", "1.5", "1e999", '"true"', "1099511627776"];
for (const path of ["daemonUrl", "auth.token", ...Object.keys(DEFAULTS).slice(2)]) {
  test(`${path}: a wrong value is ignored, said once, and the default holds`, (t) => {
    const setting = path === "auth.token" ? "token" : path;
    for (const value of WRONG) {
      if (setting === "token" && value === '"true"') continue;
      const [group, key] = path.split(".") as [string, string?];
      const loaded = load(t, key ? `{"${group}": {"${key}": ${value}}}` : `{"${group}": ${value}}`);
      assert.equal(read(loaded, setting), DEFAULTS[setting], value);
      assert.equal(loaded.problems.length, 1, value);
      assert.match(loaded.problems[0]!, new RegExp(`^${path}: expected `));
    }
  });
}

const wrongUrls = [
  "127.0.0.1:9876",
  "ftp://h",
  "http://",
  "http://u:p@h",
  "http://h/?q",
  "http://h/#f",
  "javascript:1",
];
for (const url of wrongUrls) {
  test(`${url} is no URL of a daemon`, (t) => assert.equal(load(t, { daemonUrl: url }).config.daemonUrl, undefined));
}

test("a wrong variable counts as absent: what the file says holds", (t) => {
  const loaded = load(t, { maxBufferSize: 9 }, { PI_DAEMON_BUFFER_SIZE: "many" });
  assert.equal(loaded.config.maxBufferSize, 9);
  assert.deepEqual(loaded.problems, ['PI_DAEMON_BUFFER_SIZE: expected an integer from 1 to 10000, got "many"']);
});

test("secrets are never shown", (t) => {
  const { problems } = load(
    t,
    { auth: { token: "geh eim\n" }, daemonUrl: "http://me:geheim@h" },
    { PI_DAEMON_TOKEN: "geh eim" },
  );
  assert.equal(problems.length, 3);
  assert.doesNotMatch(problems.join(), /geh/);
});

test("keys that mean nothing are named", (t) => {
  const { problems } = load(
    t,
    '{"maxBuffer": 1, "metrics": {"tool": true}, "labels": 5, "__proto__": {"enabled": false}}',
  );
  assert.deepEqual(problems, [
    "maxBuffer is no setting",
    "metrics.tool is no setting",
    "labels: expected an object",
    "__proto__ is no setting",
  ]);
});

const files: readonly (readonly [what: string, make: (path: string) => void, problem: RegExp | undefined])[] = [
  ["missing, though named", () => undefined, /not used: ENOENT/],
  ["empty", (path) => writeFileSync(path, "", { mode: 0o600 }), /it is not JSON/],
  ["cut off", (path) => writeFileSync(path, '{"enabled": fal', { mode: 0o600 }), /it is not JSON/],
  ["bytes", (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0, 1]), { mode: 0o600 }), /it is not JSON/],
  ["no object", (path) => writeFileSync(path, "[]", { mode: 0o600 }), /does not hold a JSON object/],
  ["null", (path) => writeFileSync(path, "null", { mode: 0o600 }), /does not hold a JSON object/],
  ["nested deeply", (path) => writeFileSync(path, "[".repeat(30_000), { mode: 0o600 }), /it is not JSON/],
  ["too large", (path) => writeFileSync(path, " ".repeat(70_000), { mode: 0o600 }), /larger than/],
  ["a directory", (path) => mkdirSync(path), /not a file/],
  ["writable by others", (path) => (writeFileSync(path, "{}"), chmodSync(path, 0o622)), /others can write it/],
  ["with a byte order mark", (path) => writeFileSync(path, "\uFEFF{}", { mode: 0o600 }), undefined],
  ["readable by others, without a token", (path) => writeFileSync(path, "{}", { mode: 0o644 }), undefined],
];
for (const [what, make, problem] of files) {
  test(`a file that is ${what}`, (t) => {
    const path = join(tempDir(t), "config.json");
    make(path);
    const { config, problems } = loadConfig({ PI_DAEMON_CLIENT_CONFIG: path });
    assert.equal(config.maxBufferSize, 50);
    if (problem) assert.match(problems.join(), problem);
    else assert.deepEqual(problems, []);
  });
}

test("a named pipe does not hold pi up", (t) => {
  const path = join(tempDir(t), "pipe");
  execFileSync("mkfifo", [path]);
  assert.match(loadConfig({ PI_DAEMON_CLIENT_CONFIG: path }).problems.join(), /not a file/);
});

test("a device does not either", () => {
  assert.match(loadConfig({ PI_DAEMON_CLIENT_CONFIG: "/dev/zero" }).problems.join(), /not a file/);
});

test("somebody else's file is not used", (t) => {
  if (process.getuid?.() !== 0) return t.skip("only root can give a file away");
  const path = join(tempDir(t), "config.json");
  writeFileSync(path, '{"maxBufferSize": 1}', { mode: 0o600 });
  chownSync(path, 12_345, 12_345);
  // Root reads what it likes: what root must not trust is what another can change.
  const { config, problems } = loadConfig({ PI_DAEMON_CLIENT_CONFIG: path });
  assert.equal(config.maxBufferSize, 50);
  assert.match(problems.join(), /belongs to somebody else/);
});

test("a token that others can read is warned of", (t) => {
  const path = join(tempDir(t), "config.json");
  writeFileSync(path, '{"daemonUrl": "http://localhost:1", "auth": {"token": "x"}}');
  chmodSync(path, 0o644);
  const { config, problems } = loadConfig({ PI_DAEMON_CLIENT_CONFIG: path });
  assert.equal(config.token, "x");
  assert.match(problems.join(), /others can read the token/);
});

test("a token without a daemonUrl goes nowhere, and this is said", (t) => {
  assert.match(load(t, { auth: { token: "x" } }).problems.join(), /the token is not used/);
});

const journeys = [
  ["http://127.0.0.1:9876", false],
  ["http://127.1.2.3:9876", false],
  ["http://[::1]:9876", false],
  ["http://localhost", false],
  ["https://daemon.example", false],
  ["http://daemon.example", true],
  ["http://192.168.1.1:9876", true],
] as const;
for (const [daemonUrl, isWarned] of journeys) {
  test(`a token on its way to ${daemonUrl} is ${isWarned ? "" : "not "}warned of`, (t) => {
    assert.equal(
      load(t, { daemonUrl, auth: { token: "x" } })
        .problems.join()
        .includes("unencrypted"),
      isWarned,
    );
  });
}
