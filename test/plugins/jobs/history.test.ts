import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  findRow,
  historyStore,
  type JobsEvent,
  type JobsState,
  RUNS_WITH_OUTPUT,
} from "../../../src/plugins/jobs/history.ts";
import { filesOf, findOldSessions, findStale, findSurplus } from "../../../src/plugins/jobs/retention.ts";
import type { RunRow } from "../../../src/plugins/jobs/run-row.ts";
import { forEachSeed, type Random } from "../../support/random.ts";
import { copyOf, describeRow, job, settle, startTestJobs } from "../../support/jobs.ts";

function stateOf(...events: JobsEvent[]): JobsState {
  const state = historyStore.initial();
  for (const event of events) historyStore.apply(state, event);
  return state;
}

const adopt: JobsEvent = {
  kind: "adopt",
  job: "a",
  schedule: "* * * * *",
  timeZone: "UTC",
  isDefaultZone: true,
  sinceMs: 0,
  decidedMs: 0,
};
const row = (id: number, rest: Partial<RunRow> = {}): JobsEvent => ({
  kind: "row",
  row: {
    id,
    job: "a",
    state: "running",
    trigger: "schedule",
    createdMs: id,
    slotMs: id * 1000,
    startedMs: id,
    ...rest,
  },
  decidedMs: id * 1000,
});
const end = (id: number, state: "ok" | "failed" | "skipped" = "ok", rest = {}): JobsEvent => ({
  kind: "end",
  id,
  end: { state, endedMs: id, ...rest },
});

describe("rows", () => {
  test("missed and skipped slots in a row are one; another reason, or a run between them, begins a new one", () => {
    const missed = (id: number, reason: string, count?: number) =>
      row(id, { state: "missed", reason, count, lastSlotMs: count && (id + count - 1) * 1000 });
    const state = stateOf(
      adopt,
      missed(1, "x"),
      missed(2, "x", 3),
      missed(5, "y"),
      row(6),
      end(6),
      missed(7, "y"),
      row(8, { state: "skipped", reason: "y" }),
    );
    assert.deepEqual(state.jobs.get("a")!.runs.map(describeRow), [
      "missed schedule 00:00:01 to 00:00:04 (4): x",
      "missed schedule 00:00:05: y",
      "ok schedule 00:00:06",
      "missed schedule 00:00:07: y",
      "skipped schedule 00:00:08: y",
    ]);
  });

  test("a run that is asked for again and again in vain takes one row, not the place of all others", () => {
    const vain = (id: number, trigger: RunRow["trigger"] = "manual") =>
      row(id, { state: "skipped", reason: "a run is going on", trigger, slotMs: undefined, startedMs: undefined });
    const state = stateOf(adopt, row(1), vain(2), vain(3), vain(4, "on-failure"), vain(5));
    const seen = state.jobs.get("a")!.runs.map(({ id, trigger, count }) => [id, trigger, count]);
    assert.deepEqual(seen, [
      [1, "schedule", undefined],
      [2, "manual", 2],
      [4, "on-failure", undefined],
      [5, "manual", undefined],
    ]);
  });

  test("the last decided slot never goes back", () => {
    assert.equal(stateOf(adopt, row(9), row(4)).jobs.get("a")!.decidedMs, 9000);
  });

  test("output is kept for the newest runs alone", () => {
    const output = { text: "hello", sizeBytes: 5, cutBytes: 0 };
    const events = Array.from({ length: 25 }, (_, index) => [
      row(index + 1),
      end(index + 1, "ok", { stdout: output, stderr: output }),
    ]).flat();
    const { runs } = stateOf(adopt, ...events).jobs.get("a")!;
    assert.deepEqual(
      runs.map((each) => each.stdout !== undefined),
      runs.map((_, index) => index >= 25 - RUNS_WITH_OUTPUT),
    );
    const late = stateOf(
      adopt,
      ...Array.from({ length: 25 }, (_, index) => row(index + 1)),
      end(1, "ok", { stdout: output }),
    ).jobs.get("a")!;
    assert.equal(late.runs[0]!.stdout, undefined, "a long run that ends behind the others");
  });

  test("are found by their numbers", () => {
    const runs = [2, 3, 7, 20].map((id) => ({ id }) as RunRow);
    assert.deepEqual(
      [2, 3, 7, 20, 0, 1, 5, 21].map((id) => findRow(runs, id)),
      [0, 1, 2, 3, -1, -1, -1, -1],
    );
    assert.equal(findRow([], 1), -1);
  });

  test("an event about a run that is not there changes nothing", () => {
    assert.deepEqual(
      stateOf(
        adopt,
        end(5),
        { kind: "begin", id: 5, atMs: 0 },
        { kind: "prune", job: "b", ids: [1] },
        { kind: "resume", job: "b" },
      ),
      stateOf(adopt),
    );
  });
});

