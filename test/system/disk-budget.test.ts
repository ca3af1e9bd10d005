import assert from "node:assert/strict";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { watchDiskBudget } from "../../src/system/disk-budget.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { silentLog } from "../support/silent-log.ts";
import { tempDir } from "../support/temp-dir.ts";

/** A data directory and a log folder; each file has 100 bytes and an age in seconds. */
function place(t: TestContext, files: Readonly<Record<string, number>>) {
  const root = tempDir(t);
  for (const [name, ageSeconds] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "x".repeat(100));
    const at = 1_700_000_000 - ageSeconds;
    utimesSync(path, at, at);
  }
  return {
    root,
    dataDir: join(root, "data"),
    logFile: join(root, "logs/daemon.log"),
    left: () => Object.keys(files).filter((name) => existsSync(join(root, name))),
  };
}

const FILES = {
  "data/metrics/metrics.journal-1": 50,
  "data/metrics/metrics.journal-0.corrupt-1": 10,
  "data/metrics/metrics.journal-0.corrupt-2": 5,
  "logs/daemon.log": 1,
  "logs/daemon.log.1": 20,
  "logs/daemon.log.2": 40,
};

for (const [maxBytes, gone, isProblem] of [
  [600, [], false],
  [599, ["data/metrics/metrics.journal-0.corrupt-1"], false],
  [400, ["data/metrics/metrics.journal-0.corrupt-1", "data/metrics/metrics.journal-0.corrupt-2"], false],
  [
    300,
    ["data/metrics/metrics.journal-0.corrupt-1", "data/metrics/metrics.journal-0.corrupt-2", "logs/daemon.log.2"],
    false,
  ],
  [
    100,
    [
      "data/metrics/metrics.journal-0.corrupt-1",
      "data/metrics/metrics.journal-0.corrupt-2",
      "logs/daemon.log.1",
      "logs/daemon.log.2",
    ],
    true,
  ],
] as const) {
  test(`with ${maxBytes} bytes allowed of 600, ${gone.length} files go`, (t) => {
    const { left, ...places } = place(t, FILES);
    const clock = fakeClock();
    const budget = watchDiskBudget({ clock, log: silentLog }, places, () => maxBytes);
    clock.advance(60_000);
    assert.deepEqual(
      left(),
      Object.keys(FILES).filter((name) => !(gone as readonly string[]).includes(name)),
    );
    assert.equal(budget.problems().length > 0, isProblem);
  });
}

test("only files that a rotation has numbered go with the log, and none counts twice", (t) => {
  const { root, left } = place(t, {
    "data/daemon.log": 1,
    "data/daemon.log.1": 2,
    "data/daemon.log.mine": 9,
    "data/daemon.logs": 9,
  });
  const places = { dataDir: join(root, "data"), logFile: join(root, "data/daemon.log") };
  const budget = watchDiskBudget({ clock: fakeClock(), log: silentLog }, places, () => 399);
  budget.look();
  assert.deepEqual(left(), ["data/daemon.log", "data/daemon.log.mine", "data/daemon.logs"]);
  assert.deepEqual(budget.problems(), []);
});

test("what cannot be read holds nothing and ends nothing", (t) => {
  const { root } = place(t, { data: 1, logs: 1 });
  const places = { dataDir: join(root, "data"), logFile: join(root, "logs/daemon.log") };
  const clock = fakeClock();
  const budget = watchDiskBudget({ clock, log: silentLog }, places, () => 0);
  clock.advance(60_000);
  assert.deepEqual(budget.problems(), []);
});

test("a directory that is not there holds nothing", () => {
  const budget = watchDiskBudget(
    { clock: fakeClock(), log: silentLog },
    { dataDir: "/nowhere/at/all", logFile: undefined },
    () => 0,
  );
  budget.look();
  assert.deepEqual(budget.problems(), []);
});

test("what jobs have printed goes last, the oldest first", (t) => {
  const printed = {
    "data/jobs/files/output/a/1-1.log": 9,
    "data/jobs/files/output/a/2-1.log": 5,
    "data/jobs/files/sessions/a/x": 99,
  };
  const { left, ...places } = place(t, { ...printed, "data/jobs/jobs.journal-1": 99, "logs/daemon.log.1": 1 });
  watchDiskBudget({ clock: fakeClock(), log: silentLog }, places, () => 300).look();
  assert.deepEqual(left(), [
    "data/jobs/files/output/a/2-1.log",
    "data/jobs/files/sessions/a/x",
    "data/jobs/jobs.journal-1",
  ]);
});
