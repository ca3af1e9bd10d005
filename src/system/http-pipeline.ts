/**
 * Takes each request from the end of its head through admission, body and handler to its answer.
 *
 * Order: the answer to a refused request waits for the end of its body when that is short, and the connection lives on.
 * Errors: whatever a handler throws is answered as JSON; nothing that a client sends comes out of here as an exception.
 * Cost: no timer, no AbortController, no id, no copy of the headers for a request; `sweep` looks after all deadlines.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "./clock.ts";
import { admit, type Admission } from "./http-admission.ts";
import { announcedBytes, parseJsonBody, readBody } from "./http-body.ts";
import { LINGER_MS, type Connection, type Connections } from "./http-connections.ts";
import { createFailureReply, errorReply, stackOf, unavailable } from "./http-errors.ts";
import { Exchange } from "./http-exchange.ts";
import { isSafe } from "./http-guards.ts";
import { dropBody, writeEarlyReply, writeReply, type ReplyEvents } from "./http-reply.ts";
import { HttpError, type Observe, type Reply } from "./http.ts";
import type { Log } from "./log.ts";

export interface PipelineServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly randomId: () => string;
}

/** What the pipeline shares with the server around it. */
export interface PipelineState {
  readonly connections: Connections;
  readonly observe: Observe;
  admission: Admission;
  isDraining: boolean;
  requests: number;
}

/** The `Expect` header: none, `100-continue`, or one that nobody knows. */
export type Expectation = "nothing" | "continue" | "unknown";

interface RequestHead {
  readonly refusal: HttpError | undefined;
  readonly expectation: Expectation;
  /** As {@link announcedBytes}. */
  readonly bodyBytes: number;
}

export interface Pipeline {
  take(req: IncomingMessage, res: ServerResponse, expectation: Expectation): void;
  /** Ends what waited for a client that has gone. */
  abandon(connection: Connection): void;
  /** Answers 503 for handlers beyond their deadline, and closes on those who were refused and go on sending. */
  sweep(nowMs: number): void;
}

/** Unanswered requests that one client may pipeline; each holds memory until the first is answered. */
const MAX_PIPELINED = 64;
const KNOWN_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** The method as a label: clients cannot make up values. */
export function methodLabel(method: string): string {
  return KNOWN_METHODS.has(method) ? method : "other";
}

