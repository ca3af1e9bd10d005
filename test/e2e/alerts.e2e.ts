/** The alert rules of contrib: promtool reads them, and each fires on what it is for and keeps quiet beside it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { alertExpressions } from "../support/promql.ts";
import { tempDir } from "../support/temp-dir.ts";

const CONTRIB = join(import.meta.dirname, "../../contrib");
const skip = spawnSync("promtool", ["--version"]).error
  ? "promtool is not installed (Debian package prometheus)"
  : false;

interface Case {
  /** Series and their values minute by minute, in promtool's notation (`0x10`: eleven zeros; `_`: none). */
  readonly fires: Readonly<Record<string, string>>;
  readonly quiet: Readonly<Record<string, string>>;
  /** When it is looked at, in minutes. */
  readonly at: number;
}

const UP = 'up{job="pi-daemon",instance="a"}';
const START = 'process_start_time_seconds{job="pi-daemon",instance="a"}';
const runs = (outcome: string): string => `pi_daemon_job_runs_total{job="backup",outcome="${outcome}"}`;
const requests = (status: string): string =>
  `pi_daemon_requests_total{instance="a",path="/metrics",status="${status}"}`;
const failedCompaction = (aborted: string): string =>
  `pi_compaction_failed_total{session="s",model="m",reason="threshold",aborted="${aborted}"}`;

const CASES: Readonly<Record<string, Case>> = {
  PiDaemonDown: { fires: { [UP]: "1x3 0x10" }, quiet: { [UP]: "1x8 0 1x10" }, at: 10 },
  PiDaemonRestarts: { fires: { [START]: "1 2 3 4 5 5x20" }, quiet: { [START]: "1 2 3 3x20" }, at: 20 },
  PiDaemonUnwell: { fires: { pi_daemon_problems: "0 1x10" }, quiet: { pi_daemon_problems: "0 1 1 0x10" }, at: 8 },
  PiDaemonStorageDamaged: {
    fires: { pi_daemon_storage_corruptions_total: "1x5" },
    quiet: { pi_daemon_storage_corruptions_total: "0x5" },
    at: 3,
  },
  PiDaemonFaults: {
    fires: { [requests("500")]: "_x5 1x20" },
    quiet: { [requests("500")]: "3x40", [requests("404")]: "0+9x40" },
    at: 17,
  },
  PiDaemonSeriesNearLimit: {
    fires: { pi_daemon_series: "81x30", pi_daemon_series_limit: "100x30" },
    quiet: { pi_daemon_series: "79x30", pi_daemon_series_limit: "100x30" },
    at: 20,
  },
  PiDaemonSamplesRefused: {
    fires: { 'pi_daemon_series_dropped_total{reason="invalid"}': "0 0 7x20" },
    quiet: { 'pi_daemon_series_dropped_total{reason="invalid"}': "7x20" },
    at: 10,
  },
  PiDaemonSlow: {
    fires: { 'pi_daemon_event_loop_delay_seconds{quantile="0.99"}': "2x20" },
    quiet: {
      'pi_daemon_event_loop_delay_seconds{quantile="0.99"}': "0.2x20",
      'pi_daemon_event_loop_delay_seconds{quantile="0.5"}': "2x20",
    },
    at: 15,
  },
  PiDaemonMemory: {
    fires: { 'process_resident_memory_bytes{job="pi-daemon"}': "2e9x30" },
    quiet: {
      'process_resident_memory_bytes{job="pi-daemon"}': "2e8x30",
      'process_resident_memory_bytes{job="other"}': "2e9x30",
    },
    at: 20,
  },
  PiDaemonJobFailed: {
    fires: { [runs("failed")]: "0 0 1x20" },
    quiet: { [runs("failed")]: "5x20", [runs("ok")]: "0+1x20" },
    at: 10,
  },
  PiDaemonJobMissed: {
    fires: { 'pi_daemon_job_missed_total{job="backup"}': "0 0 1x20" },
    quiet: { 'pi_daemon_job_missed_total{job="backup"}': "4x20" },
    at: 10,
  },
  PiDaemonJobOverdue: {
    fires: { 'pi_daemon_job_next_run_timestamp_seconds{job="backup"}': "60x40" },
    quiet: { 'pi_daemon_job_next_run_timestamp_seconds{job="backup"}': "60+60x40" },
    at: 20,
  },
  PiDaemonSchedulerStands: {
    fires: { pi_daemon_job_last_tick_timestamp_seconds: "0x20" },
    quiet: { pi_daemon_job_last_tick_timestamp_seconds: "0+60x20" },
    at: 10,
  },
  PiDaemonJobCost: {
    fires: { 'pi_daemon_job_cost_usd_total{job="review"}': "0+1x20" },
    quiet: { 'pi_daemon_job_cost_usd_total{job="review"}': "0+0.1x20" },
    at: 19,
  },
  PiCostBurn: {
    fires: {
      'pi_cost_usd_total{provider="p",model="m"}': "0+0.2x60",
      'pi_cost_usd_total{provider="p",model="n"}': "0+0.1x60",
    },
    quiet: { 'pi_cost_usd_total{provider="p",model="m"}': "50+0.1x60" },
    at: 59,
  },
  PiProviderErrors: {
    fires: { 'pi_provider_errors_total{provider="p",model="m",class="overloaded"}': "0+1x20" },
    quiet: { 'pi_provider_errors_total{provider="p",model="m",class="aborted"}': "0+1x20" },
    at: 15,
  },
  PiCompactionsFail: {
    fires: { [failedCompaction("false")]: "_x3 1x20" },
    quiet: { [failedCompaction("true")]: "_x3 1x20" },
    at: 10,
  },
  PiSamplesLost: {
    fires: { 'pi_extension_dropped_total{reason="full"}': "_x30 9x90" },
    quiet: { 'pi_extension_dropped_total{reason="full"}': "9x90" },
    at: 80,
  },
  PiDaemonKnowledgeErrors: {
    fires: { 'pi_daemon_rag_index_errors_total{reason="unreadable"}': "0 0 2x20" },
    quiet: { 'pi_daemon_rag_index_errors_total{reason="unreadable"}': "2x20" },
    at: 10,
  },
};

