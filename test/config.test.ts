import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import assert from "node:assert/strict";
import {
  type LoadOptions,
  describeConfig,
  diffConfig,
  keepFixed,
  loadConfig,
  redactConfig,
  secretsOf,
} from "../src/config.ts";
import { pluginSchemas } from "../src/daemon.ts";
import { object, string } from "../src/core/validate.ts";
import { samplePlugins } from "./support/plugin-schemas.ts";
import { tempDir } from "./support/temp-dir.ts";

interface Given {
  readonly home: string;
  readonly path: string;
  readonly options: LoadOptions;
}

/** A home directory with this config file in it; without a text, with none. */
function given(t: TestContext, config?: unknown, env: Record<string, string> = {}): Given {
  const home = tempDir(t);
  const path = join(home, ".pi/daemon/config.json");
  mkdirSync(dirname(path), { recursive: true });
  const text = typeof config === "string" ? config : JSON.stringify(config);
  if (config !== undefined) writeFileSync(path, text, { mode: 0o600 });
  return { home, path, options: { env, home, uid: process.getuid?.(), pluginSchemas: samplePlugins } };
}

function load({ options }: Given) {
  const loaded = loadConfig(options);
  return loaded.ok ? loaded : assert.fail(JSON.stringify(loaded.issues, null, 1));
}

