/**
 * Turns the Prometheus text format back into families of samples.
 *
 * Source: Prometheus text exposition format 0.0.4. Exemplars and timestamps are passed over.
 * Order: families and samples as they stand in the text.
 * Errors: SyntaxError with the line, for a line that is none of the format.
 */
export interface ScrapedSample {
  /** With its suffix: `x_bucket`. */
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface ScrapedFamily {
  readonly name: string;
  /** `untyped` where the text says nothing. */
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ScrapedSample[];
}

interface OpenFamily {
  name: string;
  type: string;
  help: string;
  samples: ScrapedSample[];
}

const META = /^# (HELP|TYPE) ([^ ]+)(?: (.*))?$/s;
const SAMPLE_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"\s*(,?)/sy;
const VALUE = /\s+(\S+)/y;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["", "_total", "_created"],
  histogram: ["_bucket", "_sum", "_count", "_created"],
  summary: ["", "_sum", "_count", "_created"],
};

export function parseExposition(text: string): ScrapedFamily[] {
  const families: OpenFamily[] = [];
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    if (line.startsWith("#")) return readComment(line, families);
    const sample = readSample(line);
    if (sample === undefined) {
      throw new SyntaxError(`Cannot parse line ${index + 1} of the metrics: ${JSON.stringify(line.slice(0, 80))}`);
    }
    const last = families.at(-1);
    if (last && belongsTo(sample.name, last)) last.samples.push(sample);
    else openFamily(families, sample.name).samples.push(sample);
  });
  return families;
}

function readComment(line: string, families: OpenFamily[]): void {
  const match = META.exec(line);
  if (!match) return;
  const [, keyword, name, rest = ""] = match as unknown as [string, string, string, string?];
  const last = families.at(-1);
  const family = last?.name === name && last.samples.length === 0 ? last : openFamily(families, name);
  if (keyword === "TYPE") family.type = rest;
  else family.help = unescape(rest);
}

function openFamily(families: OpenFamily[], name: string): OpenFamily {
  const family = { name, type: "untyped", help: "", samples: [] };
  families.push(family);
  return family;
}

function belongsTo(sampleName: string, family: OpenFamily): boolean {
  return (SUFFIXES[family.type] ?? [""]).some((suffix) => sampleName === family.name + suffix);
}

function readSample(line: string): ScrapedSample | undefined {
  SAMPLE_NAME.lastIndex = 0;
  const name = SAMPLE_NAME.exec(line)?.[0];
  if (name === undefined) return undefined;
  const labels = new Map<string, string>();
  const at = readLabels(line, name.length, labels);
  if (at === undefined) return undefined;
  VALUE.lastIndex = at;
  const value = parseValue(VALUE.exec(line)?.[1]);
  return value === undefined ? undefined : { name, labels, value };
}

/** Where the text goes on after the labels; `undefined` when they are broken. */
function readLabels(line: string, start: number, labels: Map<string, string>): number | undefined {
  if (line[start] !== "{") return start;
  let at = start + 1;
  for (let isOpen = true; isOpen && line[at] !== "}";) {
    LABEL.lastIndex = at;
    const match = LABEL.exec(line);
    if (!match) return undefined;
    labels.set(match[1]!, unescape(match[2]!));
    at = LABEL.lastIndex;
    isOpen = match[3] === ",";
  }
  return line[at] === "}" ? at + 1 : undefined;
}

function unescape(text: string): string {
  return text.replace(/\\([n\\"])/g, (_, char: string) => (char === "n" ? "\n" : char));
}

function parseValue(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[+-]?Inf$/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (text === "NaN") return NaN;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}