function randomEvent(random: Random, id: number): JobsEvent {
  const name = random.pick(["a", "b", "constructor"]);
  const known = random.int(1, Math.max(1, id));
  return random.pick<JobsEvent>([
    { kind: "boot", bootId: `boot-${id}` },
    { ...adopt, job: name, sinceMs: id } as JobsEvent,
    { kind: "define", job: name, definition: { name, command: ["true"] } },
    { kind: "release", job: name },
    {
      kind: "row",
      row: {
        id,
        job: name,
        state: random.pick(["queued", "running", "missed", "skipped"]),
        trigger: "schedule",
        createdMs: id,
        slotMs: id,
        reason: random.pick([undefined, "x"]),
      },
      decidedMs: id,
    },
    { kind: "begin", id: known, atMs: id },
    { kind: "mark", id: known, mark: { runId: "m", pid: 5 }, attempts: 1 },
    { kind: "end", id: known, end: { state: random.pick(["ok", "failed", "skipped"]), endedMs: id } },
    { kind: "pause", job: name, pause: { sinceMs: id, note: "why", by: "person" } },
    { kind: "resume", job: name },
    { kind: "prune", job: name, ids: [known] },
  ]);
}

test("journal and snapshot bring back the same state, whatever happened", () => {
  forEachSeed(60, (random) => {
    const state = historyStore.initial();
    const again = historyStore.initial();
    for (let id = 1; id <= 80; id++) {
      const event = randomEvent(random, id);
      historyStore.apply(state, event);
      historyStore.apply(again, historyStore.decode(Buffer.concat(historyStore.encode(event))));
      if (id === 40) Object.assign(again, copyOf(again));
    }
    const plain = (each: JobsState): unknown =>
      JSON.parse(
        JSON.stringify([[...each.jobs], [...each.active].sort(([a], [b]) => a - b), each.lastRunId, each.bootId]),
      );
    assert.deepEqual(plain(again), plain(state));
  });
});

test("a snapshot is the state at the moment of the call, however slowly it is read", () => {
  const state = stateOf(adopt, row(1));
  const pieces = historyStore.snapshot(state)[Symbol.iterator]();
  for (const event of [end(1), row(2), { kind: "release", job: "a" } as const]) historyStore.apply(state, event);
  const read: Buffer[] = [];
  for (let piece = pieces.next(); !piece.done; piece = pieces.next()) read.push(Buffer.from(piece.value));
  const found = historyStore.restore(read, 1);
  assert.deepEqual(
    [found.jobs.get("a")!.runs.map(({ state: each }) => each), found.lastRunId, found.jobs.get("a")!.isGone],
    [["running"], 1, false],
  );
});