/** The issues as lines, `path: message`. */
function faults({ options }: Given): string[] {
  const loaded = loadConfig(options);
  if (loaded.ok) assert.fail("the config was taken");
  return loaded.issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("without a file there are the defaults", (t) => {
  const there = given(t);
  const { config, source, warnings } = load(there);
  assert.deepEqual(source, { path: there.path, from: "home directory", isExplicit: false, exists: false });
  assert.deepEqual(warnings, []);
  assert.deepEqual(plain(config), {
    server: {
      listenAddress: "127.0.0.1",
      port: 9876,
      maxPayloadSize: 1_048_576,
      allowedHosts: [],
      insecureAllowUnauthenticated: false,
      headerTimeoutMs: 5000,
      requestTimeoutMs: 10_000,
      keepAliveTimeoutMs: 75_000,
      handlerTimeoutMs: 30_000,
      writeTimeoutMs: 30_000,
      drainTimeoutMs: 10_000,
      maxConnections: 512,
      maxHeaderBytes: 16_384,
    },
    plugins: { sample: true, bare: true },
    auth: { enabled: false, token: null, protectReads: false },
    logging: { level: "info", format: "json", file: null, maxBytes: 10_485_760, keep: 5 },
    rateLimit: { requestsPerSecond: 1000, burst: 5000 },
    storage: { durability: "async", maxJournalBytes: 67_108_864, maxBytes: 1_073_741_824 },
    watchdog: { timeoutMs: null },
    dataDir: join(there.home, ".pi/daemon/data"),
    sample: {
      retentionMinutes: 60,
      retentionByType: {},
      buckets: [],
      folder: join(there.home, "sample"),
      webhooks: [],
      limit: 10,
      note: "",
    },
    bare: {},
  });
});

test("the file overrides the defaults key by key", (t) => {
  const { config, source } = load(given(t, { server: { port: 0 }, sample: { limit: 3 }, plugins: { bare: false } }));
  assert.equal(source.exists, true);
  assert.equal(config.server.port, 0);
  assert.equal(config.server.listenAddress, "127.0.0.1");
  assert.deepEqual(plain(config.plugins), { sample: true, bare: false });
  assert.equal((config["sample"] as { limit: number }).limit, 3);
});

test("the config is frozen all the way down", (t) => {
  const { config } = load(given(t, { server: { allowedHosts: ["a"] } }));
  assert.throws(() => ((config.server as { port: number }).port = 1), TypeError);
  assert.throws(() => (config.server.allowedHosts as string[]).push("b"), TypeError);
});

test("a missing file is a fault only when it was asked for by name", (t) => {
  const { options, home } = given(t);
  const asked = loadConfig({ ...options, configPath: join(home, "none.json") });
  const [path, none] = [join(home, "none.json"), { path: "", message: `${join(home, "none.json")} does not exist` }];
  const absent = { path, isExplicit: true, exists: false };
  assert.deepEqual(asked, { ok: false, issues: [none], source: { ...absent, from: "--config" } });
  const named = loadConfig({ ...options, env: { PI_DAEMON_CONFIG: path } });
  assert.deepEqual(named, { ok: false, issues: [none], source: { ...absent, from: "PI_DAEMON_CONFIG" } });
  assert.equal(loadConfig({ ...options, env: { CONFIGURATION_DIRECTORY: home } }).ok, true);
});

test("systemd's directories are used: its config before that of the home directory", (t) => {
  const there = given(t, { server: { port: 1 } });
  const etc = tempDir(t);
  const env = { CONFIGURATION_DIRECTORY: etc, STATE_DIRECTORY: "/var/lib/x" };
  const ofHome = load({ ...there, options: { ...there.options, env } });
  assert.deepEqual([ofHome.config.server.port, ofHome.config.dataDir], [1, "/var/lib/x"]);
  writeFileSync(join(etc, "config.json"), '{"server": {"port": 2}, "dataDir": "data"}', { mode: 0o644 });
  const ofEtc = load({ ...there, options: { ...there.options, env } });
  assert.equal(ofEtc.source.from, "CONFIGURATION_DIRECTORY");
  assert.deepEqual([ofEtc.config.server.port, ofEtc.config.dataDir], [2, join(etc, "data")]);
  assert.deepEqual(ofEtc.warnings, []);
});

test("0 stands for none where the table says so", (t) => {
  const { config } = load(
    given(t, { server: { handlerTimeoutMs: 0, drainTimeoutMs: 0 }, rateLimit: { requestsPerSecond: 0 } }),
  );
  assert.deepEqual(
    [config.server.handlerTimeoutMs, config.server.drainTimeoutMs, config.rateLimit.requestsPerSecond],
    [0, 0, 0],
  );
});

test("all problems are told at once, with path and expectation", (t) => {
  const there = given(t, {
    server: { prot: 1, listenAddress: "a b", requestTimeoutMs: 0 },
    loging: {},
    logging: { level: "verbose" },
    auth: { token: "" },
    dataDir: "",
    plugins: { sampel: true },
    sample: { buckets: [{ match: 5 }] },
  });
  assert.deepEqual(faults(there), [
    'server.prot: unknown key "prot"; did you mean "port"?',
    'server.listenAddress: expected an IP address or a host name, got "a b"',
    "server.requestTimeoutMs: expected an integer from 1 to 2147483647, got 0",
    'loging: unknown key "loging"; did you mean "logging"?',
    'logging.level: expected one of "debug", "info", "warn", "error", got "verbose"',
    "auth.token: expected a token (not empty, printable ASCII, no spaces); what was given is a secret and not shown",
    'dataDir: expected a path (~/ is the home directory), got ""',
    'plugins.sampel: unknown key "sampel"; did you mean "sample"?',
    "sample.buckets.0.match: expected a string, got 5",
    "sample.buckets.0.buckets: is required; expected an array, each a number",
  ]);
});

for (const [name, text, expected] of [
  [
    "not JSON",
    '{\n  "server": {\n    "port": 9876,\n  }\n}',
    'is not JSON: line 4, column 3: there may be no comma before "}"',
  ],
  ["empty", "", "is not JSON: line 1, column 1: expected a value, found nothing"],
  ["not an object", "[]", "expected an object, got an array"],
  [
    "nested without end",
    "[".repeat(1e5) + "]".repeat(1e5),
    "is not JSON: line 1, column 65: expected at most 64 levels of nesting",
  ],
] as const) {
  test(`a file is refused: ${name}`, (t) => assert.deepEqual(faults(given(t, text)), [expected]));
}

test("a file that others can change is refused", (t) => {
  const there = given(t, {});
  chmodSync(there.path, 0o664);
  const { path } = there;
  assert.deepEqual(faults(there), [`${path} can be changed by others (mode 0664); run: chmod go-w ${path}`]);
});

for (const [address, isTaken] of [
  ["127.0.0.1", true],
  ["127.8.9.1", true],
  ["localhost", true],
  ["::1", true],
  ["::ffff:127.0.0.1", false],
  ["127.1.2.999", false],
  ["0.0.0.0", false],
  ["::", false],
  ["192.168.1.5", false],
  ["127.0.0.1.example.com", false],
  ["example.com", false],
] as const) {
  test(`without auth, ${address} is ${isTaken ? "taken" : "refused"}`, (t) => {
    const server = { listenAddress: address };
    if (isTaken) return assert.deepEqual(load(given(t, { server })).warnings, []);
    assert.match(faults(given(t, { server })).join(), /^server\.listenAddress: expected a loopback address, got "/);
    assert.deepEqual(load(given(t, { server, auth: { enabled: true } })).warnings, []);
    const meant = load(given(t, { server: { ...server, insecureAllowUnauthenticated: true } }));
    const warning = `auth.enabled is false: anyone who reaches ${address} over the network may send`;
    assert.deepEqual(meant.warnings, [warning]);
  });
}

test("headers may not be given longer than the request that they begin", (t) => {
  assert.deepEqual(faults(given(t, { server: { headerTimeoutMs: 20_000 } })), [
    "server.headerTimeoutMs: expected at most server.requestTimeoutMs (10000), of which it is a part, got 20000",
  ]);
});

test("paths are made absolute: ~ is the home directory, others stand below that of the config file", (t) => {
  const { config } = load(given(t, { dataDir: "d", logging: { file: "~/x.log" }, sample: { folder: "/abs" } }));
  assert.match(config.dataDir, /\/\.pi\/daemon\/d$/);
  assert.match(config.logging.file ?? "", /^\/.*\/x\.log$/);
  assert.equal((config["sample"] as { folder: string }).folder, "/abs");
});

const CANARY = "canary-5d1f0a-token";

test("secrets are known wherever they come from, and shown nowhere", (t) => {
  const there = given(
    t,
    {
      server: { listenAddress: "${HOST}" },
      auth: { token: { $file: "token" } },
      dataDir: "${DIR}/data",
      sample: {
        note: "key=${NOTE}",
        webhooks: [{ url: "https://x/written-out", headers: { a: "${HEADER}", b: "short" } }],
      },
    },
    { HOST: "127.0.0.1", DIR: "/data-root", NOTE: "note-canary", HEADER: "abc" },
  );
  writeFileSync(join(dirname(there.path), "token"), `${CANARY}\n`, { mode: 0o600 });
  const { config } = load(there);
  assert.equal(config.auth.token, CANARY);
  assert.deepEqual([...secretsOf(config)].sort(), [CANARY, "https://x/written-out", "note-canary", "short"].sort());
  const shown = plain(redactConfig(config)) as Record<string, Record<string, unknown>>;
  assert.equal(shown["auth"]!["token"], "[redacted]");
  assert.equal(shown["sample"]!["note"], "[redacted]");
  const headers = { a: "[redacted]", b: "[redacted]" };
  assert.deepEqual(shown["sample"]!["webhooks"], [{ url: "[redacted]", headers }]);
  assert.equal(shown["server"]!["listenAddress"], "127.0.0.1");
  assert.equal(shown["dataDir"], "/data-root/data");
  assert.doesNotMatch(JSON.stringify(shown), /canary|written-out|abc|short/);
});

test("a secret is hidden in every other setting that repeats it", (t) => {
  const { config } = load(given(t, { auth: { token: CANARY }, sample: { note: `see ${CANARY}` } }));
  assert.equal((redactConfig(config)["sample"] as { note: string }).note, "see [redacted]");
});

test("a config without secrets is shown as it is; one of unknown origin is not shown", (t) => {
  const { config } = load(given(t));
  assert.deepEqual(plain(redactConfig(config)), plain(config));
  assert.deepEqual(secretsOf(config), []);
  assert.throws(() => redactConfig({ ...config }), TypeError);
});

test("faults do not show what was filled in", (t) => {
  const env = { LEVEL: CANARY, PORT: "9876" };
  const config = { logging: { level: "${LEVEL}" }, auth: { token: `${CANARY} ` }, server: { port: "${PORT}" } };
  const lines = faults(given(t, config, env));
  assert.equal(lines.length, 3);
  assert.doesNotMatch(lines.join(), new RegExp(CANARY));
});

test("what cannot be filled in is told once, beside all other problems", (t) => {
  const there = given(t, { logging: { level: "${LEVEL}" }, auth: { token: { $file: "none" }, enabled: 1 } });
  assert.deepEqual(faults(there), [
    "logging.level: the environment variable LEVEL is not set",
    `auth.token: $file: ${join(dirname(there.path), "none")} does not exist`,
    "auth.enabled: expected true or false, got 1",
  ]);
});

test("a reference that leads nowhere is a fault where the schema would take its text", (t) => {
  const config = { sample: { note: "${GONE}" } };
  assert.deepEqual(faults(given(t, config)), ["sample.note: the environment variable GONE is not set"]);
});

test("warnings: a short token, a secret that others can read", (t) => {
  const there = given(t, { auth: { token: "your-token" } });
  assert.deepEqual(load(there).warnings, ["auth.token is shorter than 16 characters and may be guessed"]);
  chmodSync(there.path, 0o644);
  assert.deepEqual(load(there).warnings, [
    "auth.token is shorter than 16 characters and may be guessed",
    `${there.path} holds the secret auth.token and can be read by others; run: chmod 600 ${there.path}`,
  ]);
  const elsewhere = given(t, { auth: { token: "${T}" } }, { T: CANARY });
  chmodSync(elsewhere.path, 0o644);
  assert.deepEqual(load(elsewhere).warnings, []);
});

test("a change is told by its paths: what a reload may do, what needs a restart", (t) => {
  const before = load(given(t, { dataDir: "/d", sample: { retentionByType: { counter: 5 }, folder: "/f" } })).config;
  assert.deepEqual(diffConfig(before, before), { live: [], needsRestart: [] });
  const after = load(
    given(t, {
      dataDir: "/e",
      server: { port: 1, allowedHosts: ["a"] },
      logging: { level: "debug", keep: 1 },
      storage: { durability: "sync" },
      sample: { retentionByType: { gauge: 5 }, folder: "/f" },
      plugins: { bare: false },
      auth: { token: CANARY },
    }),
  ).config;
  assert.deepEqual(diffConfig(before, after), {
    live: [
      "server.allowedHosts",
      "plugins.bare",
      "auth.token",
      "logging.level",
      "storage.durability",
      "sample.retentionByType.counter",
      "sample.retentionByType.gauge",
    ],
    needsRestart: ["server.port", "logging.keep", "dataDir"],
  });
});

test("what a running daemon keeps is told as in force, secrets hidden; a second reload still names it", (t) => {
  const before = load(given(t, { dataDir: "/d" })).config;
  const after = load(
    given(t, { dataDir: "/e", server: { port: 1, allowedHosts: ["a"] }, auth: { token: CANARY } }),
  ).config;
  const inForce = keepFixed(before, after);
  assert.deepEqual([inForce.dataDir, inForce.server.port, inForce.server.allowedHosts], ["/d", 9876, ["a"]]);
  assert.equal(inForce.auth.token, CANARY);
  assert.doesNotMatch(JSON.stringify(redactConfig(inForce)), new RegExp(CANARY));
  assert.deepEqual(diffConfig(inForce, after), { live: [], needsRestart: ["server.port", "dataDir"] });
});

test("every setting is described with its default", () => {
  const settings = describeConfig(samplePlugins);
  const at = (path: string) => settings.find((setting) => setting.path === path);
  const port = { path: "server.port", expected: "an integer from 0 to 65535", fallback: 9876, isSecret: false };
  assert.deepEqual(at("server.port"), port);
  assert.deepEqual(at("dataDir")?.fallback, "~/.pi/daemon/data");
  assert.deepEqual(at("auth.token")?.isSecret, true);
  assert.deepEqual(at("plugins.sample")?.fallback, true);
  assert.deepEqual(at("sample.limit")?.fallback, 10);
  assert.deepEqual(
    settings.filter(({ fallback }) => fallback === undefined),
    [],
  );
});

test("a plugin that must be configured is a fault of the program", (t) => {
  const { options } = given(t);
  const pluginSchemas = [{ name: "needy", schema: object({ key: string() }) }];
  assert.throws(() => loadConfig({ ...options, pluginSchemas }), TypeError);
});

/** The paths of all values below the groups of a config, with the values. */
function flatten(value: unknown, paths: ReadonlySet<string>, path = ""): [string, unknown][] {
  if (paths.has(path) || typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, item]) => flatten(item, paths, path === "" ? key : `${path}.${key}`));
}

