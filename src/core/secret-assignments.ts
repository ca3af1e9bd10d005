/**
 * Text -> where in it a name such as `password` or `api_key` is given a value that looks like a secret.
 *
 * Cost: linear; values are read on one line, and not far.
 * Not: words (`password: "open sesame"`), placeholders, expressions of a program.
 */
export interface Assignment {
  /** Of the value, without quotes, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

const SEPARATOR = "[\"'`]?\\]?[ \\t]{0,4}(?::=|=>|[:=])[ \\t]{0,4}";
/** Each by itself: the engine then looks for its first letters, several times as fast as for any of them. */
const NAMES = ["passw(?:or)?d", "passphrase", "secret", "credentials?", "token"].map(
  (name) => new RegExp(name + SEPARATOR, "gi"),
);
const KEY = new RegExp(`key${SEPARATOR}`, "gi");
/** What stands before `key` where it is one to something. */
const KIND_OF_KEY = /(?:api|access|secret|private|encryption|signing|account|auth|storage)[_-]?$/i;
const AUTHORIZATION =
  /authorization["'`]?[ \t]{0,4}[:=,][ \t]{0,4}["'`]?(?:bearer|basic|token)[ \t]{1,4}(?=[\w.~+/=-]{8})/gi;

const LONGEST_VALUE = 512;
const SHORTEST_VALUE = 8;
const MOST_NAMES_IN_A_VALUE = 8;
const PLACEHOLDER = /your|example|sample|placeholder|dummy|changeme|redacted|xxxx|\*\*\*|\.\.\.|env\b|[${}<>%[\]()|]/i;
const EXPRESSION = /^[A-Za-z_$][\w$]*(?:(?:\.|::|->|\?\.)[A-Za-z_$][\w$]*)+$/;
const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;
/** Things of a known form that are no secret: times, versions, addresses of services, paths. */
const KNOWN_FORM = /^(?:\d[\d.:TZ_+-]*|v?\d+\.\d+[\w.+-]*|[a-z]+:\/\/.*|[.~]{0,2}\/.*|#[0-9a-f]+)$/i;

export function findAssignments(text: string): Assignment[] {
  const found: Assignment[] = [];
  let past = 0;
  let inside = 0;
  for (const start of findNames(text)) {
    // A value may be made of names; each is read to its end only so often.
    inside = start < past ? inside + 1 : 0;
    if (inside > MOST_NAMES_IN_A_VALUE) continue;
    const value = readValue(text, start);
    if (value === undefined) continue;
    past = Math.max(past, value.end);
    if (looksSecret(value)) found.push({ start: value.start, end: value.end });
  }
  for (const match of text.matchAll(AUTHORIZATION)) {
    const start = match.index + match[0].length;
    const value = /^[\w.~+/=-]+/.exec(text.slice(start, start + 4096))?.[0] ?? "";
    if (!PLACEHOLDER.test(value) && (/\d/.test(value) || value.length >= 24))
      found.push({ start, end: start + value.length });
  }
  return found;
}

/** Where values begin, in order. */
function findNames(text: string): number[] {
  const starts = NAMES.flatMap((name) => [...text.matchAll(name)].map((match) => match.index + match[0].length));
  for (const match of text.matchAll(KEY)) {
    const before = text.slice(Math.max(0, match.index - 12), match.index);
    if (KIND_OF_KEY.test(before)) starts.push(match.index + match[0].length);
  }
  return starts.sort((a, b) => a - b);
}

interface Value extends Assignment {
  readonly text: string;
  readonly isQuoted: boolean;
}

const BARE = /^[^\s"'`,;]+/;

function readValue(text: string, at: number): Value | undefined {
  const quote = text[at] ?? "";
  const isQuoted = quote === '"' || quote === "'" || quote === "`";
  const start = isQuoted ? at + 1 : at;
  const rest = text.slice(start, start + LONGEST_VALUE);
  const length = isQuoted ? rest.indexOf(quote) : (BARE.exec(rest)?.[0].length ?? 0);
  if (length < SHORTEST_VALUE) return undefined;
  const value = rest.slice(0, length);
  return value.includes("\n") ? undefined : { start, end: start + length, text: value, isQuoted };
}

function looksSecret({ text, isQuoted }: Value): boolean {
  if (/\s/.test(text) || PLACEHOLDER.test(text) || KNOWN_FORM.test(text)) return false;
  const digits = text.replaceAll(/[^0-9]+/g, "").length;
  const hasLetter = /[A-Za-z]/.test(text);
  if (!isQuoted && (EXPRESSION.test(text) || (IDENTIFIER.test(text) && (digits < 3 || text.length < 16)))) return false;
  if (digits > 0 && hasLetter) return bitsPerCharacter(text) >= 2.5;
  return text.length >= 20 && bitsPerCharacter(text) >= 4;
}

/** Shannon's entropy of its characters: 8 different ones have 3 bits, random base64 of 40 has about 4.7. */
function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
