/**
 * A person's regular expression and a program's text -> whether it matches, within {@link MATCH_LIMIT_MS}.
 *
 * Some expressions, `(a+)+$` for one, take time exponential in the text, and would hold up the whole daemon meanwhile.
 * Nothing but the end of the script that it runs in makes the engine give up.
 * Cost: 0.2 ms beyond the search itself.
 */
import { createContext, Script } from "node:vm";

/** `undefined`: it was given up. */
export type MatchPattern = (pattern: RegExp, text: string) => boolean | undefined;

/** A plain expression is through 64 MiB in a fifth of it. */
export const MATCH_LIMIT_MS = 250;

const script = new Script("pattern.test(text)");
let place: { pattern: RegExp | undefined; text: string } | undefined;

/** Of the limit, in time of the processor: who got less of it was not slow, but waited for others on the machine. */
const FAIR_SHARE = 0.5;
const MOST_TRIES = 4;

export const matchPattern: MatchPattern = (pattern, text) => {
  place ??= createContext({ pattern: undefined, text: "" }) as NonNullable<typeof place>;
  Object.assign(place, { pattern, text });
  try {
    for (let tries = 1; ; tries++) {
      const before = process.cpuUsage();
      const found = search(place);
      if (found !== undefined || tries === MOST_TRIES) return found;
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1000 > MATCH_LIMIT_MS * FAIR_SHARE) return undefined;
    }
  } finally {
    Object.assign(place, { pattern: undefined, text: "" });
  }
};

function search(context: NonNullable<typeof place>): boolean | undefined {
  try {
    return script.runInContext(context, { timeout: MATCH_LIMIT_MS }) as boolean;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return undefined;
  }
}
