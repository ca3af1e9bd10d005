/**
 * What another extension emits on `pi-daemon:metric` -> a sample, or what is wrong with it.
 *
 * Source: the rules of the daemon's API, so that one bad metric is refused here, and said so, before it leaves.
 * Not: names that this extension or the daemon uses itself.
 */
import { isObject } from "./config-file.ts";
import { METRICS } from "./metrics.ts";
import type { Labels, Sample } from "./sample.ts";

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/;
const LABEL = /^(?!__|le$|quantile$)[a-zA-Z_][a-zA-Z0-9_]{0,99}$/;
const RESERVED = /^(pi_daemon_|process_)/;
const MAX_LABELS = 10;
const FIELDS = {
  counter: ["increment"],
  gauge: ["set", "delta"],
  histogram: ["observe"],
  summary: ["observe"],
} as const satisfies Record<Sample["type"], readonly (keyof Sample)[]>;
const KNOWN = new Set(["name", "type", "labels", "increment", "set", "delta", "observe", "buckets", "help", "unit"]);

/** A sample, or a sentence. */
export function readMetric(value: unknown): Sample | string {
  if (!isObject(value)) return "expected an object";
  const { name, type, labels = {}, buckets, help, unit } = value;
  const unknown = Object.keys(value).find((key) => !KNOWN.has(key));
  if (unknown !== undefined) return `${unknown} is no field of a metric`;
  if (typeof name !== "string" || !NAME.test(name)) return "name: expected the name of a Prometheus metric";
  if (RESERVED.test(name) || Object.hasOwn(METRICS, name)) return `name: ${name} belongs to pi-daemon`;
  if (typeof type !== "string" || !isType(type)) return `type: expected one of ${Object.keys(FIELDS).join(", ")}`;
  const wrongLabel = findWrongLabel(labels);
  if (wrongLabel !== undefined) return wrongLabel;
  const amount = readAmount(value, type);
  if (typeof amount === "string") return amount;
  if (buckets !== undefined && (type !== "histogram" || !areBuckets(buckets))) {
    return "buckets: expected rising numbers, of a histogram";
  }
  if (help !== undefined && !isText(help, 500)) return "help: expected at most 500 characters";
  if (unit !== undefined && !isWord(unit)) return "unit: expected a word";
  return {
    name,
    type,
    labels: { ...(labels as Labels) },
    ...amount,
    ...(buckets === undefined ? {} : { buckets: [...(buckets as number[])] }),
    ...(help === undefined ? {} : { help }),
    ...(unit === undefined ? {} : { unit }),
  };
}

function isType(type: string): type is Sample["type"] {
  return Object.hasOwn(FIELDS, type);
}

function findWrongLabel(labels: unknown): string | undefined {
  if (!isObject(labels)) return "labels: expected an object";
  const pairs = Object.entries(labels);
  if (pairs.length > MAX_LABELS) return `labels: expected at most ${MAX_LABELS}`;
  const wrong = pairs.find(([key, text]) => !LABEL.test(key) || !isText(text, 200));
  return wrong && `labels.${wrong[0]}: expected a label name, and a text of at most 200 characters`;
}

function readAmount(value: Readonly<Record<string, unknown>>, type: Sample["type"]): Partial<Sample> | string {
  const allowed: readonly string[] = FIELDS[type];
  const given = ["increment", "set", "delta", "observe"].filter((field) => value[field] !== undefined);
  if (type === "counter" && given.length === 0) return { increment: 1 };
  const field = given[0];
  if (given.length !== 1 || field === undefined || !allowed.includes(field)) {
    return `a ${type} takes ${allowed.join(" or ")}`;
  }
  const amount = value[field];
  if (typeof amount !== "number" || !Number.isFinite(amount)) return `${field}: expected a finite number`;
  if (type === "counter" && amount < 0) return "increment: expected 0 or more";
  return { [field]: amount };
}

function areBuckets(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > 64) return false;
  return value.every((bound, index) => Number.isFinite(bound) && (index === 0 || bound > (value[index - 1] as number)));
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && /^[a-zA-Z0-9_]{1,50}$/.test(value);
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length <= maxLength && value.isWellFormed();
}
