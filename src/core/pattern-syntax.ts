/**
 * The source of a regular expression -> its tree, for those expressions that can be matched in linear time.
 *
 * Known: literals, `.`, classes, `\d \w \s \D \W \S \t \n \r \xHH \uHHHH`, groups, `|`, `* + ? {n} {n,} {n,m}`,
 * `^ $ \b`, and `(?i)` at the beginning.
 * Errors: SyntaxError with a sentence that names the column.
 * Not: back references, looking ahead or behind, lazy quantifiers; they are refused by name.
 */

/** Whether it takes a UTF-16 unit. */
export type UnitTest = (unit: number) => boolean;

export type Pattern =
  | { readonly kind: "unit"; readonly takes: UnitTest }
  | { readonly kind: "place"; readonly place: "line-start" | "line-end" | "word-edge" }
  | { readonly kind: "sequence"; readonly parts: readonly Pattern[] }
  | { readonly kind: "choice"; readonly options: readonly Pattern[] }
  | { readonly kind: "repeat"; readonly part: Pattern; readonly least: number; readonly most: number };

const MOST_REPEATS = 1_000;
const DEEPEST = 50;

export function parsePattern(source: string): Pattern {
  const ignoresCase = source.startsWith("(?i)");
  return new Parser(source, { at: ignoresCase ? 4 : 0, ignoresCase }).parse();
}

class Parser {
  readonly #source: string;
  readonly #ignoresCase: boolean;
  #at: number;
  #depth = 0;

  constructor(source: string, { at, ignoresCase }: { at: number; ignoresCase: boolean }) {
    this.#source = source;
    this.#at = at;
    this.#ignoresCase = ignoresCase;
  }

  parse(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#source.length) throw this.#fault("this bracket closes no group");
    return pattern;
  }

