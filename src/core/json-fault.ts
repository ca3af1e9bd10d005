/**
 * Finds the first place where a text stops being JSON, and says what was expected there.
 *
 * Source: RFC 8259. `JSON.parse` finds the same texts faulty, but often tells no place.
 * Units: lines and columns count from 1; a column is a UTF-16 unit.
 * Cost: one pass, without recursion.
 */
import { quote, shorten } from "./printable.ts";

export interface JsonFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** What may come next. `key` and `value` follow a comma; the `OrEnd` forms follow an opening bracket. */
type Next = "value" | "valueOrEnd" | "key" | "keyOrEnd" | "colon" | "commaOrEnd" | "nothing";

const SPACE = /[ \t\n\r]*/y;
const UNCLOSED = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*/y;
const SCALAR = new RegExp(`${UNCLOSED.source}"|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null`, "y");
const WORD = /[^\s,:[\]{}"']+|[^]/uy;

/** The first fault, or `undefined` when the text is JSON and nests no deeper than `maxDepth`. */
export function findJsonFault(text: string, maxDepth = Infinity): JsonFault | undefined {
  const open: { readonly bracket: string; readonly at: number }[] = [];
  let next: Next = "value";
  for (let at = skip(SPACE, text, 0); at < text.length; at = skip(SPACE, text, at)) {
    const char = text.charAt(at);
    if (mayEnd(next) && char === closing(open.at(-1)?.bracket)) {
      open.pop();
      next = open.length === 0 ? "nothing" : "commaOrEnd";
      at++;
    } else if (next === "colon" || next === "commaOrEnd") {
      if (char !== (next === "colon" ? ":" : ",")) return faultAt(text, at, next, open.at(-1)?.bracket);
      next = next === "commaOrEnd" && open.at(-1)!.bracket === "{" ? "key" : "value";
      at++;
    } else if (wantsValue(next) && (char === "{" || char === "[")) {
      if (open.length >= maxDepth) {
        return { ...place(text, at), message: `expected at most ${maxDepth} levels of nesting` };
      }
      open.push({ bracket: char, at });
      next = char === "{" ? "keyOrEnd" : "valueOrEnd";
      at++;
    } else {
      const end = skip(SCALAR, text, at);
      const fits = end > at && next !== "nothing" && (wantsValue(next) || char === '"');
      if (!fits) return faultAt(text, at, next, open.at(-1)?.bracket);
      next = !wantsValue(next) ? "colon" : open.length === 0 ? "nothing" : "commaOrEnd";
      at = end;
    }
  }
  return next === "nothing" ? undefined : faultAtEnd(text, open.at(-1));
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function mayEnd(next: Next): boolean {
  return next === "valueOrEnd" || next === "keyOrEnd" || next === "commaOrEnd";
}

function wantsValue(next: Next): boolean {
  return next === "value" || next === "valueOrEnd";
}

function closing(bracket: string | undefined): string | undefined {
  return bracket === "{" ? "}" : bracket === "[" ? "]" : undefined;
}

function faultAt(text: string, at: number, next: Next, bracket: string | undefined): JsonFault {
  return { ...place(text, at), message: explain(text, at, next, bracket) };
}

function explain(text: string, at: number, next: Next, bracket: string | undefined): string {
  const char = text.charAt(at);
  const word = text.slice(at, skip(WORD, text, at));
  const found = quote(shorten(word, 40));
  if (char === "/" || char === "#") return "JSON has no comments";
  if (char === "'") return "strings take double quotes, not single ones";
  if (char === '"' && (wantsValue(next) || next.startsWith("key"))) return explainString(text, at);
  if (next === "nothing") return `expected nothing more after the value, found ${found}`;
  if (next === "colon") return `expected ":" after the key, found ${found}`;
  if (next === "commaOrEnd") return `expected "," or "${closing(bracket)}", found ${found}`;
  if (char === "}" || char === "]") {
    if (next === "key" || (next === "value" && bracket === "[")) return `there may be no comma before "${char}"`;
    return `expected ${next.startsWith("key") ? "a key" : "a value"}, found ${found}`;
  }
  if (next === "key" || next === "keyOrEnd") return `expected a key in double quotes, found ${found}`;
  return `expected a value, found ${found}`;
}

/** A string that SCALAR does not match: never closed, or with something in it that must be escaped. */
function explainString(text: string, at: number): string {
  const end = skip(UNCLOSED, text, at);
  if (end >= text.length) return "the string that begins here is never closed";
  const isEscape = text.charAt(end) === "\\";
  const what = isEscape ? "a wrong escape, " : "a raw control character, ";
  return `the string that begins here holds ${what}${quote(text.slice(end, isEscape ? end + 2 : end + 1))}`;
}

function faultAtEnd(text: string, open: { bracket: string; at: number } | undefined): JsonFault {
  const end = place(text, text.length);
  if (!open) return { ...end, message: "expected a value, found nothing" };
  const { line, column } = place(text, open.at);
  return { ...end, message: `the text ends before the "${open.bracket}" at line ${line}, column ${column} is closed` };
}

function place(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: at - lineStart + 1 };
}
