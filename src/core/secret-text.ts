/**
 * Text -> the same text without what looks like a secret, in as many lines.
 *
 * Found are: private key blocks; tokens with a prefix of their maker's; JSON web tokens; values that stand behind names
 * such as `password` or `api_key` and look random; passwords in URLs; what follows `Authorization:`.
 * Source: the token formats that their makers publish, as secret scanners collect them.
 * Cost: linear, also on hostile text: a search that may run far begins at most once in each run of such characters.
 * Not: proof. A password that is an ordinary word looks like one; secrets that are encoded once more are not found.
 */
import { findAssignments } from "./secret-assignments.ts";
import { REDACTED } from "./redact.ts";

/** From `start` up to, not including, `end`, in UTF-16 units. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Finds a person's own kinds of secrets. */
export type FindSecrets = (text: string) => Iterable<Stretch>;

export interface RedactedText {
  readonly text: string;
  /** How many stretches were hidden. */
  readonly count: number;
}

/** The prefixes are exact, and what follows is long: neither occurs by chance. In groups that the engine scans fast. */
const TOKENS = [
  [
    // AWS access key
    "(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}(?![A-Za-z0-9])",
    // Google
    "AIza[\\w-]{35}|ya29\\.[\\w-]{20,400}|GOCSPX-[\\w-]{28}",
    // GitHub
    "gh[opsur]_[A-Za-z0-9]{36,251}|github_pat_\\w{82}",
    // GitLab
    "gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|soat)-[\\w.-]{20,300}",
    // Grafana
    "gl(?:sa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|c_[A-Za-z0-9+/]{32,400})",
    // Slack
    "xox[abceoprs](?:\\.xox[bp])?-(?=[A-Za-z-]{0,40}\\d)[A-Za-z0-9-]{10,250}|xapp-\\d-[A-Za-z0-9-]{20,250}",
  ],
  [
    // Anthropic, OpenAI, OpenRouter
    "sk-(?:ant|proj|svcacct|admin|or-v1)-[\\w-]{20,300}|sk-[A-Za-z0-9]{32,100}",
    // Groq, xAI, Perplexity, Hugging Face
    "gsk_[A-Za-z0-9]{48,64}|xai-[A-Za-z0-9]{60,100}|pplx-[A-Za-z0-9]{48}|hf_[A-Za-z]{34}",
    // package registries
    "npm_[A-Za-z0-9]{36}|pypi-AgEIcHlwaS5vcmc[\\w-]{50,1000}|rubygems_[a-f0-9]{48}|dckr_pat_[\\w-]{27}",
    // Stripe
    "[rs]k_(?:test|live|prod)_[A-Za-z0-9]{10,200}|whsec_[A-Za-z0-9+/]{32,80}",
  ],
  [
    // SendGrid, Twilio
    "SG\\.[\\w-]{16,32}\\.[\\w-]{32,64}|SK[0-9a-f]{32}(?![0-9A-Za-z])",
    // Shopify, DigitalOcean, Databricks
    "shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}|do[opr]_v1_[a-f0-9]{64}|dapi[a-f0-9]{32}",
    // Vault, age, Linear
    "hv[bs]\\.[\\w-]{90,300}|AGE-SECRET-KEY-1[A-Z0-9]{58}|lin_api_[A-Za-z0-9]{40}",
  ],
].map((group) => new RegExp(group.join("|"), "g"));
const TELEGRAM_TOKEN = /:AA[\w-]{33}/g;
const WEB_TOKEN = /(?<![\w.-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g;
const WEBHOOK = /hooks\.slack\.com\/(?:services|workflows|triggers)\/([\w/]{20,100})/dg;
const URL_PASSWORD = /:\/\/[^\s/:@"'`<>]{0,100}:([^\s/:@"'`<>]{3,200})@/dg;
/** What stands in examples for a password. */
const EXAMPLE_PASSWORD = /^(?:pass|passw(?:or)?d|pwd?|secret|token|x+|\*+|\.+)$|[${}[\]%]/i;

export function redactSecrets(text: string, own: readonly FindSecrets[] = []): RedactedText {
  const stretches: Stretch[] = [...findKeyBlocks(text), ...findAssignments(text), ...findTokens(text)];
  for (const found of findGroups(text, WEBHOOK)) stretches.push(found);
  for (const found of findGroups(text, URL_PASSWORD)) {
    if (!EXAMPLE_PASSWORD.test(text.slice(found.start, found.end))) stretches.push(found);
  }
  for (const find of own) for (const found of find(text)) if (found.end > found.start) stretches.push(found);
  return hide(text, stretches);
}

function* findTokens(text: string): Generator<Stretch> {
  for (const pattern of TOKENS) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const { index: start } = match;
      // A look-behind would make the search half as fast.
      if (isWordBefore(text, start)) pattern.lastIndex = start + 1;
      else yield { start, end: start + match[0].length };
    }
  }
  for (const { index, 0: all } of text.matchAll(WEB_TOKEN)) yield { start: index, end: index + all.length };
  for (const { index, 0: all } of text.matchAll(TELEGRAM_TOKEN)) {
    const digits = /(?<!\w)\d{8,10}$/.exec(text.slice(Math.max(0, index - 11), index));
    if (digits !== null) yield { start: index - digits[0].length, end: index + all.length };
  }
}

function isWordBefore(text: string, at: number): boolean {
  return at > 0 && /\w/.test(text[at - 1]!);
}

/** What the first group of a pattern has matched. */
function* findGroups(text: string, pattern: RegExp): Generator<Stretch> {
  for (const { indices } of text.matchAll(pattern)) {
    const [start, end] = indices![1]!;
    yield { start, end };
  }
}

const KEY_BEGINNING = /-----BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_ENDING = "-----END ";
/** Longer than any key; what has no end by then was cut off. */
const LONGEST_KEY_BLOCK = 65_536;
const CUT_KEY = /(?:\\n|\\r|[A-Za-z0-9+/=\s:,.-])*/y;

/** From the beginning to the end of each block; of one that has no end, all that may belong to a key. */
function* findKeyBlocks(text: string): Generator<Stretch> {
  let past = 0;
  let ending = 0;
  for (const match of text.matchAll(KEY_BEGINNING)) {
    if (match.index < past) continue;
    const bodyStart = match.index + match[0].length;
    if (ending >= 0 && ending < bodyStart) ending = text.indexOf(KEY_ENDING, bodyStart);
    if (ending >= 0 && ending - bodyStart <= LONGEST_KEY_BLOCK) {
      const name = ending + KEY_ENDING.length;
      const dashes = text.slice(name, name + 100).indexOf("-----");
      past = dashes < 0 ? name : name + dashes + 5;
    } else {
      CUT_KEY.lastIndex = bodyStart;
      past = bodyStart + (CUT_KEY.exec(text)?.[0].length ?? 0);
    }
    yield { start: match.index, end: past };
  }
}

function hide(text: string, stretches: Stretch[]): RedactedText {
  stretches.sort((a, b) => a.start - b.start || b.end - a.end);
  const parts: string[] = [];
  let shownTo = 0;
  let count = 0;
  for (const { start, end } of stretches) {
    if (start >= shownTo) {
      parts.push(text.slice(shownTo, start), REDACTED);
      count++;
    }
    if (end <= shownTo) continue;
    parts.push(newlinesOf(text.slice(Math.max(start, shownTo), end)));
    shownTo = end;
  }
  if (count === 0) return { text, count };
  parts.push(text.slice(shownTo));
  return { text: parts.join(""), count };
}

function newlinesOf(text: string): string {
  return text.includes("\n") ? text.replaceAll(/[^\n]+/g, "") : "";
}
