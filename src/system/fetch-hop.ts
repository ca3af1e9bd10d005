/**
 * A request -> the first exchange that it asks for, and an answer that redirects -> the next one.
 *
 * Source: RFC 9110 (15.4), and the WHATWG fetch standard for which methods become GET.
 * Errors: {@link FetchError}, for what cannot or must not be sent.
 * Not: across origins nothing is sent on that may be a secret: no body, and of the headers only {@link SHARED_HEADERS}.
 */
import type { FetchAnswer, FetchFault, FetchRequest } from "./fetch.ts";

/** One request to one server. */
export interface Hop {
  /** Without name and password. */
  readonly url: URL;
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Why an exchange came to nothing. */
export class FetchError extends Error {
  readonly fault: FetchFault;

  constructor(fault: FetchFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

const SHARED_HEADERS: readonly string[] = ["accept", "accept-encoding", "accept-language", "user-agent"];
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export function readHop({ url: text, method, headers = {}, body }: FetchRequest): Hop {
  const { url, authorization } = readUrl(text, undefined);
  const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const upper = method.toUpperCase();
  if (upper === "CONNECT") throw new FetchError("invalid", "the method CONNECT asks for a tunnel, not for an answer");
  return {
    url,
    method: upper,
    headers: { accept: "*/*", "accept-encoding": "identity", "user-agent": "pi-daemon", ...authorization, ...named },
    body,
  };
}

/** `undefined` when the answer does not redirect. */
export function nextHop(hop: Hop, { status, headers }: FetchAnswer): Hop | undefined {
  const { location } = headers;
  if (!REDIRECTS.includes(status) || typeof location !== "string") return undefined;
  const { url, authorization } = readUrl(location, hop.url);
  if (hop.url.protocol === "https:" && url.protocol === "http:") {
    throw new FetchError("invalid", `the redirect from ${hop.url.origin} to ${url.origin} would leave encryption`);
  }
  const isSameOrigin = url.origin === hop.url.origin;
  const kept = isSameOrigin ? hop.headers : pick(hop.headers, SHARED_HEADERS);
  if (becomesGet(hop.method, status)) {
    const { "content-type": _type, ...rest } = kept;
    return { url, method: "GET", headers: { ...rest, ...authorization }, body: undefined };
  }
  if (!isSameOrigin && hop.body !== undefined) {
    const message = `the redirect to ${url.origin} would send the body of the request to another origin`;
    throw new FetchError("invalid", message);
  }
  return { ...hop, url, headers: { ...kept, ...authorization } };
}

function becomesGet(method: string, status: number): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

function readUrl(text: string, base: URL | undefined): { url: URL; authorization: { authorization?: string } } {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new FetchError("invalid", `${base ? "the redirect points to" : "the URL is"} no URL`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new FetchError("invalid", `the protocol ${url.protocol} is neither http: nor https:`);
  }
  const authorization = url.username || url.password ? { authorization: basic(url) } : {};
  url.username = "";
  url.password = "";
  return { url, authorization };
}

function basic({ username, password }: URL): string {
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(pair).toString("base64")}`;
  } catch {
    throw new FetchError("invalid", "the name or the password in the URL is not percent-encoded UTF-8");
  }
}

function pick(headers: Hop["headers"], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)));
}
