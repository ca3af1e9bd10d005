/**
 * An exposition document -> its families and samples, refusing whatever the format does not allow: an oracle for the
 * encoder.
 *
 * Source: Prometheus text 0.0.4 and OpenMetrics 1.0, both read strictly: one head a family and before its samples, no
 *   family in two places, no sample twice, a line feed at the end, `# EOF` last.
 * Errors: SyntaxError with the line.
 */
export interface ParsedSample {
  readonly name: string;
  /** In the order of the line. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
  /** The text of the value. */
  readonly number: string;
  readonly timestamp: string | undefined;
  readonly exemplar: { readonly labels: ParsedSample["labels"]; readonly value: number } | undefined;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string | undefined;
  readonly unit: string | undefined;
  readonly samples: readonly ParsedSample[];
}

interface OpenFamily extends ParsedFamily {
  type: string;
  help: string | undefined;
  unit: string | undefined;
  readonly samples: ParsedSample[];
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  text_counter: [""],
  openmetrics_counter: ["_total", "_created"],
  text_gauge: [""],
  openmetrics_gauge: [""],
  text_untyped: [""],
  openmetrics_unknown: [""],
  text_histogram: ["_bucket", "_sum", "_count"],
  openmetrics_histogram: ["_bucket", "_sum", "_count", "_created"],
  text_summary: ["", "_sum", "_count"],
  openmetrics_summary: ["", "_sum", "_count", "_created"],
};

export function parseExposition(document: string, format: "text" | "openmetrics"): ParsedFamily[] {
  const lines = document.split("\n");
  if (lines.pop() !== "") throw new SyntaxError("the last line does not end");
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new SyntaxError("# EOF is missing");
  const reader = new Reader(format);
  for (const line of lines) {
    const fault = reader.read(line);
    if (fault !== undefined) throw new SyntaxError(`${fault}: ${JSON.stringify(line)}`);
  }
  return reader.families;
}

class Reader {
  readonly families: OpenFamily[] = [];
  readonly #format: "text" | "openmetrics";
  readonly #seen = new Set<string>();

  constructor(format: "text" | "openmetrics") {
    this.#format = format;
  }

  /** What is wrong with the line, if anything. */
  read(line: string): string | undefined {
    const head = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line);
    if (head) return this.#readHead(head[1]!, head[2]!, head[3]!);
    const sample = parseSample(line, this.#format);
    return sample ? this.#readSample(sample) : "neither metadata nor sample";
  }

  #readHead(keyword: string, name: string, rest: string): string | undefined {
    if (this.families.at(-1)?.name !== name) {
      if (this.families.some((family) => family.name === name)) return "a family in two places";
      this.families.push({ name, type: "", help: undefined, unit: undefined, samples: [] });
    }
    const family = this.families.at(-1)!;
    if (family.samples.length > 0) return "metadata after samples";
    if (keyword === "HELP" ? family.help !== undefined : keyword === "TYPE" ? family.type !== "" : family.unit) {
      return "metadata twice";
    }
    if (keyword === "UNIT" && (this.#format === "text" || !name.endsWith(`_${rest}`))) return "a unit out of place";
    if (keyword === "HELP") family.help = unescape(rest, this.#format);
    else if (keyword === "TYPE") family.type = rest;
    else family.unit = rest;
    return undefined;
  }

  #readSample(sample: ParsedSample): string | undefined {
    const family = this.families.at(-1);
    if (!family) return "a sample without a family";
    const allowed = suffixes[`${this.#format}_${family.type}`] ?? [];
    if (!allowed.some((suffix) => sample.name === family.name + suffix)) return "a sample of another family";
    const takesExemplar = family.type !== "unknown" && /_(?:total|bucket)$/.test(sample.name);
    if (sample.exemplar && !takesExemplar) return "an exemplar out of place";
    const key = JSON.stringify([sample.name, sample.labels.map((pair) => pair.join("=")).sort()]);
    if (this.#seen.has(key)) return "a sample twice";
    this.#seen.add(key);
    family.samples.push(sample);
    return undefined;
  }
}

const quoted = String.raw`"(?:[^"\\]|\\.)*"`;
const sampleName = "([a-zA-Z_:][a-zA-Z0-9_:]*)";
const sampleLabels = String.raw`(\{(?:[^"}]|${quoted})+\})?`;
const sampleExemplar = String.raw`(?: # (\{(?:[^"}]|${quoted})*\}) (\S+)(?: (\S+))?)?`;
const samplePattern = new RegExp(String.raw`^${sampleName}${sampleLabels} (\S+)(?: (\S+))?${sampleExemplar}$`, "s");

function parseSample(line: string, format: "text" | "openmetrics"): ParsedSample | undefined {
  const match = samplePattern.exec(line);
  if (!match) return undefined;
  const [, name = "", labels, number = "", timestamp, exemplarLabels, exemplarValue = ""] = match;
  if (format === "text" && (exemplarLabels || !/^-?\d+$/.test(timestamp ?? "0"))) return undefined;
  const value = parseNumber(number);
  if (value === undefined) return undefined;
  const exemplar = exemplarLabels && { labels: parseLabels(exemplarLabels), value: parseNumber(exemplarValue)! };
  return { name, labels: parseLabels(labels ?? "{}"), value, number, timestamp, exemplar: exemplar || undefined };
}

function parseLabels(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  let rest = text.slice(1, -1);
  while (rest !== "") {
    const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/s.exec(rest);
    if (!match) throw new SyntaxError(`not a list of labels: ${JSON.stringify(text)}`);
    if (pairs.some(([name]) => name === match[1])) throw new SyntaxError(`a label twice: ${JSON.stringify(text)}`);
    pairs.push([match[1]!, unescape(match[2]!, "openmetrics")]);
    rest = rest.slice(match[0].length);
  }
  return pairs;
}

/** A decimal number as Go and every parser of expositions reads it, or `undefined`. */
export function parseNumber(text: string): number | undefined {
  if (text === "NaN") return NaN;
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return /^-?\d+(?:\.\d+)?(?:e[+-]\d{2,3})?$/.test(text) ? Number(text) : undefined;
}

function unescape(text: string, format: "text" | "openmetrics"): string {
  const escapes = format === "text" ? /\\(.)|\\$/gs : /\\(.)|\\$|"/gs;
  return text.replace(escapes, (escape, letter: string | undefined) => {
    if (letter === "n") return "\n";
    if (letter === "\\" || (letter === '"' && format === "openmetrics")) return letter;
    throw new SyntaxError(`not an escape: ${JSON.stringify(escape)}`);
  });
}
