/** The kinds of values that settings have: from JSON or from the text of an environment variable, or refused. */
import { isIP } from "node:net";

export interface Kind<T> {
  /** As it stands after "expected". */
  readonly expected: string;
  /** A wrong value is not shown. */
  readonly isSecret?: true;
  /** `undefined` when the value is wrong. */
  readonly fromJson: (value: unknown) => T | undefined;
  readonly fromText: (text: string) => T | undefined;
}

const WORDS: Readonly<Record<string, boolean>> = { true: true, "1": true, false: false, "0": false };

export const flag: Kind<boolean> = {
  expected: "true or false",
  fromJson: (value) => (typeof value === "boolean" ? value : undefined),
  fromText: (text) => (Object.hasOwn(WORDS, text.toLowerCase()) ? WORDS[text.toLowerCase()] : undefined),
};

export function integer(min: number, max: number): Kind<number> {
  const accept = (value: unknown): number | undefined =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max ? (value as number) : undefined;
  return {
    expected: `an integer from ${min} to ${max}`,
    fromJson: accept,
    fromText: (text) => (/^\d+$/.test(text) ? accept(Number(text)) : undefined),
  };
}

/** Printable, because it becomes a header; node refuses others by throwing. */
export const token: Kind<string> = {
  expected: "a token of printable characters without spaces",
  isSecret: true,
  fromJson: (value) => (typeof value === "string" ? readToken(value) : undefined),
  fromText: readToken,
};

/** Without a slash at the end of its path. */
export const httpUrl: Kind<URL> = {
  expected: "a URL such as http://127.0.0.1:9876, without user name or query",
  isSecret: true,
  fromJson: (value) => (typeof value === "string" ? readUrl(value) : undefined),
  fromText: readUrl,
};

function readToken(text: string): string | undefined {
  return /^[\x21-\x7e]{1,4096}$/.test(text) ? text : undefined;
}

function readUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  return url.username || url.password || url.search || url.hash ? undefined : url;
}

/** Whether what is sent to the host stays on this machine. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "::1" || host === "localhost" || host.endsWith(".localhost");
}