describe("what is kept", () => {
  const policy = { keepRuns: 3, keepForMs: 1000 };
  const record = (runs: RunRow[]) => ({ ...stateOf(adopt).jobs.get("a")!, runs });
  const over = (id: number, endedMs: number): RunRow => ({
    id,
    job: "a",
    state: "ok",
    trigger: "schedule",
    createdMs: 0,
    endedMs,
    attempts: 2,
  });

  test("by count, by age, and never what goes on", () => {
    const runs = [1, 2, 3, 4, 5].map((id) => over(id, 5000));
    assert.deepEqual(
      findStale(record(runs), policy, 5500).map(({ id }) => id),
      [1, 2],
    );
    assert.deepEqual(
      findStale(record([over(1, 100), over(2, 4501)]), policy, 5500).map(({ id }) => id),
      [1],
    );
    const going: RunRow = { id: 1, job: "a", state: "running", trigger: "manual", createdMs: 0 };
    assert.deepEqual(findStale(record([going, ...runs.slice(1, 4)]), policy, 5500), []);
    assert.deepEqual(filesOf([over(7, 0)]), ["output/a/7-1.log", "output/a/7-2.log"]);
  });

  test("files of output, oldest first, until there is room; other files are nobody's business here", () => {
    const files = [
      ["output/a/2-1.log", 60, 2],
      ["output/b/1-1.log", 50, 1],
      ["output/a/3-1.log", 40, 3],
      ["sessions/a/x", 999, 0],
    ].map(
      ([name, sizeBytes, changedMs]) =>
        ({ name, sizeBytes, changedMs }) as { name: string; sizeBytes: number; changedMs: number },
    );
    assert.deepEqual(findSurplus(files, 150), []);
    assert.deepEqual(findSurplus(files, 149), ["output/b/1-1.log"]);
    assert.deepEqual(findSurplus(files, 40), ["output/b/1-1.log", "output/a/2-1.log"]);
  });

  test("files of sessions by age and count, never the newest of a job, nor what may be in use", () => {
    const DAY = 86_400_000;
    const files = (job: string, agesDays: number[]) =>
      agesDays.map((days) => ({ name: `sessions/${job}/${days}.jsonl`, sizeBytes: 1, changedMs: (100 - days) * DAY }));
    const limits = (job: string) => (job === "gone" ? undefined : { keepRuns: 3, keepForMs: 10 * DAY });
    const find = (job: string, ages: number[]): string[] =>
      findOldSessions(files(job, ages), limits, 100 * DAY).map((name) => name.split("/")[2]!);
    assert.deepEqual(find("a", [2, 3, 5, 4, 6]), ["5.jsonl", "6.jsonl"], "three");
    assert.deepEqual(find("a", [2, 11]), ["11.jsonl"], "ten days");
    assert.deepEqual(find("a", [50]), [], "the newest");
    assert.deepEqual(find("a", [0, 0.1, 0.2, 0.3, 0.4]), [], "today's");
    assert.deepEqual(find("gone", [29, 31]), ["31.jsonl"]);
    assert.deepEqual(findOldSessions([{ name: "output/a/1-1.log", sizeBytes: 1, changedMs: 0 }], limits, 1e12), []);
  });

  test("a job that runs on and on keeps its newest runs and their files alone", async () => {
    const removed: string[] = [];
    const files = {
      pathOf: (name: string) => `/${name}`,
      read: async () => undefined,
      remove: async (names: readonly string[]) => void removed.push(...names),
      list: async () => [],
    };
    const jobs = await startTestJobs({
      config: { jobs: [job("a", { schedule: "@every 1s", keepRuns: 5 })] },
      services: { files },
    });
    await jobs.pass(60_000, 1_000);
    assert.ok(jobs.rows().length >= 5 && jobs.rows().length <= 16, `${jobs.rows().length} rows`);
    assert.equal(jobs.rows().at(-1)!.id, 60);
    assert.equal(new Set(removed).size, 60 - jobs.rows().length);
    const { rows } = await jobs.engine.prune();
    await settle();
    assert.deepEqual([jobs.rows().length, rows], [5, 60 - removed.length + rows - 5]);
  });
});