/** Asks how many of an alert are firing, for the series given. */
function testOf(
  alert: string,
  { at }: Case,
  [values, count]: readonly [Readonly<Record<string, string>>, number],
): unknown {
  return {
    interval: "1m",
    input_series: Object.entries(values).map(([series, text]) => ({ series, values: text })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
        eval_time: `${at}m`,
        exp_samples: [{ labels: "{}", value: count }],
      },
    ],
  };
}

describe("contrib/alerts.yml", { skip }, () => {
  test("promtool finds no fault, alone and by contrib/prometheus.yml", () => {
    for (const args of [
      ["rules", "alerts.yml"],
      ["config", "prometheus.yml"],
    ]) {
      const { status, stdout, stderr } = spawnSync("promtool", ["check", ...args], { cwd: CONTRIB, encoding: "utf8" });
      assert.equal(status, 0, stdout + stderr);
    }
  });

  test("each alert has a case", () => {
    assert.deepEqual(
      alertExpressions()
        .map(({ title }) => title)
        .sort(),
      Object.keys(CASES).sort(),
    );
  });

  for (const [alert, one] of Object.entries(CASES)) {
    for (const [verb, expectation] of [
      ["fires", [one.fires, 1]],
      ["keeps quiet", [one.quiet, 0]],
    ] as const) {
      test(`${alert} ${verb}`, (t) => {
        const directory = tempDir(t);
        copyFileSync(join(CONTRIB, "alerts.yml"), join(directory, "alerts.yml"));
        const file = {
          rule_files: ["alerts.yml"],
          evaluation_interval: "1m",
          tests: [testOf(alert, one, expectation)],
        };
        writeFileSync(join(directory, "test.yml"), JSON.stringify(file));
        const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", "test.yml"], {
          cwd: directory,
          encoding: "utf8",
        });
        assert.equal(status, 0, stdout + stderr);
      });
    }
  }
});