  #choice(): Pattern {
    if (++this.#depth > DEEPEST) throw this.#fault(`groups lie deeper than ${DEEPEST}`);
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    this.#depth--;
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at]!)) parts.push(this.#repeated());
    return { kind: "sequence", parts };
  }

  #repeated(): Pattern {
    let part = this.#single();
    for (let count = this.#quantifier(); count !== undefined; count = this.#quantifier()) {
      if (part.kind === "place") throw this.#fault("a place cannot be repeated");
      if (part.kind === "repeat") throw this.#fault("a quantifier follows another one, as in a lazy or possessive one");
      part = { kind: "repeat", part, ...count };
    }
    return part;
  }

  #quantifier(): { least: number; most: number } | undefined {
    if (this.#take("*")) return { least: 0, most: Infinity };
    if (this.#take("+")) return { least: 1, most: Infinity };
    if (this.#take("?")) return { least: 0, most: 1 };
    const [all, first, comma, last] =
      /^\{(\d{1,6})(,?)(\d{0,6})\}/.exec(this.#source.slice(this.#at, this.#at + 20)) ?? [];
    if (all === undefined) return undefined;
    const least = Number(first);
    const most = comma === "" ? least : last === "" ? Infinity : Number(last);
    if (least > MOST_REPEATS || (most > MOST_REPEATS && most !== Infinity))
      throw this.#fault(`it repeats more than ${MOST_REPEATS} times`);
    if (most < least) throw this.#fault("the least number is larger than the most");
    this.#at += all.length;
    return { least, most };
  }

  #single(): Pattern {
    const character = this.#source[this.#at]!;
    if (character === "(") return this.#group();
    if (character === "[") return { kind: "unit", takes: this.#class() };
    if ("*+?".includes(character)) throw this.#fault("there is nothing to repeat");
    this.#at++;
    if (character === "^") return { kind: "place", place: "line-start" };
    if (character === "$") return { kind: "place", place: "line-end" };
    if (character === ".") return { kind: "unit", takes: (unit) => unit !== 10 && unit !== 13 };
    if (character !== "\\") return { kind: "unit", takes: this.#literal(character) };
    if (this.#take("b")) return { kind: "place", place: "word-edge" };
    const escaped = this.#escape();
    return { kind: "unit", takes: typeof escaped === "string" ? this.#literal(escaped) : escaped };
  }

  #group(): Pattern {
    const start = this.#at++;
    if (this.#take("?") && !this.#take(":")) {
      const named = /^<[A-Za-z_]\w{0,63}>/.exec(this.#source.slice(this.#at, this.#at + 70));
      if (named === null) throw this.#fault("looking ahead or behind, and flags, are not known here");
      this.#at += named[0].length;
    }
    const inner = this.#choice();
    if (!this.#take(")")) throw this.#fault("this group has no end", start);
    return inner;
  }

  #class(): UnitTest {
    const start = this.#at++;
    const isNegated = this.#take("^");
    const tests: UnitTest[] = [];
    while (this.#source[this.#at] !== "]") {
      if (this.#at >= this.#source.length) throw this.#fault("this class has no end", start);
      const low = this.#classMember();
      const isRange =
        this.#source[this.#at] === "-" && this.#at + 1 < this.#source.length && this.#source[this.#at + 1] !== "]";
      if (!isRange || typeof low !== "string") {
        tests.push(typeof low === "string" ? this.#literal(low) : low);
        continue;
      }
      this.#at++;
      const high = this.#classMember();
      if (typeof high !== "string") throw this.#fault("a range ends with a class");
      if (high < low) throw this.#fault("a range is out of order");
      tests.push(this.#range(low.charCodeAt(0), high.charCodeAt(0)));
    }
    this.#at++;
    return (unit) => tests.some((test) => test(unit)) !== isNegated;
  }

  #classMember(): string | UnitTest {
    const character = this.#source[this.#at++]!;
    if (character !== "\\") return character;
    return this.#take("b") ? "\b" : this.#escape();
  }

  /** What stands after a backslash: a character, or a class of them. */
  #escape(): string | UnitTest {
    const character = this.#source[this.#at++];
    if (character === undefined) throw this.#fault("it ends with a backslash");
    const known = ESCAPES.get(character);
    if (known !== undefined) return known;
    const digits = character === "x" ? 2 : character === "u" ? 4 : 0;
    const code = this.#source.slice(this.#at, this.#at + digits);
    if (digits > 0 && /^[0-9A-Fa-f]+$/.test(code) && code.length === digits) {
      this.#at += digits;
      return String.fromCharCode(Number.parseInt(code, 16));
    }
    if (/[A-Za-z0-9]/.test(character)) throw this.#fault(`\\${character} is not known here`, this.#at - 2);
    return character;
  }

  #literal(character: string): UnitTest {
    const unit = character.charCodeAt(0);
    return this.#range(unit, unit);
  }

  #range(low: number, high: number): UnitTest {
    const isIn = (unit: number): boolean => unit >= low && unit <= high;
    if (!this.#ignoresCase) return isIn;
    // Of ASCII letters alone: their two forms differ by one bit.
    return (unit) => isIn(unit) || (isLetter(unit) && isIn(unit ^ 32));
  }

  #take(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fault(what: string, at = this.#at): SyntaxError {
    return new SyntaxError(`Cannot use the pattern ${JSON.stringify(this.#source)}: ${what} (column ${at + 1})`);
  }
}

const isDigit: UnitTest = (unit) => unit >= 48 && unit <= 57;
const isLetter: UnitTest = (unit) => (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122);
export const isWordUnit: UnitTest = (unit) => isDigit(unit) || isLetter(unit) || unit === 95;
const isSpace: UnitTest = (unit) => (unit >= 9 && unit <= 13) || unit === 32 || unit === 0xa0 || unit === 0xfeff;

const ESCAPES = new Map<string, string | UnitTest>([
  ["d", isDigit],
  ["w", isWordUnit],
  ["s", isSpace],
  ["D", (unit) => !isDigit(unit)],
  ["W", (unit) => !isWordUnit(unit)],
  ["S", (unit) => !isSpace(unit)],
  ["t", "\t"],
  ["n", "\n"],
  ["r", "\r"],
  ["f", "\f"],
  ["v", "\v"],
  ["0", "\0"],
]);
