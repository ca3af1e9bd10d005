/** The dashboard and the alert rules of contrib ask only for metrics that the daemon and the extension tell. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { createClient } from "../src/client.ts";
import { parseExposition } from "../src/core/parse-exposition.ts";
import { METRICS } from "../src/extension/metrics.ts";
import { startTestDaemon } from "./support/daemon.ts";
import { alertExpressions, type Asked, dashboardExpressions, metricNames, readDashboard } from "./support/promql.ts";

type Types = ReadonlyMap<string, string>;

/** Families whose first series needs an agent, or time: where they stand in the source. */
const LATER = [
  ["pi_daemon_job_cost_usd_total", "counter", "plugins/jobs/metrics.ts"],
  ["pi_daemon_rag_last_indexed_timestamp_seconds", "gauge", "plugins/rag/metrics.ts"],
] as const;

/** Types by name of all that can be asked for: of a daemon that has run a job, and of what the extension sends. */
async function listTold(t: TestContext): Promise<Types> {
  const jobs = [{ name: "once", shell: "true", schedule: "@yearly" }];
  const daemon = await startTestDaemon(t, {
    config: { jobs: { jobs }, rag: { collections: [{ name: "notes", kind: "notes" }] } },
  });
  await createClient({ socketPath: join(daemon.dataDir, "daemon.sock") }).json("POST", "/api/jobs/once/run?wait=20s");
  const families = parseExposition(await (await daemon.fetch("/metrics")).text());
  const ofExtension = Object.entries(METRICS).map(([name, { type }]): [string, string] => [name, type]);
  const later = LATER.map(([name, type, file]): [string, string] => {
    const source = readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8");
    assert.ok(source.includes(`"${name}"`), `${name} stands in ${file} no more`);
    return [name, type];
  });
  return new Map([...later, ...ofExtension, ...families.map(({ name, type }): [string, string] => [name, type])]);
}

/** Whether a name, as it is exposed, belongs to a family of that kind. */
function isTold(types: Types, name: string): boolean {
  const type = types.get(name);
  if (type !== undefined) return type !== "histogram";
  const [, base, suffix] = /^(.*)_(bucket|sum|count)$/.exec(name) ?? [];
  const ofBase = base === undefined ? undefined : types.get(base);
  return ofBase === "histogram" || (ofBase === "summary" && suffix !== "bucket");
}

function assertTold(types: Types, asked: readonly Asked[]): void {
  for (const { title, expression } of asked) {
    for (const name of metricNames(expression))
      assert.ok(isTold(types, name), `"${title}" asks for ${name}, which nobody tells`);
  }
}

describe("contrib/grafana.json", () => {
  const { panels, templating, schemaVersion } = readDashboard();

  test("asks only for what is told", async (t) => assertTold(await listTold(t), dashboardExpressions()));

  test("shows everything that the extension sends, and almost all that the daemon tells", async (t) => {
    const types = await listTold(t);
    const asked = new Set(dashboardExpressions().flatMap(({ expression }) => metricNames(expression)));
    const isAsked = (name: string): boolean =>
      ["", "_bucket", "_sum", "_count"].some((suffix) => asked.has(name + suffix));
    const unasked = [...types.keys()].filter((name) => !isAsked(name));
    // Of the process: its start is the other side of its uptime.
    assert.deepEqual(unasked, ["process_start_time_seconds"]);
  });

  test("is made for Grafana: panels with ids of their own, beside each other, that ask the chosen Prometheus", () => {
    assert.equal(typeof schemaVersion, "number");
    assert.deepEqual(
      templating.list.map(({ name, type }) => [name, type]),
      [["datasource", "datasource"]],
    );
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const cells = new Set<string>();
    for (const { title, type, gridPos, targets = [], datasource } of panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!cells.has(`${x},${y}`), `"${title}" lies on another panel`);
          cells.add(`${x},${y}`);
        }
      }
      if (type === "row") continue;
      assert.ok(targets.length > 0, title);
      for (const source of [datasource, ...targets.map((target) => target.datasource)])
        assert.equal(source?.uid, "${datasource}", title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    }
  });
});

describe("contrib/alerts.yml", () => {
  test("asks only for what is told", async (t) => {
    const asked = alertExpressions();
    assert.ok(asked.length >= 18, String(asked.length));
    assertTold(await listTold(t), asked);
  });
});

test("a name that nobody tells is found out", () => {
  assert.deepEqual(metricNames('sum(rate(pi_gone_total{a="pi_x"}[5m])) / process_y'), ["pi_gone_total", "process_y"]);
  const types = new Map([
    ["pi_a", "counter"],
    ["pi_b", "histogram"],
    ["pi_c", "summary"],
  ]);
  const told = ["pi_a", "pi_b_bucket", "pi_b_sum", "pi_c", "pi_c_count"];
  const untold = ["pi_gone", "pi_a_bucket", "pi_b", "pi_c_bucket"];
  assert.deepEqual(
    [...told, ...untold].filter((name) => isTold(types, name)),
    told,
  );
});