const CONFIGS = new URL("../", import.meta.url);

test("examples/config.json shows every key with its default", () => {
  const example: unknown = JSON.parse(readFileSync(new URL("examples/config.json", CONFIGS), "utf8"));
  const settings = describeConfig(pluginSchemas);
  const paths = new Set(settings.map(({ path }) => path));
  assert.deepEqual(
    flatten(example, paths).sort(),
    settings.map(({ path, fallback }) => [path, plain(fallback)]).sort(),
  );
});

test("contrib/pi-daemon.json is a right config without a secret, and changes nothing but what a service must", (t) => {
  const text = readFileSync(new URL("contrib/pi-daemon.json", CONFIGS), "utf8");
  const loadReal = (there: Given) => load({ ...there, options: { ...there.options, pluginSchemas } });
  const { config, warnings } = loadReal(given(t, text));
  assert.deepEqual(warnings, []);
  assert.deepEqual(secretsOf(config), []);
  const defaults = loadReal(given(t)).config;
  const jobs = { ...(defaults["jobs"] as object), directory: (config["jobs"] as { directory: string }).directory };
  // The homes of the two differ.
  const rag = {
    ...(defaults["rag"] as object),
    allowedRoots: (config["rag"] as { allowedRoots: readonly string[] }).allowedRoots,
  };
  assert.deepEqual(plain(config), plain({ ...defaults, dataDir: config.dataDir, jobs, rag }));
});

test("the README's table lists every key with its default", () => {
  const [, section] = /^## Config\n([^]*?)^## /m.exec(readFileSync(new URL("README.md", CONFIGS), "utf8"))!;
  const rows = [...section!.matchAll(/^\| `([\w.]+)` \| `([^`]+)` \| .+ \|$/gm)].map(([, path, fallback]) => [
    path,
    JSON.parse(fallback!),
  ]);
  assert.deepEqual(
    rows.sort(),
    describeConfig(pluginSchemas)
      .map(({ path, fallback }) => [path, plain(fallback)])
      .sort(),
  );
});
