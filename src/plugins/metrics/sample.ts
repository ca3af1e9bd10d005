/**
 * The JSON of one metric into a sample, or the list of what is wrong with it.
 *
 * Written out by hand and not with the combinators of `core/validate.ts`: it runs for every sample, and which value
 * field is right depends on the type.
 *
 * Errors: faults of shape only. Whether the sample fits what is there (type, limits, reserved names) is the registry's
 * business.
 */
import type { Exemplar } from "../../core/family.ts";
import { type LabelSet, labelsFrom, NO_LABELS } from "../../core/label-set.ts";
import { findLabelNameFault, findMetricNameFault, METRIC_TYPES, type MetricType } from "../../core/names.ts";
import { nearest } from "../../core/nearest.ts";
import type { Sample, Series } from "../../core/series.ts";
import type { Issue } from "../../core/validate.ts";

const MOST_NAME_CHARACTERS = 256;
const MOST_HELP_CHARACTERS = 4096;
const MOST_BUCKETS = 64;
/** OpenMetrics 1.0: the label names and values of an exemplar, together. */
const MOST_EXEMPLAR_CHARACTERS = 128;
/** Of one metric or envelope that are told: a body of 1 MiB could have 100 000, and an answer of 26 MB. */
export const MOST_ISSUES = 20;

const VALUE_FIELDS = ["increment", "set", "delta", "observe"] as const;
type ValueField = (typeof VALUE_FIELDS)[number];

const FIELDS_OF_TYPE: Readonly<Record<MetricType, readonly ValueField[]>> = {
  counter: ["increment"],
  gauge: ["set", "delta"],
  histogram: ["observe"],
  summary: ["observe"],
};

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  "name",
  "type",
  "labels",
  ...VALUE_FIELDS,
  "timestamp",
  "help",
  "unit",
  "buckets",
  "exemplar",
]);

type JsonObject = Readonly<Record<string, unknown>>;

/** The fields by name: reading them so is several times as fast as by a variable. */
interface MetricJson extends JsonObject {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly labels?: unknown;
  readonly increment?: unknown;
  readonly set?: unknown;
  readonly delta?: unknown;
  readonly observe?: unknown;
  readonly timestamp?: unknown;
  readonly help?: unknown;
  readonly unit?: unknown;
  readonly buckets?: unknown;
  readonly exemplar?: unknown;
}

/** Finds the series that a metric names, when its name and labels have been checked before. */
export type Recognise = (name: string, type: unknown, labels: JsonObject) => Series | undefined;

/** Reads one metric; what is wrong with it is added to `issues`, up to {@link MOST_ISSUES}. */
export function readSample(value: unknown, issues: Issue[], recognise: Recognise): Sample | undefined {
  if (!isObject(value)) {
    issues.push({ path: "", message: "expected an object with name, type and a value" });
    return undefined;
  }
  const series = recogniseSeries(value, recognise);
  const faults = issues.length;
  checkFields(value, series !== undefined, issues);
  return issues.length === faults ? toSample(value, series) : undefined;
}

function recogniseSeries({ name, type, labels }: MetricJson, recognise: Recognise): Series | undefined {
  if (typeof name !== "string") return undefined;
  if (labels === undefined) return recognise(name, type, NO_LABEL_OBJECT);
  return isObject(labels) ? recognise(name, type, labels) : undefined;
}

const NO_LABEL_OBJECT: JsonObject = {};

/** A sample from JSON that has been checked before. */
export function toSample(metric: MetricJson, series?: Series): Sample {
  const type = metric.type as MetricType;
  const { set, exemplar } = metric;
  return {
    name: metric.name as string,
    type,
    labels: series === undefined ? toLabels(metric.labels) : series.labels,
    operation: type === "histogram" || type === "summary" ? "observe" : set === undefined ? "add" : "set",
    value: (metric.increment ?? set ?? metric.delta ?? metric.observe ?? 1) as number,
    timestampMs: metric.timestamp as number | undefined,
    help: metric.help as string | undefined,
    unit: metric.unit as string | undefined,
    buckets: metric.buckets as number[] | undefined,
    exemplar: exemplar === undefined ? undefined : toExemplar(exemplar as JsonObject),
    series,
  };
}

