/**
 * Hides secrets in text, wherever in it they stand.
 *
 * Not: encoded forms (base64, percent-encoding) are other texts and are not found.
 */
export const REDACTED = "[redacted]";

/** At which of its ends a text was cut out of a longer one. */
export interface CutEnds {
  readonly start?: boolean;
  readonly end?: boolean;
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Fewer characters of a secret at a cut are let stand: ordinary text ends so too. */
const LEAST_PART = 4;

/**
 * The text with {@link REDACTED} for every secret in it; secrets that overlap or touch are hidden as one. Where the text
 * was cut, parts of secrets are hidden too.
 */
export function redact(text: string, secrets: readonly string[], cut: CutEnds = {}): string {
  const stretches = secrets
    .flatMap((secret) => [...findAll(text, secret), ...findParts(text, secret, cut)])
    .sort((a, b) => a.start - b.start);
  if (stretches.length === 0) return text;
  let result = "";
  let shownTo = 0;
  for (const { start, end } of stretches) {
    if (start > shownTo || shownTo === 0) result += text.slice(shownTo, start) + REDACTED;
    shownTo = Math.max(shownTo, end);
  }
  return result + text.slice(shownTo);
}

/** What the cuts have left of a secret that stood across them. */
function findParts(text: string, secret: string, cut: CutEnds): Stretch[] {
  const parts: Stretch[] = [];
  const longest = Math.min(secret.length - 1, text.length);
  const findLength = (fits: (length: number) => boolean): number => {
    let length = longest;
    while (length >= LEAST_PART && !fits(length)) length--;
    return length;
  };
  if (cut.start) {
    const length = findLength((size) => text.startsWith(secret.slice(secret.length - size)));
    if (length >= LEAST_PART) parts.push({ start: 0, end: length });
  }
  if (cut.end) {
    const length = findLength((size) => text.endsWith(secret.slice(0, size)));
    if (length >= LEAST_PART) parts.push({ start: text.length - length, end: text.length });
  }
  return parts;
}

function findAll(text: string, secret: string): Stretch[] {
  const found = [];
  if (secret === "") return [];
  for (let start = text.indexOf(secret); start !== -1; start = text.indexOf(secret, start + 1)) {
    found.push({ start, end: start + secret.length });
  }
  return found;
}
