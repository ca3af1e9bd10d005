/**
 * An HTTP request to somewhere else -> its answer, or a fault with a code.
 *
 * Units: milliseconds, bytes.
 * Errors: none are thrown, not for a bad URL either.
 */
import type { Clock } from "./clock.ts";

export interface FetchRequest {
  readonly method: string;
  /** `http:` or `https:`. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** For the whole exchange: names, connections, redirects, the last byte of the answer. */
  readonly timeoutMs: number;
  /** How much of the answer's body is read; the rest is cut off. */
  readonly maxBytes: number;
  /** How many redirects to follow, at most 5; 0 when absent: a redirect is an answer like others. */
  readonly maxRedirects?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type FetchFault =
  /** The request cannot be sent as it stands: its URL, a header, where a redirect points. */
  | "invalid"
  /** The address is one that requests must not reach. */
  | "forbidden-address"
  | "network"
  | "timeout"
  | "aborted";

export type FetchResult =
  | {
      readonly ok: true;
      readonly status: number;
      /** By lower-case name. */
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
      readonly body: Buffer;
      /** The body was longer than `maxBytes`. */
      readonly isCut: boolean;
      /** Where the answer came from, after redirects. */
      readonly url: string;
    }
  | { readonly ok: false; readonly fault: FetchFault; readonly message: string };

export type Fetch = (request: FetchRequest) => Promise<FetchResult>;

export declare function createFetch(services: { readonly clock: Clock }): Fetch;