function toLabels(labels: unknown): LabelSet {
  return labels === undefined ? NO_LABELS : labelsFrom(labels as Record<string, string>);
}

function toExemplar(exemplar: JsonObject): Exemplar {
  const labels = toLabels(exemplar["labels"]);
  const timestampMs = exemplar["timestamp"] as number | undefined;
  return { labels, value: exemplar["value"] as number, ...(timestampMs !== undefined && { timestampMs }) };
}

/** Adds an issue, and answers whether there is room for more. */
function report(issues: Issue[], path: string, message: string): boolean {
  if (issues.length < MOST_ISSUES) issues.push({ path, message });
  return issues.length < MOST_ISSUES;
}

function checkFields(metric: MetricJson, isRecognised: boolean, issues: Issue[]): void {
  for (const field in metric)
    if (!KNOWN_FIELDS.has(field) && !report(issues, shorten(field), unknownField(field))) return;
  if (!isRecognised) checkName(metric.name, issues);
  if (!isRecognised && metric.labels !== undefined) checkLabels(metric.labels, "labels", issues);
  const type = metric.type as MetricType;
  if (METRIC_TYPES.includes(type)) checkValue(metric, type, issues);
  else report(issues, "type", `expected "counter", "gauge", "histogram" or "summary"${given(type)}`);
  if (metric.timestamp !== undefined) checkTimestamp(metric.timestamp, "timestamp", issues);
  if (metric.help !== undefined) checkText(metric.help, "help", issues);
  if (metric.unit !== undefined) checkUnit(metric.unit, issues);
  if (metric.buckets !== undefined) checkBuckets(metric.buckets, type, issues);
  if (metric.exemplar !== undefined) checkExemplar(metric.exemplar, type, issues);
}

function unknownField(field: string): string {
  const near = nearest(field, [...KNOWN_FIELDS]);
  return `unknown field${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

function checkName(name: unknown, issues: Issue[]): void {
  if (typeof name !== "string")
    return void report(issues, "name", `expected the metric's name as a string${given(name)}`);
  if (name.length > MOST_NAME_CHARACTERS)
    return void report(issues, "name", `expected at most ${MOST_NAME_CHARACTERS} characters, not ${name.length}`);
  const fault = findMetricNameFault(name);
  if (fault !== undefined) report(issues, "name", fault);
}

function checkLabels(labels: unknown, field: string, issues: Issue[]): void {
  if (!isObject(labels))
    return void report(issues, field, `expected an object of label keys and string values${given(labels)}`);
  for (const key in labels) {
    const fault =
      key.length > MOST_NAME_CHARACTERS
        ? `expected at most ${MOST_NAME_CHARACTERS} characters in a label key`
        : findLabelNameFault(key);
    if (fault !== undefined && !report(issues, `${field}.${shorten(key)}`, fault)) return;
    const valueFault = findLabelValueFault(labels[key]);
    if (valueFault !== undefined && !report(issues, `${field}.${shorten(key)}`, valueFault)) return;
  }
}

function findLabelValueFault(value: unknown): string | undefined {
  if (typeof value !== "string") return `expected a string${given(value)}`;
  return value.isWellFormed() ? undefined : "expected Unicode text without lone surrogates";
}

function checkValue(metric: MetricJson, type: MetricType, issues: Issue[]): void {
  const { increment, set, delta, observe } = metric;
  const allowed = FIELDS_OF_TYPE[type];
  if (increment !== undefined) checkNumber("increment", increment, allowed, issues);
  if (set !== undefined) checkNumber("set", set, allowed, issues);
  if (delta !== undefined) checkNumber("delta", delta, allowed, issues);
  if (observe !== undefined) checkNumber("observe", observe, allowed, issues);
  if (set !== undefined && delta !== undefined && type === "gauge")
    report(issues, "delta", "a gauge takes either set or delta, not both");
  const isMissing = increment === undefined && set === undefined && delta === undefined && observe === undefined;
  if (isMissing && type !== "counter") report(issues, allowed[0]!, `missing: a ${type} takes ${allowed.join(" or ")}`);
  if (type === "counter" && typeof increment === "number" && increment < 0) {
    report(issues, "increment", `expected a number >= 0, not ${increment}: a counter never goes down`);
  }
}

