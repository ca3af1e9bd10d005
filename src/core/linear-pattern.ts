/**
 * A person's regular expression -> all of a text that any of its matches covers.
 *
 * Source: Thompson's simulation: all matches are followed at once, so none is ever gone back to.
 * Order: by place. Matches that overlap or touch are one stretch.
 * Cost: text x pattern, whatever they are; about 20 MB/s for a short pattern.
 * Errors: SyntaxError with a sentence, for what {@link parsePattern} does not know, for patterns that match nothing at
 * all, and for those that are too large.
 */
import { isWordUnit, parsePattern, type Pattern, type UnitTest } from "./pattern-syntax.ts";
import type { FindSecrets, Stretch } from "./secret-text.ts";

type Place = Extract<Pattern, { kind: "place" }>["place"];

/** One step of the program: takes a unit, or goes on without, or is the end. */
type Step =
  | { readonly kind: "take"; readonly takes: UnitTest; readonly next: number }
  | { readonly kind: "fork"; readonly next: readonly number[] }
  | { readonly kind: "place"; readonly place: Place; readonly next: number }
  | { readonly kind: "end" };

const MOST_STEPS = 5_000;

export function compileLinearPattern(source: string): FindSecrets {
  const steps: Step[] = [{ kind: "end" }];
  const first = build(steps, { pattern: parsePattern(source), next: 0 }, source);
  const matcher = new Matcher(steps, first);
  if (matcher.matchesNothing())
    throw new SyntaxError(`Cannot use the pattern ${JSON.stringify(source)}: it matches the empty text`);
  return (text) => matcher.find(text);
}

/** Adds the steps of a pattern that goes on at `next`; answers where it begins. */
function build(steps: Step[], { pattern, next }: { pattern: Pattern; next: number }, source: string): number {
  const add = (step: Step): number => {
    if (steps.length >= MOST_STEPS)
      throw new SyntaxError(`Cannot use the pattern ${JSON.stringify(source)}: it is too large`);
    return steps.push(step) - 1;
  };
  const goOn = (part: Pattern, then: number): number => build(steps, { pattern: part, next: then }, source);
  if (pattern.kind === "unit") return add({ kind: "take", takes: pattern.takes, next });
  if (pattern.kind === "place") return add({ kind: "place", place: pattern.place, next });
  if (pattern.kind === "sequence") return pattern.parts.reduceRight((then, part) => goOn(part, then), next);
  if (pattern.kind === "choice")
    return add({ kind: "fork", next: pattern.options.map((option) => goOn(option, next)) });
  const { part, least, most } = pattern;
  let start = next;
  if (most === Infinity) {
    const targets = [next];
    start = add({ kind: "fork", next: targets });
    targets.push(goOn(part, start));
  } else {
    for (let count = least; count < most; count++) start = add({ kind: "fork", next: [next, goOn(part, start)] });
  }
  for (let count = 0; count < least; count++) start = goOn(part, start);
  return start;
}

class Matcher {
  readonly #steps: readonly Step[];
  readonly #first: number;

  constructor(steps: readonly Step[], first: number) {
    this.#steps = steps;
    this.#first = first;
  }

  matchesNothing(): boolean {
    for (const text of ["", "a", "\n"])
      for (const { start, end } of this.find(text, "with empty ones")) if (start === end) return true;
    return false;
  }

  *find(text: string, which: "with empty ones" | "without" = "without"): Generator<Stretch> {
    /** By step: the position at which it was last reached, plus one. */
    const reached = new Uint32Array(this.#steps.length);
    /** Steps that take the next unit, and where their match began: earliest first, so the first at a step counts. */
    let waiting: { step: number; start: number }[] = [];
    let open: { start: number; end: number } | undefined;
    for (let at = 0; at <= text.length; at++) {
      const next: { step: number; start: number }[] = [];
      let earliest = Infinity;
      const reach = (first: number, start: number): void => {
        const pending = [first];
        for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
          if (reached[step] === at + 1) continue;
          reached[step] = at + 1;
          const what = this.#steps[step]!;
          if (what.kind === "take") next.push({ step, start });
          else if (what.kind === "fork") pending.push(...what.next);
          else if (what.kind === "end") earliest = Math.min(earliest, start);
          else if (isAt(text, at, what.place)) pending.push(what.next);
        }
      };
      const unit = at > 0 ? text.charCodeAt(at - 1) : 0;
      for (const { step, start } of waiting) {
        const what = this.#steps[step] as Extract<Step, { kind: "take" }>;
        if (what.takes(unit)) reach(what.next, start);
      }
      reach(this.#first, at);
      waiting = next;
      if (earliest === Infinity || (earliest === at && which === "without")) continue;
      if (open !== undefined && earliest > open.end) {
        yield open;
        open = undefined;
      }
      open = { start: Math.min(earliest, open?.start ?? earliest), end: at };
    }
    if (open !== undefined) yield open;
  }
}

function isAt(text: string, at: number, place: Place): boolean {
  if (place === "line-start") return at === 0 || text[at - 1] === "\n";
  if (place === "line-end")
    return at === text.length || text[at] === "\n" || (text[at] === "\r" && text[at + 1] === "\n");
  return (at > 0 && isWordUnit(text.charCodeAt(at - 1))) !== (at < text.length && isWordUnit(text.charCodeAt(at)));
}
