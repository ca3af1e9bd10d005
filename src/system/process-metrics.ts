/**
 * The daemon's figures about itself: uptime, memory, CPU, descriptors, and how late its event loop runs.
 *
 * Source: the names of Prometheus' own process collector.
 */
import { readdirSync } from "node:fs";
import type { Registry } from "../core/registry.ts";
import type { Clock } from "./clock.ts";

/** How often the loop's delay is probed. Seldom enough not to keep an idle machine awake. */
const PROBE_MS = 500;

export interface ProcessMetrics {
  uptimeSeconds(): number;
  /** Bytes; as they were last time where the system does not tell, because no descriptor is left. */
  memory(): NodeJS.MemoryUsage;
  /**
   * The median and the worst delays of the event loop over the last ten minutes, in seconds; NaN before the first
   * probe.
   */
  eventLoopDelay(): { readonly p50: number; readonly p99: number };
  stop(): void;
}

export function startProcessMetrics(services: { clock: Clock; registry: Registry }, version: string): ProcessMetrics {
  const { clock, registry } = services;
  const startedMs = clock.monotonicMs();
  const uptimeSeconds = (): number => (clock.monotonicMs() - startedMs) / 1000;
  const loopDelay = registry.ownSummary(
    "pi_daemon_event_loop_delay_seconds",
    "How late the event loop ran, probed twice a second.",
  )([]);

  let expectedMs = clock.monotonicMs() + PROBE_MS;
  const probe = clock.every(PROBE_MS, () => {
    const nowMs = clock.monotonicMs();
    loopDelay.observe(Math.max(0, nowMs - expectedMs) / 1000, nowMs - startedMs);
    expectedMs = nowMs + PROBE_MS;
  });

  registry
    .ownValue(
      "pi_daemon_build_info",
      "gauge",
      "Always 1; the labels tell what is running.",
    )(["version", version, "node", process.versions.node])
    .set(1);
  registry
    .ownValue(
      "process_start_time_seconds",
      "gauge",
      "Start time of the process since the Unix epoch in seconds.",
    )([])
    .set((clock.wallMs() - process.uptime() * 1000) / 1000);
  const memory = createMemoryReader();
  updateBeforeExposition(registry, { uptimeSeconds, memory });

  return {
    uptimeSeconds,
    memory,
    eventLoopDelay: () => {
      loopDelay.readAtMs = clock.monotonicMs() - startedMs;
      const [p50, , , p99] = loopDelay.quantileValues;
      return { p50: p50!, p99: p99! };
    },
    stop: () => probe.cancel(),
  };
}

function createMemoryReader(): () => NodeJS.MemoryUsage {
  let last = process.memoryUsage();
  return () => {
    try {
      last = process.memoryUsage();
    } catch {
      // It opens a file, and must not take the whole exposition with it when it cannot.
    }
    return last;
  };
}

function updateBeforeExposition(
  registry: Registry,
  { uptimeSeconds, memory: readMemory }: Pick<ProcessMetrics, "uptimeSeconds" | "memory">,
): void {
  const gauge = (name: string, help: string) => registry.ownValue(name, "gauge", help)([]);
  const uptime = gauge("pi_daemon_uptime_seconds", "Seconds since the daemon started.");
  const memory = registry.ownValue(
    "pi_daemon_memory_usage_bytes",
    "gauge",
    "Memory of the daemon by type, as Node counts it.",
  );
  const resident = gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  const openFds = gauge("process_open_fds", "Number of open file descriptors.");
  const cpu = registry.ownValue(
    "process_cpu_seconds_total",
    "counter",
    "Total user and system CPU time spent in seconds.",
  )([]);
  registry.beforeExposition(() => {
    uptime.set(uptimeSeconds());
    const usage = readMemory();
    for (const [type, bytes] of Object.entries(usage)) memory(["type", type]).set(bytes);
    resident.set(usage.rss);
    openFds.set(countOpenFds());
    const { user, system } = process.cpuUsage();
    cpu.set((user + system) / 1e6);
  });
}

/** Where the system tells: Linux, and macOS by another path. */
function countOpenFds(): number {
  for (const directory of ["/proc/self/fd", "/dev/fd"]) {
    try {
      return readdirSync(directory).length;
    } catch {
      // The next place, then.
    }
  }
  return NaN;
}