function checkNumber(field: ValueField, value: unknown, allowed: readonly ValueField[], issues: Issue[]): void {
  if (!allowed.includes(field)) report(issues, field, `this type takes ${allowed.join(" or ")}, not ${field}`);
  else if (!isFiniteNumber(value)) report(issues, field, `expected a finite number${given(value)}`);
}

function checkTimestamp(timestamp: unknown, field: string, issues: Issue[]): void {
  if (!isFiniteNumber(timestamp) || timestamp < 0)
    report(issues, field, `expected milliseconds since 1970 as a number >= 0${given(timestamp)}`);
}

function checkText(text: unknown, field: string, issues: Issue[]): void {
  if (typeof text !== "string") report(issues, field, `expected a string${given(text)}`);
  else if (text.length > MOST_HELP_CHARACTERS)
    report(issues, field, `expected at most ${MOST_HELP_CHARACTERS} characters, not ${text.length}`);
  else if (!text.isWellFormed()) report(issues, field, "expected Unicode text without lone surrogates");
}

function checkUnit(unit: unknown, issues: Issue[]): void {
  const isUnit = typeof unit === "string" && unit.length <= MOST_NAME_CHARACTERS && /^[a-zA-Z0-9_]+$/.test(unit);
  if (!isUnit) report(issues, "unit", `expected a unit such as "seconds": letters, digits and _${given(unit)}`);
}

function checkBuckets(buckets: unknown, type: MetricType, issues: Issue[]): void {
  if (type !== "histogram") report(issues, "buckets", "only a histogram takes buckets");
  const fault = findBucketsFault(buckets);
  if (fault !== undefined) report(issues, "buckets", fault);
}

/** What is wrong with a list of upper bounds, or `undefined`. +Inf is implied and may not be given. */
export function findBucketsFault(buckets: unknown): string | undefined {
  const isRising =
    Array.isArray(buckets) &&
    buckets.every((bound, index) => isFiniteNumber(bound) && (index === 0 || bound > buckets[index - 1]));
  if (isRising && buckets.length >= 1 && buckets.length <= MOST_BUCKETS) return undefined;
  return `expected 1 to ${MOST_BUCKETS} finite upper bounds in rising order (+Inf is added by itself)`;
}

function checkExemplar(exemplar: unknown, type: MetricType, issues: Issue[]): void {
  if (type !== "counter" && type !== "histogram")
    report(issues, "exemplar", "only counters and histograms take an exemplar");
  if (!isObject(exemplar))
    return void report(issues, "exemplar", `expected an object with labels and value${given(exemplar)}`);
  for (const field in exemplar) {
    if (field === "labels" || field === "value" || field === "timestamp") continue;
    if (!report(issues, `exemplar.${shorten(field)}`, "unknown field; an exemplar has labels, value and timestamp"))
      return;
  }
  if (!isFiniteNumber(exemplar["value"]))
    report(issues, "exemplar.value", `expected a finite number${given(exemplar["value"])}`);
  if (exemplar["timestamp"] !== undefined) checkTimestamp(exemplar["timestamp"], "exemplar.timestamp", issues);
  if (exemplar["labels"] === undefined) return;
  checkLabels(exemplar["labels"], "exemplar.labels", issues);
  const characters = isObject(exemplar["labels"]) ? [...Object.entries(exemplar["labels"]).flat().join("")].length : 0;
  if (characters > MOST_EXEMPLAR_CHARACTERS) {
    report(
      issues,
      "exemplar.labels",
      `expected at most ${MOST_EXEMPLAR_CHARACTERS} characters in all names and values, not ${characters}`,
    );
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** What was sent instead, short enough for a message. */
function given(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "number") return `, not ${value}`;
  if (typeof value === "string") return `, not ${JSON.stringify(shorten(value))}`;
  if (value === null) return ", not null";
  if (Array.isArray(value)) return ", not an array";
  return `, not ${typeof value === "object" ? "an object" : String(value)}`;
}

function shorten(text: string): string {
  return text.length <= 64 ? text : text.slice(0, 64) + "…";
}
