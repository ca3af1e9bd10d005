/** Each file in examples/ does what it says, against a real daemon. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startTestDaemon } from "./support/daemon.ts";

const EXAMPLES = new URL("../examples/", import.meta.url);
const FLAGS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
const run = promisify(execFile);

/** What each example prints; its metrics are looked at besides. */
const EXPECTED: Readonly<Record<string, { readonly output: RegExp; readonly metrics: readonly RegExp[] }>> = {
  "send-metrics.sh": {
    output: /^backups_total\{host="nas"\} 1$/m,
    metrics: [/^disk_free_ratio 0\.42$/m, /^backup_seconds_bucket\{le="60\.0"\} 1$/m, /^backup_size_bytes\{quantile="0\.5"\} 7\.3e\+06$/m],
  },
  "send-once.ts": { output: /^counted$/m, metrics: [/^builds_total\{project="web"\} 1$/m, /^build_seconds_count\{project="web"\} 1$/m] },
};

for (const [file, { output, metrics }] of Object.entries(EXPECTED)) {
  test(`examples/${file}`, async (t) => {
    const daemon = await startTestDaemon(t);
    const path = fileURLToPath(new URL(file, EXAMPLES));
    const [program, args] = file.endsWith(".ts") ? [process.execPath, [...FLAGS, path]] : ["sh", [path]];
    const { stdout } = await run(program, args, { env: { ...process.env, PI_DAEMON_URL: daemon.url }, timeout: 30_000 });
    assert.match(stdout, output);
    for (const line of metrics) assert.match(await daemon.clientMetrics(), line);
  });
}

test("every example is tried", () => {
  const programs = readdirSync(EXAMPLES).filter((name) => !name.endsWith(".json"));
  assert.deepEqual(programs.sort(), Object.keys(EXPECTED).sort());
});
