import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "../../../src/core/registry.ts";
import { job, settle, startTestJobs } from "../../support/jobs.ts";
import { render } from "../../support/samples.ts";

test("what Prometheus sees of jobs, and no longer of jobs that are gone", async () => {
  const registry = new Registry();
  const config = { jobs: [job("a", { schedule: "* * * * *" }), job("b")] };
  const jobs = await startTestJobs({ config, services: { registry } });
  const lines = (pattern: RegExp): string[] =>
    render(registry, 0)
      .split("\n")
      .filter((line) => pattern.test(line) && !line.startsWith("#"));
  jobs.runner.outcome = {
    usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.25, finalText: "" },
  };
  await jobs.passTo("00:02:00");
  jobs.runner.outcome = { state: "failed" };
  jobs.runner.takesMs = 30_000;
  await jobs.passTo("00:03:10");
  assert.deepEqual(lines(/^pi_daemon_job_(runs|missed|cost).*"a"/), [
    'pi_daemon_job_cost_usd_total{job="a"} 0.5',
    'pi_daemon_job_missed_total{job="a"} 0',
    'pi_daemon_job_runs_total{job="a",outcome="ok"} 2',
    'pi_daemon_job_runs_total{job="a",outcome="failed"} 0',
    'pi_daemon_job_runs_total{job="a",outcome="timeout"} 0',
    'pi_daemon_job_runs_total{job="a",outcome="skipped"} 0',
    'pi_daemon_job_runs_total{job="a",outcome="interrupted"} 0',
    'pi_daemon_job_runs_total{job="a",outcome="cancelled"} 0',
  ]);
  const at = (time: string): number => Date.parse(`2026-03-10T${time}Z`) / 1000;
  const values = (pattern: RegExp): unknown[] =>
    lines(pattern)
      .map((line) => line.split(" "))
      .map(([series, value]) => [series, Number(value)]);
  assert.deepEqual(values(/^pi_daemon_job_(running|next|last_success)/), [
    ['pi_daemon_job_last_success_timestamp_seconds{job="a"}', at("00:02:00")],
    ['pi_daemon_job_next_run_timestamp_seconds{job="a"}', at("00:04:00")],
    ['pi_daemon_job_running{job="a"}', 1],
    ['pi_daemon_job_running{job="b"}', 0],
  ]);
  await jobs.passTo("00:03:30");
  assert.deepEqual(lines(/failed.*[1-9]$/), ['pi_daemon_job_runs_total{job="a",outcome="failed"} 1']);
  assert.deepEqual(lines(/^pi_daemon_job_duration_seconds_(count|sum)/), [
    'pi_daemon_job_duration_seconds_sum{job="a"} 30',
    'pi_daemon_job_duration_seconds_count{job="a"} 3',
  ]);
  assert.deepEqual(lines(/^pi_daemon_job_start_delay_seconds_count/), ["pi_daemon_job_start_delay_seconds_count 3"]);
  jobs.clock.stepWall(3_600_000);
  await jobs.pass(5_000);
  assert.deepEqual(lines(/^pi_daemon_job_(missed_total.*"a"|clock_steps)/), [
    "pi_daemon_job_clock_steps_total 1",
    'pi_daemon_job_missed_total{job="a"} 59',
  ]);
  await jobs.follow({ jobs: [] });
  await settle();
  assert.deepEqual(lines(/job="/), []);
});
