/**
 * What contrib asks of Prometheus: the expressions of the dashboard and of the alert rules, and the metrics in them.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const CONTRIB = join(import.meta.dirname, "../../contrib");

export interface Asked {
  /** The panel or the alert. */
  readonly title: string;
  readonly expression: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource: { readonly uid: string };
  }[];
}

export interface Dashboard {
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(join(CONTRIB, "grafana.json"), "utf8")) as Dashboard;
}

/** Grafana's own variables are given a value that is good for any of them. */
export function dashboardExpressions(): Asked[] {
  return readDashboard().panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expression: expr.replaceAll(/\$__(rate_interval|range|interval)\b/g, "5m") })),
  );
}

/** Of the rules; YAML is read as far as this file goes: `expr:` in one line, or folded with `>-`. */
export function alertExpressions(): Asked[] {
  const text = readFileSync(join(CONTRIB, "alerts.yml"), "utf8");
  const alerts = [...text.matchAll(/^ +- alert: (\w+)\n([^]*?)^ +expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/gm)];
  return alerts.map(([, title, , folded, single]) => ({
    title: title!,
    expression: (folded ?? single!).replaceAll(/\s+/g, " ").trim(),
  }));
}

/** The names of metrics in an expression, as they are exposed: `_bucket`, `_sum` and `_count` included. */
export function metricNames(expression: string): string[] {
  const plain = expression.replaceAll(/"[^"]*"/g, '""');
  return [...new Set(plain.match(/\b(?:pi_|process_)\w+/g) ?? [])];
}
