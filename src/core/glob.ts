/**
 * A pattern for paths -> a test for them, as git's wildmatch understands it.
 *
 * `*` any characters but no slash, `?` one, `[a-z]`, `[!a-z]`, `[[:digit:]]` one of a class, a double star between
 * slashes any number of folders, `\x` the character itself.
 * Source: gitignore(5) and the behaviour of git's wildmatch.c with WM_PATHNAME, case sensitive.
 * Errors: none; a pattern that is not whole (`[a`, a backslash at its end) matches nothing.
 * Cost: path x pattern at worst, also for hostile patterns.
 * Not: git matches bytes; `?` and classes here take a whole character.
 */
import { coversAll } from "./wildcards.ts";

/** Paths are parted by `/`, without one at the beginning or the end. */
export type Glob = (path: string) => boolean;

const STAR = Symbol("*");
const ANY_FOLDERS = Symbol("**");

type CharacterTest = (character: string) => boolean;
/** Of the pattern for one name: literal text, one character, any characters. */
type Token = string | CharacterTest | typeof STAR;
type NameTest = (name: string) => boolean;

/** The pattern is matched against the whole path. */
export function compileGlob(pattern: string): Glob {
  const names = parseGlob(pattern);
  if (names === undefined) return () => false;
  const parts = names.map((name) => (name === ANY_FOLDERS ? ANY_FOLDERS : compileName(name)));
  const [only] = parts;
  if (parts.length === 1 && typeof only === "function") return (path) => !path.includes("/") && only(path);
  return (path) => matchesParts(parts, path.split("/"));
}

function matchesParts(parts: readonly (NameTest | typeof ANY_FOLDERS)[], names: readonly string[]): boolean {
  // A double star at the end asks for at least one name: `a/**` is what lies in `a`, not `a`.
  const endsOpen = parts.at(-1) === ANY_FOLDERS;
  const items = endsOpen ? [...parts, () => true] : parts;
  return coversAll(
    {
      length: items.length,
      isStar: (item) => items[item] === ANY_FOLDERS,
      step: (item, at) => ((items[item] as NameTest)(names[at]!) ? at + 1 : -1),
    },
    names.length,
  );
}

function compileName(tokens: readonly Token[]): NameTest {
  const [first, second] = tokens;
  if (tokens.length === 0) return (name) => name === "";
  if (tokens.length === 1 && typeof first === "string") return (name) => name === first;
  if (tokens.length === 2 && first === STAR && typeof second === "string") return (name) => name.endsWith(second);
  return (name) =>
    coversAll(
      {
        length: tokens.length,
        isStar: (item) => tokens[item] === STAR,
        step: (item, at) => step(tokens[item] as string | CharacterTest, name, at),
      },
      name.length,
    );
}

function step(token: string | CharacterTest, name: string, at: number): number {
  if (typeof token === "string") return name.startsWith(token, at) ? at + token.length : -1;
  const character = String.fromCodePoint(name.codePointAt(at)!);
  return token(character) ? at + character.length : -1;
}

/** `undefined` for a pattern that matches nothing. */
function parseGlob(pattern: string): (Token[] | typeof ANY_FOLDERS)[] | undefined {
  const names: (Token[] | typeof ANY_FOLDERS)[] = [[]];
  let at = 0;
  while (at < pattern.length) {
    const name = names.at(-1);
    const character = String.fromCodePoint(pattern.codePointAt(at)!);
    const start = at;
    at += character.length;
    if (character === "/") {
      names.push([]);
    } else if (character === "*") {
      while (pattern[at] === "*") at++;
      if (at - start >= 2 && standsAlone(pattern, start, at)) names[names.length - 1] = ANY_FOLDERS;
      else add(name, STAR);
    } else if (character === "?") {
      add(name, () => true);
    } else if (character === "[") {
      const found = parseClass(pattern, at);
      if (found === undefined) return undefined;
      add(name, found.test);
      at = found.end;
    } else if (character !== "\\") {
      add(name, character);
    } else if (at === pattern.length) {
      return undefined;
    } else if (pattern[at] === "/") {
      // The slash itself comes next, and parts names as ever.
    } else {
      const escaped = String.fromCodePoint(pattern.codePointAt(at)!);
      add(name, escaped);
      at += escaped.length;
    }
  }
  return names;
}

