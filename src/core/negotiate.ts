/**
 * Accept and Accept-Encoding -> the format, content type and coding of an exposition.
 *
 * Source: RFC 9110, 12.4.2 (quality), 12.5.1 (Accept), 12.5.3 (Accept-Encoding); Prometheus' content types, to the
 *   letter.
 * Order: the higher quality wins, then the more specific range, then the earlier one. Wildcards stand for the text
 *   format.
 * Errors: none; a range that cannot be read counts as absent, and a client that accepts neither format gets text.
 * Not: versions other than text 0.0.4 and OpenMetrics 1.0.0; schemes for names beyond ASCII, which are never exposed.
 */
import type { ExpositionFormat } from "./exposition.ts";

export interface ExpositionVariant {
  readonly format: ExpositionFormat;
  readonly contentType: string;
  readonly gzip: boolean;
}

const expositionContentTypes: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The headers as received, `undefined` where absent. Answers should carry `Vary: Accept, Accept-Encoding`. */
export function negotiateExposition(accept: string | undefined, acceptEncoding: string | undefined): ExpositionVariant {
  const format = chooseFormat(parseRanges(accept ?? ""));
  return { format, contentType: expositionContentTypes[format], gzip: acceptsGzip(acceptEncoding) };
}

/** Whether gzip is acceptable, and not less welcome than no coding at all. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const ranges = parseRanges(acceptEncoding ?? "");
  const qualityOf = (...names: string[]): number | undefined =>
    ranges.find(({ name }) => names.includes(name))?.quality;
  const gzip = qualityOf("gzip", "x-gzip") ?? qualityOf("*") ?? 0;
  return gzip > 0 && gzip >= (qualityOf("identity") ?? 0);
}

interface Range {
  /** Lower case: `text/plain`, `gzip`, `*`. */
  readonly name: string;
  /** `;version=`; empty when absent. */
  readonly version: string;
  /** 0 to 1. */
  readonly quality: number;
}

const qualityPattern = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

function parseRanges(header: string): Range[] {
  return header
    .split(",")
    .map(parseRange)
    .filter((range) => range !== undefined);
}

function parseRange(text: string): Range | undefined {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  let version = "";
  let quality = 1;
  for (const parameter of parameters) {
    const value = parameter.slice(parameter.indexOf("=") + 1).replace(/^"(.*)"$/, "$1");
    if (parameter.startsWith("version=")) version = value;
    if (!parameter.startsWith("q=")) continue;
    if (!qualityPattern.test(value)) return undefined;
    quality = Number(value);
  }
  return name === "" ? undefined : { name, version, quality };
}

/** How well a format is asked for. */
interface Claim {
  readonly quality: number;
  /** 0 for a range that names the format, more for a wildcard. */
  readonly vagueness: number;
  readonly position: number;
}

function chooseFormat(ranges: readonly Range[]): ExpositionFormat {
  const openMetrics = findClaim(ranges, "1.0.0", ["application/openmetrics-text"]);
  if (openMetrics === undefined || openMetrics.quality === 0) return "text";
  const text = findClaim(ranges, "0.0.4", ["text/plain", "text/*", "*/*"]);
  if (text === undefined) return "openmetrics";
  const preference =
    openMetrics.quality - text.quality ||
    text.vagueness - openMetrics.vagueness ||
    text.position - openMetrics.position;
  return preference > 0 ? "openmetrics" : "text";
}

/** The most specific range for a version; `names` from the format's own to the vaguest. */
function findClaim(ranges: readonly Range[], version: string, names: readonly string[]): Claim | undefined {
  for (const [vagueness, name] of names.entries()) {
    const named = ranges.filter((range) => range.name === name && ["", version].includes(range.version));
    if (named.length === 0) continue;
    const best = named.reduce((one, other) => (other.quality > one.quality ? other : one));
    return { quality: best.quality, vagueness, position: ranges.indexOf(best) };
  }
  return undefined;
}
