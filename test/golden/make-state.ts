/**
 * Writes `test/golden/state-VERSION/`: the data directory of a daemon of this version after a snapshot, more events
 * and a kill -9, and what that daemon told before. `node src/launch.js test/golden/make-state.ts`, once for each
 * release; state.test.ts holds every later version to reading it.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "../../src/client.ts";
import { VERSION } from "../../src/system/version.ts";
import { startDaemonChild, writeConfig } from "../support/daemon-child.ts";
import { readToldState } from "../support/told-state.ts";

/** Of the moment, of the machine, or secret: no part of the state. Nor are indexes, which can be made again. */
const LEFT_OUT = /\/(token|daemon\.pid|daemon\.sock|rag\/index)$/;

const BEFORE = [
  {
    name: "runs_total",
    type: "counter",
    labels: { session: "a", odd: 'new\nline "quoted" back\\slash 💩' },
    increment: 3,
    help: 'Help, "quoted",\nin two lines',
  },
  { name: "bare", type: "counter", increment: 2.5 },
  { name: "level", type: "gauge", labels: { job: "own" }, set: -1e-7 },
  {
    name: "wait_seconds",
    type: "histogram",
    unit: "seconds",
    buckets: [0.5, 5],
    observe: 0.3,
    exemplar: { labels: { trace_id: "t1" }, value: 0.3, timestamp: 1_700_000_000_000 },
  },
  { name: "size_bytes", type: "summary", observe: 1e9 },
];
const AFTER = [
  { name: "runs_total", type: "counter", labels: { odd: "other", session: "b" }, increment: 4 },
  { name: "wait_seconds", type: "histogram", observe: 30 },
  { name: "level", type: "gauge", labels: { job: "own" }, delta: 2 },
];
const JOBS = [
  { name: "says-hello", shell: "echo hello", description: "Made by the API", tags: ["golden"] },
  { name: "fails", shell: "echo went wrong >&2; exit 3" },
  { name: "rests", shell: "true" },
  { name: "snapshot", internal: { action: "storage.snapshot" } },
];

/** Read before the snapshot, which puts the texts into a segment. */
const HANDBOOK = {
  "guide/pumps.md": "# Pumps\n\nThe harbour pump is oiled every second Thursday.\n\n## Spares\n\nGaskets lie in drawer nine.\n",
  "tool.ts": "export function countTides(moons: number): number {\n  return 2 * moons;\n}\n",
};
const note = (id: string, text: string, tags: readonly string[]) =>
  client.json("PUT", `/api/rag/collections/notes/documents/${id}`, { body: { text, tags } });

const work = mkdtempSync(join(tmpdir(), "pi-daemon-state-"));
const dataDir = join(work, "data");
const handbook = join(work, "handbook");
mkdirSync(join(handbook, "guide"), { recursive: true });
for (const [name, text] of Object.entries(HANDBOOK)) writeFileSync(join(handbook, name), text);
const config = { dataDir, rag: { allowedRoots: [work] } };
const daemon = await startDaemonChild(writeConfig(join(work, "config.json"), config));
const client = createClient({ socketPath: join(dataDir, "daemon.sock") });
const send = (requestId: string, metrics: readonly unknown[]) =>
  client.json("POST", "/api/metrics/batch", { body: { requestId, metrics } });
const run = (job: string) => client.json("POST", `/api/jobs/${job}/run?wait=20s`);

await send("golden-before", BEFORE);
for (const body of JOBS) await client.json("POST", "/api/jobs", { body });
await client.json("POST", "/api/jobs/rests/pause");
await client.json("POST", "/api/rag/collections", { body: { name: "handbook", kind: "folder", root: handbook } });
await client.json("POST", "/api/rag/collections/handbook/reindex?wait=20s");
await note("sealed", "The lighthouse is painted in odd years.", ["coast"]);
for (const job of ["says-hello", "fails", "snapshot"]) await run(job);
await send("golden-after", AFTER);
await run("says-hello");
await note("young", "The ferry waits for the mail.", ["coast", "mail"]);

const told = await readToldState(client);
await daemon.kill("SIGKILL");
const target = join(import.meta.dirname, `state-${VERSION}`);
rmSync(target, { recursive: true, force: true });
cpSync(dataDir, join(target, "data"), { recursive: true, filter: (path) => !LEFT_OUT.test(path) });
writeFileSync(join(target, "told.json"), JSON.stringify(told, undefined, 2) + "\n");
rmSync(work, { recursive: true });