export function createPipeline(services: PipelineServices, state: PipelineState): Pipeline {
  const { clock, log } = services;
  const failureReply = createFailureReply(services);

  const events: ReplyEvents = {
    onAnswered: conclude,
    onStreaming(exchange) {
      exchange.enter("streaming", clock.monotonicMs());
      if (state.isDraining) exchange.abort();
    },
    onStreamError(exchange, error) {
      log.error("an answer broke off", { path: exchange.route?.pattern, error: stackOf(error) });
    },
  };

  function take(req: IncomingMessage, res: ServerResponse, expectation: Expectation): void {
    const connection = state.connections.of(req.socket);
    if (!connection) return void req.socket.destroy();
    // Nobody would be told what became of it. And Node ends the process when its answer is done before those ahead of
    // it.
    if (connection.isEnding || connection.lingering || req.socket.destroyed) return void req.resume();
    const exchange = new Exchange(req, res, { connection, nowMs: clock.monotonicMs() });
    connection.exchanges.push(exchange);
    state.requests++;
    const bodyBytes = announcedBytes(req.headers);
    const refusal = refuseAtOnce(exchange, expectation) ?? admit(state.admission, exchange, bodyBytes > 0);
    if (bodyBytes > 0) receive(exchange, { refusal, expectation, bodyBytes });
    else if (refusal) answer(exchange, errorReply(refusal));
    else handle(exchange);
  }

  function receive(exchange: Exchange, head: RequestHead): void {
    const { refusal, expectation, bodyBytes } = head;
    const maxBytes = state.admission.settings.maxPayloadSize;
    const refuse = (): void => answerEarly(exchange, refusal ?? tooLarge(maxBytes));
    if (bodyBytes > maxBytes && bodyBytes !== Infinity) return refuse();
    // Who waits for "100 Continue" is told no before sending the body.
    if (refusal && expectation !== "nothing") return refuse();
    if (expectation === "continue") exchange.res.writeContinue();
    readBody(exchange.req, {
      announcedBytes: bodyBytes,
      maxBytes,
      onTooLarge: refuse,
      onBody: (body) => (refusal ? answer(exchange, errorReply(refusal)) : handle(exchange, body)),
    });
  }

  function handle(exchange: Exchange, body?: Buffer): void {
    // The body of a request that was answered with 408 meanwhile.
    if (exchange.phase === "over") return;
    exchange.enter("handling", clock.monotonicMs());
    try {
      if (body && !isSafe(exchange.method)) {
        exchange.body = body;
        exchange.json = parseJsonBody(body);
      }
      const result = exchange.route!.handle(exchange);
      if (!(result instanceof Promise)) return answer(exchange, result);
      result.then(
        (reply) => answer(exchange, reply),
        (error: unknown) => fail(exchange, error),
      );
    } catch (error) {
      fail(exchange, error);
    }
  }

  function answer(exchange: Exchange, reply: Reply): void {
    try {
      if (!exchange.isOpen) return dropBody(reply);
      if (state.isDraining) {
        exchange.res.shouldKeepAlive = false;
        exchange.connection.isEnding = true;
      }
      writeReply(exchange, reply, events);
    } catch (error) {
      fail(exchange, error);
    }
  }

  function fail(exchange: Exchange, error: unknown): void {
    const reply = failureReply(error, exchange);
    if (!exchange.isOpen) return;
    if (exchange.res.headersSent) exchange.connection.socket.destroy();
    else writeReply(exchange, reply, events);
  }

  function answerEarly(exchange: Exchange, refusal: HttpError): void {
    exchange.enter("lingering", clock.monotonicMs());
    exchange.connection.isEnding = true;
    writeEarlyReply(exchange, errorReply(refusal));
    observe(exchange);
  }

  function conclude(exchange: Exchange): void {
    const { exchanges } = exchange.connection;
    if (exchanges.at(-1) === exchange) exchanges.pop();
    else exchanges.splice(exchanges.indexOf(exchange), 1);
    exchange.phase = "over";
    observe(exchange);
  }

  function observe({ route, method, res, startMs }: Exchange): void {
    state.observe(route, methodLabel(method), res.statusCode, (clock.monotonicMs() - startMs) / 1000);
  }

  function abandon(connection: Connection): void {
    for (const exchange of connection.exchanges.splice(0)) {
      if (exchange.phase === "streaming") observe(exchange);
      exchange.phase = "over";
      exchange.abort();
      exchange.release?.();
    }
  }

  function sweep(nowMs: number): void {
    for (const connection of state.connections.all.values()) {
      for (const exchange of [...connection.exchanges]) {
        const spentMs = nowMs - exchange.phaseSinceMs;
        if (exchange.phase === "lingering" && spentMs >= LINGER_MS) exchange.res.end();
        if (exchange.phase === "handling") expire(exchange, spentMs);
      }
    }
  }

  function expire(exchange: Exchange, spentMs: number): void {
    const deadlineMs = exchange.route?.deadlineMs ?? state.admission.settings.handlerTimeoutMs;
    if (deadlineMs === 0 || spentMs < deadlineMs) return;
    log.warn("a handler passed its deadline", { method: exchange.method, path: exchange.route?.pattern, deadlineMs });
    exchange.abort();
    answer(exchange, errorReply(unavailable(`No answer within ${deadlineMs} ms; what was asked for may still happen`)));
  }

  return { take, abandon, sweep };
}

function refuseAtOnce(exchange: Exchange, expectation: Expectation): HttpError | undefined {
  const isFlooding = exchange.connection.exchanges.length > MAX_PIPELINED;
  if (isFlooding) return unavailable("Too many requests on one connection without an answer yet");
  if (expectation !== "unknown") return undefined;
  return new HttpError(417, "BAD_REQUEST", 'The only expectation that can be met is "Expect: 100-continue"');
}

function tooLarge(maxBytes: number): HttpError {
  const message = `The body is larger than ${maxBytes} bytes (server.maxPayloadSize)`;
  return new HttpError(413, "PAYLOAD_TOO_LARGE", message, { details: { maxPayloadSize: maxBytes } });
}
