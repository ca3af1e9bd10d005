/**
 * The metrics plugin's own state on its store: how long a start takes after 1 000 000 single posts without a snapshot,
 * and what a snapshot of 100 000 series costs the event loop.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "../../src/core/registry.ts";
import { readSample } from "../../src/plugins/metrics/sample.ts";
import { type MetricsEvent, type MetricsState, metricsStore } from "../../src/plugins/metrics/state.ts";
import { systemClock } from "../../src/system/clock.ts";
import { openStore, type Store } from "../../src/system/store.ts";
import { silentLog } from "../support/silent-log.ts";
import { metricOf } from "./support/fill.ts";
import { printTable } from "./support/measure.ts";

const RECORDS = 1_000_000;
const SERIES = 100_000;
/** Commits before a turn of the event loop, as under load. */
const A_TURN = 64;

export async function bench(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-state-"));
  try {
    const first = await open(directory);
    await fill(first, RECORDS, 1_000);
    await first.close();
    const recovery = await timed(() => open(directory));
    const grown = recovery.result;
    await fill(grown, SERIES, SERIES);
    const snapshot = await timed(() => grown.compact());
    await grown.close();
    const restart = await timed(() => open(directory));
    await restart.result.close();
    printTable("the metrics state on disk", [
      {
        what: `start after ${RECORDS.toLocaleString("en")} posts, no snapshot`,
        seconds: recovery.seconds,
        "longest stall ms": recovery.stallMs,
      },
      {
        what: `snapshot of ${SERIES.toLocaleString("en")} series`,
        seconds: snapshot.seconds,
        "longest stall ms": snapshot.stallMs,
      },
      { what: "start from that snapshot", seconds: restart.seconds, "longest stall ms": restart.stallMs },
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function open(directory: string): Promise<Store<MetricsState, MetricsEvent>> {
  const home = {
    directory,
    name: "metrics",
    settings: () => ({ durability: "async" as const, maxJournalBytes: 2 ** 31 }),
    onCorruption: () => {
      throw new Error("the state is damaged");
    },
    onHealth: () => undefined,
  };
  return openStore({ clock: systemClock, log: silentLog }, home, metricsStore(new Registry()));
}

/** Commits single posts that spread over so many series. */
async function fill(store: Store<MetricsState, MetricsEvent>, posts: number, series: number): Promise<void> {
  const { registry } = store.state;
  for (let from = 0; from < posts; from += A_TURN) {
    const commits = [];
    for (let index = from; index < Math.min(posts, from + A_TURN); index++) {
      const raw = Buffer.from(JSON.stringify(metricOf(index % series)));
      const sample = readSample(JSON.parse(raw.toString()), [], (name, type, labels) =>
        registry.recognise(name, type, labels),
      )!;
      const place = registry.reserveAccepted(sample)!;
      commits.push(
        store.commit({
          kind: "metric",
          nowMs: 0,
          wallMs: 0,
          raw,
          samples: [sample],
          series: [place],
          requestId: undefined,
          extra: undefined,
        }),
      );
    }
    await Promise.all(commits);
  }
}

/** The time of an action, and the longest time in which the event loop did not turn meanwhile. */
async function timed<T>(action: () => Promise<T>): Promise<{ result: T; seconds: number; stallMs: number }> {
  let stallMs = 0;
  let isOver = false;
  let lastMs = performance.now();
  const turn = (): void => {
    const nowMs = performance.now();
    stallMs = Math.max(stallMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setImmediate(turn);
  };
  turn();
  const startMs = performance.now();
  const result = await action();
  isOver = true;
  return { result, seconds: (performance.now() - startMs) / 1000, stallMs };
}