function standsAlone(pattern: string, start: number, end: number): boolean {
  const isFirst = start === 0 || pattern[start - 1] === "/";
  return isFirst && (end === pattern.length || pattern[end] === "/" || pattern.startsWith("\\/", end));
}

function add(name: Token[] | typeof ANY_FOLDERS | undefined, token: Token): void {
  if (!Array.isArray(name)) return;
  const last = name.at(-1);
  if (typeof last === "string" && typeof token === "string") name[name.length - 1] = last + token;
  else name.push(token);
}

const POSIX_CLASSES = new Map<string, RegExp>([
  ["alnum", /[A-Za-z0-9]/],
  ["alpha", /[A-Za-z]/],
  ["blank", /[ \t]/],
  ["cntrl", /[\x00-\x1f\x7f]/],
  ["digit", /[0-9]/],
  ["graph", /[!-~]/],
  ["lower", /[a-z]/],
  ["print", /[ -~]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[ \t\n\v\f\r]/],
  ["upper", /[A-Z]/],
  ["xdigit", /[0-9A-Fa-f]/],
]);

/** A class from just past its `[` to just past its `]`; `undefined` when it has no end or names an unknown class. */
function parseClass(pattern: string, start: number): { test: CharacterTest; end: number } | undefined {
  const isNegated = pattern[start] === "!" || pattern[start] === "^";
  const tests: CharacterTest[] = [];
  let at = isNegated ? start + 1 : start;
  /** What a range would begin with. */
  let previous: string | undefined;
  for (let isFirst = true; isFirst || pattern[at] !== "]"; isFirst = false) {
    if (at >= pattern.length) return undefined;
    const named = pattern.startsWith("[:", at) ? readNamedClass(pattern, at) : undefined;
    if (named !== undefined) {
      if (named.expression === undefined) return undefined;
      const { expression } = named;
      tests.push((character) => expression.test(character));
      at = named.end;
      previous = undefined;
    } else if (pattern[at] === "-" && previous !== undefined && at + 1 < pattern.length && pattern[at + 1] !== "]") {
      const [low, high] = [previous, readCharacter(pattern, at + 1)];
      if (high === undefined) return undefined;
      tests.push((character) => isBetween(character, low, high.character));
      at = high.end;
      previous = undefined;
    } else {
      const one = readCharacter(pattern, at);
      if (one === undefined) return undefined;
      tests.push((character) => character === one.character);
      at = one.end;
      previous = one.character;
    }
  }
  return { test: (character) => tests.some((test) => test(character)) !== isNegated, end: at + 1 };
}

/** `[:digit:]`; `undefined` where `[:` is the beginning of no name, and stands for itself. */
function readNamedClass(pattern: string, at: number): { expression: RegExp | undefined; end: number } | undefined {
  const end = pattern.indexOf("]", at + 2);
  if (end === -1) return { expression: undefined, end };
  if (end < at + 3 || pattern[end - 1] !== ":") return undefined;
  return { expression: POSIX_CLASSES.get(pattern.slice(at + 2, end - 1)), end: end + 1 };
}

function readCharacter(pattern: string, start: number): { character: string; end: number } | undefined {
  const at = pattern[start] === "\\" ? start + 1 : start;
  if (at >= pattern.length) return undefined;
  const character = String.fromCodePoint(pattern.codePointAt(at)!);
  return { character, end: at + character.length };
}

function isBetween(character: string, low: string, high: string): boolean {
  const code = character.codePointAt(0)!;
  return code >= low.codePointAt(0)! && code <= high.codePointAt(0)!;
}
