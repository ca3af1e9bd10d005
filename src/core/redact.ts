/**
 * Hides secrets in text, wherever in it they stand.
 *
 * Not: encoded forms (base64, percent-encoding) are other texts and are not found.
 */
export const REDACTED = "[redacted]";

/** The text with {@link REDACTED} for every secret in it; secrets that overlap or touch are hidden as one. */
export function redact(text: string, secrets: readonly string[]): string {
  const stretches = secrets.flatMap((secret) => findAll(text, secret)).sort((a, b) => a.start - b.start);
  if (stretches.length === 0) return text;
  let result = "";
  let shownTo = 0;
  for (const { start, end } of stretches) {
    if (start > shownTo || shownTo === 0) result += text.slice(shownTo, start) + REDACTED;
    shownTo = Math.max(shownTo, end);
  }
  return result + text.slice(shownTo);
}

function findAll(text: string, secret: string): { start: number; end: number }[] {
  const found = [];
  if (secret === "") return [];
  for (let start = text.indexOf(secret); start !== -1; start = text.indexOf(secret, start + 1)) {
    found.push({ start, end: start + secret.length });
  }
  return found;
}
