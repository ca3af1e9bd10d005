/**
 * What a scrape costs: our encoder beside prom-client 15, both from the same state to the bytes of the document.
 *
 * Units: microseconds of CPU a series (the machine may be shared), medians of interleaved rounds; the ratio is
 *   prom-client's cost over ours.
 * Not: a dependency; npm installs prom-client into a temporary directory, and without it our figures stand alone.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeFamilies, type ExpositionFormat } from "../../src/core/exposition.ts";
import type { Family, FamilyType, Series } from "../../src/core/family.ts";

interface PromRegistry {
  metrics(): Promise<string>;
}

/** The part of prom-client that is used here. */
interface PromClient {
  readonly Registry: {
    new (contentType: string): PromRegistry;
    readonly PROMETHEUS_CONTENT_TYPE: string;
    readonly OPENMETRICS_CONTENT_TYPE: string;
  };
  readonly Counter: new (options: object) => { inc(labels: object, value: number): void };
  readonly Histogram: new (options: object) => { observe(labels: object, value: number): void };
}

setFlagsFromString("--expose-gc");
/** Before each timing, so that neither pays for the other's garbage. */
const collectGarbage = runInNewContext("gc") as () => void;
const rounds = 7;
const upperBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const cases: readonly (readonly [type: "counter" | "histogram", series: number])[] = [
  ["counter", 1_000],
  ["counter", 10_000],
  ["counter", 100_000],
  ["histogram", 1_000],
  ["histogram", 10_000],
];

/** Prints a table. */
export async function bench(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-bench-"));
  try {
    const client = installPromClient(directory);
    console.log("GET /metrics, encoder alone: us of CPU a series, medians of %d interleaved rounds", rounds);
    console.log(row("state", "format", "first", "cached", "prom-client", "ratio"));
    for (const [type, count] of cases) {
      for (const format of ["text", "openmetrics"] as const) await benchCase(client, type, count, format);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function installPromClient(directory: string): PromClient | undefined {
  const npmArguments = ["install", "--no-audit", "--no-fund", "--prefix", directory, "prom-client@15"];
  const { status } = spawnSync("npm", npmArguments, { stdio: "ignore", timeout: 120_000 });
  if (status === 0) return createRequire(join(directory, "package.json"))("prom-client") as PromClient;
  console.log("npm could not install prom-client@15: its columns are empty");
  return undefined;
}

async function benchCase(
  client: PromClient | undefined,
  type: "counter" | "histogram",
  ...[count, format]: [number, ExpositionFormat]
): Promise<void> {
  const family = createFamily(type, count);
  const registry = client && createPromRegistry(client, family, format);
  const scrapes = Math.max(1, 50_000 / count);
  const encode = (): number => countBytes(family, format);
  const first = await timeScrapes(encode, 1);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await timeScrapes(encode, scrapes));
    if (registry) theirs.push(await timeScrapes(async () => Buffer.from(await registry.metrics()).length, scrapes));
  }
  const [our, their] = [median(ours) / count, median(theirs) / count];
  const figures = [first / count, our, their].map((us) => us.toFixed(3));
  console.log(row(`${count} ${type}s`, format, ...figures, `${(their / our).toFixed(1)}x`));
}

function createFamily(type: FamilyType, count: number): Family {
  const series = Array.from({ length: count }, (_, index): Series => {
    const labels = ["session", `session-${index}`, "model", "claude-sonnet-4", "source", "interactive"];
    if (type === "counter") return { labels, text: undefined, value: valueOf(index) };
    const counts = new Float64Array(upperBounds.length + 1);
    counts[index % counts.length] = 1;
    return { labels, text: undefined, counts, sum: observationOf(index) };
  });
  return { name: "bench_tokens_total", type, help: "Bench", unit: undefined, upperBounds, series };
}

/** Token counts, of which a third lie above a million, where the text becomes an exponent. */
function valueOf(index: number): number {
  return (index * 7919) % 1_500_000;
}

function observationOf(index: number): number {
  return upperBounds[index % (upperBounds.length + 1)] ?? 20;
}

function createPromRegistry(client: PromClient, family: Family, format: ExpositionFormat): PromRegistry {
  const { Counter, Histogram, Registry } = client;
  const { name, type, series } = family;
  const registry = new Registry(
    format === "text" ? Registry.PROMETHEUS_CONTENT_TYPE : Registry.OPENMETRICS_CONTENT_TYPE,
  );
  const labelNames = ["session", "model", "source"];
  const options = { name, help: "Bench", labelNames, registers: [registry], buckets: upperBounds };
  const counter = type === "counter" ? new Counter(options) : undefined;
  const histogram = type === "histogram" ? new Histogram(options) : undefined;
  for (const [index, { labels }] of [...series].entries()) {
    const labelSet = { session: labels[1], model: labels[3], source: labels[5] };
    counter?.inc(labelSet, valueOf(index));
    histogram?.observe(labelSet, observationOf(index));
  }
  return registry;
}

function countBytes(family: Family, format: ExpositionFormat): number {
  let bytes = 0;
  for (const piece of encodeFamilies([family], { format })) bytes += Buffer.from(piece).length;
  return bytes;
}

/** Microseconds of CPU a scrape. */
async function timeScrapes(scrape: () => number | Promise<number>, times: number): Promise<number> {
  collectGarbage();
  const start = process.cpuUsage();
  for (let time = 0; time < times; time++) if ((await scrape()) === 0) throw new Error("an empty document");
  const { user, system } = process.cpuUsage(start);
  return (user + system) / times;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function row(...cells: string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(18) : cell.padStart(12))).join("");
}
