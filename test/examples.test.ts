/** Each file in examples/ does what it says, against a real daemon. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createClient, type JobShown, type RunShown } from "../src/client.ts";
import { startTestDaemon } from "./support/daemon.ts";

const EXAMPLES = new URL("../examples/", import.meta.url);
const FLAGS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
const run = promisify(execFile);

/** Says what pi says when all went well. */
const FAKE_PI = [
  "sh",
  "-c",
  'printf "%s\\n" "$0" "$1"',
  ...[
    { type: "message_end", message: { role: "assistant", stopReason: "stop", content: "nothing is wrong" } },
    { type: "agent_settled" },
  ].map((event) => JSON.stringify(event)),
];

/** What each example prints; its metrics are looked at besides. */
const EXPECTED: Readonly<Record<string, { readonly output: RegExp; readonly metrics: readonly RegExp[] }>> = {
  "send-metrics.sh": {
    output: /^backups_total\{host="nas"\} 1$/m,
    metrics: [
      /^disk_free_ratio 0\.42$/m,
      /^backup_seconds_bucket\{le="60\.0"\} 1$/m,
      /^backup_size_bytes\{quantile="0\.5"\} 7\.3e\+06$/m,
    ],
  },
  "send-once.ts": {
    output: /^counted$/m,
    metrics: [/^builds_total\{project="web"\} 1$/m, /^build_seconds_count\{project="web"\} 1$/m],
  },
  "knowledge.sh": {
    output: /"id":"blue-bus"[^]*"hits":\[\{[^]*41 seats[^]*"context":"[^"]*untrusted[^"]*41 seats/,
    metrics: [],
  },
};

for (const [file, { output, metrics }] of Object.entries(EXPECTED)) {
  test(`examples/${file}`, async (t) => {
    const daemon = await startTestDaemon(t);
    const path = fileURLToPath(new URL(file, EXAMPLES));
    const [program, args] = file.endsWith(".ts") ? [process.execPath, [...FLAGS, path]] : ["sh", [path]];
    const { stdout } = await run(program, args, {
      env: { ...process.env, PI_DAEMON_URL: daemon.url, PI_DAEMON_SOCKET: join(daemon.dataDir, "daemon.sock") },
      timeout: 30_000,
    });
    assert.match(stdout, output);
    for (const line of metrics) assert.match(await daemon.clientMetrics(), line);
  });
}

test("examples/jobs.d: all are in force, and do what they say", async (t) => {
  const daemon = await startTestDaemon(t);
  const client = createClient({ socketPath: join(daemon.dataDir, "daemon.sock") });
  const folder = join(dirname(daemon.configPath), "jobs.d");
  mkdirSync(folder, { mode: 0o700 });
  const port = new URL(daemon.url).port;
  for (const file of readdirSync(new URL("jobs.d/", EXAMPLES))) {
    const text = readFileSync(new URL(`jobs.d/${file}`, EXAMPLES), "utf8").replace("9876", port);
    writeFileSync(join(folder, file), text.replace('"agent": {', `"agent": { "program": ${JSON.stringify(FAKE_PI)},`));
  }
  await client.reload();
  const { jobs, problems } = await client.json<{ jobs: JobShown[]; problems: string[] }>("GET", "/api/jobs");
  assert.deepEqual(problems, []);
  const kinds = new Set(jobs.map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ["agent", "command", "http", "internal"]);
  const run = async (name: string): Promise<RunShown> =>
    (await client.json<{ run: RunShown }>("POST", `/api/jobs/${name}/run?wait=20s`)).run;
  // The home directory of this daemon is where its data are.
  assert.equal((await run("backup")).reason, "the precheck said no");
  mkdirSync(join(daemon.dataDir, "notes"));
  for (const { name } of jobs) {
    const { state, error } = await run(name);
    assert.deepEqual([name, state, error], [name, "ok", undefined]);
  }
  assert.ok(existsSync(join(daemon.dataDir, "notes.tar.gz")));
});

test("every example is tried", () => {
  const programs = readdirSync(EXAMPLES).filter((name) => !/\.json$|^jobs\.d$/.test(name));
  assert.deepEqual(programs.sort(), Object.keys(EXPECTED).sort());
});
