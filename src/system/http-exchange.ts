/** One request and its answer, from the end of its head to the last byte written; handlers see it as a Request. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { NO_PARAMS, type RouteParams } from "../core/route.ts";
import { NO_BYTES } from "./http-body.ts";
import type { Connection } from "./http-connections.ts";
import { originForm } from "./http-guards.ts";
import type { Request, Route } from "./http.ts";

/**
 * `receiving` the body, `handling` by the route, `streaming` an async iterable; `lingering`: answered, but the rest of
 * the body is still being swallowed; `over`: answered, or nobody is left to answer. It only moves forward.
 */
export type Phase = "receiving" | "handling" | "streaming" | "lingering" | "over";

export class Exchange implements Request {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly connection: Connection;
  readonly startMs: number;
  readonly method: string;
  readonly path: string;
  route: Route | undefined = undefined;
  params: RouteParams = NO_PARAMS;
  body: Buffer = NO_BYTES;
  json: unknown = undefined;
  phase: Phase = "receiving";
  phaseSinceMs: number;
  /** Ends what waits on this exchange's client; set while an async iterable is written. */
  release: (() => void) | undefined = undefined;
  readonly #search: string;
  #query: URLSearchParams | undefined = undefined;
  #aborter: AbortController | undefined = undefined;
  #isAborted = false;

  constructor(req: IncomingMessage, res: ServerResponse, origin: { connection: Connection; nowMs: number }) {
    this.req = req;
    this.res = res;
    this.connection = origin.connection;
    this.startMs = origin.nowMs;
    this.phaseSinceMs = origin.nowMs;
    this.method = req.method!;
    const target = originForm(req.url!);
    const mark = target.indexOf("?");
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.#search = mark === -1 ? "" : target.slice(mark + 1);
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search));
  }

  get signal(): AbortSignal {
    this.#aborter ??= new AbortController();
    if (this.#isAborted) this.#aborter.abort();
    return this.#aborter.signal;
  }

  header(name: string): string | undefined {
    const value = this.req.headers[name];
    return typeof value === "string" ? value : undefined;
  }

  enter(phase: Phase, nowMs: number): void {
    this.phase = phase;
    this.phaseSinceMs = nowMs;
  }

  /** Whether an answer would still reach somebody. */
  get isOpen(): boolean {
    return this.phase === "receiving" || this.phase === "handling";
  }

  abort(): void {
    this.#isAborted = true;
    this.#aborter?.abort();
  }
}
