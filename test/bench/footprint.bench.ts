/** What the daemon takes: memory for each series, memory when idle, and time from its start to the first answer. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "../../src/core/registry.ts";
import { writeConfig } from "../support/daemon-child.ts";
import { freePort } from "../support/free-port.ts";
import { count, render, sampleOf } from "../support/samples.ts";
import { median, printTable, residentBytes } from "./support/measure.ts";

const SERIES = 100_000;
const STARTS = 7;

export async function bench(): Promise<void> {
  printTable(
    "heap of the registry, bytes a series (3 labels, scraped once)",
    (["counter", "histogram", "summary"] as const).map((type) => ({ type, bytes: heapPerSeries(type) })),
  );
  const starts = [];
  const watched = [];
  for (let round = 0; round < STARTS; round++) {
    starts.push(await measureStart({ watchdog: { timeoutMs: 0 } }));
    watched.push(await measureStart({ watchdog: { timeoutMs: 60_000 } }));
  }
  printTable("a daemon of its own", [
    { figure: "from start to the first answer, ms", median: median(starts.map(({ startMs }) => startMs)) },
    { figure: "resident when idle, MiB", median: median(starts.map(({ resident }) => resident / 2 ** 20)) },
    { figure: "the same with the watchdog, MiB", median: median(watched.map(({ resident }) => resident / 2 ** 20)) },
  ]);
}

function heapPerSeries(type: "counter" | "histogram" | "summary"): number {
  const registry = new Registry();
  const before = heapUsed();
  for (let index = 0; index < SERIES; index++) {
    const labels = { session: `0199a7c2-${index}`, model: "claude-sonnet-4", kind: "input" };
    count(registry, sampleOf({ name: `pi_${type}`, type, labels, value: index }), { nowMs: 0, wallMs: 0 });
  }
  render(registry);
  const bytes = (heapUsed() - before) / SERIES;
  if (registry.clientSeriesCount !== SERIES) throw new Error("series are missing");
  return bytes;
}

function heapUsed(): number {
  globalThis.gc!();
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

async function measureStart(
  settings: Readonly<Record<string, unknown>>,
): Promise<{ startMs: number; resident: number }> {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-start-"));
  const port = await freePort();
  const config = writeConfig(join(directory, "config.json"), {
    dataDir: join(directory, "data"),
    server: { port },
    ...settings,
  });
  const cli = new URL("../../src/cli.ts", import.meta.url).pathname;
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    ["--experimental-strip-types", cli, "start", "--foreground", "--config", config],
    { stdio: "ignore" },
  );
  const exited = once(child, "exit");
  while (
    !(await fetch(`http://127.0.0.1:${port}/health`).then(
      (reply) => reply.ok,
      () => false,
    ))
  )
    await new Promise((resolve) => setTimeout(resolve, 5));
  const startMs = performance.now() - startedMs;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const resident = residentBytes(child.pid!);
  child.kill("SIGKILL");
  await exited;
  rmSync(directory, { recursive: true, force: true });
  return { startMs, resident };
}
