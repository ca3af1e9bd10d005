/**
 * A request to the daemon -> its answer, or why there is none.
 *
 * By node:http: pi replaces the global fetch by one that sends loopback to HTTP_PROXY. Sockets and timers are unref'd,
 * so that nothing under way keeps pi alive.
 * Errors: never rejects.
 */
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createLookup } from "./lookup.ts";
import type { Target } from "./target.ts";

export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly text: string;
  /** From Retry-After, where it counts seconds. */
  readonly retryAfterMs: number | undefined;
}

export interface Failure {
  readonly kind: "failure";
  /** The connection stood: the daemon may have got the request, and acted on it. */
  readonly mayHaveArrived: boolean;
  readonly error: string;
}

export interface Call {
  readonly method: "GET" | "POST" | "PUT";
  /** Path and query. */
  readonly path: string;
  readonly body?: string;
  readonly timeoutMs: number;
  /** Ends it before its time, with a failure. */
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  call(target: Target, call: Call): Promise<Answer | Failure>;
  /** Ends all that is under way with failures, and closes all connections. It can be used again. */
  abort(): void;
}

/** More than an answer to a batch or a few families of metrics ever is. */
const MAX_ANSWER_BYTES = 4_194_304;
const STALE = new Set(["ECONNRESET", "EPIPE"]);
const AGENT_OPTIONS = { keepAlive: true, maxSockets: 2, maxFreeSockets: 1 };

export function createTransport(): Transport {
  const agents = { http: new HttpAgent(AGENT_OPTIONS), https: new HttpsAgent(AGENT_OPTIONS) };
  const names = createLookup();
  const open = new Set<ClientRequest>();

  function start(target: Target, { method, path, body }: Call): ClientRequest {
    const headers: Record<string, string | number> = { accept: "*/*" };
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = Buffer.byteLength(body);
    }
    if ("socketPath" in target) {
      const { socketPath } = target;
      return httpRequest({ socketPath, host: "localhost", method, path, headers, agent: agents.http });
    }
    const { protocol, hostname, port, pathname } = target.url;
    if (target.token !== undefined) headers["authorization"] = `Bearer ${target.token}`;
    const host = hostname.replace(/^\[|\]$/g, "");
    const options = { host, port, method, path: pathname.replace(/\/$/, "") + path, headers, lookup: names.lookup };
    if (protocol === "https:") return httpsRequest({ ...options, agent: agents.https });
    return httpRequest({ ...options, agent: agents.http });
  }

  function attempt(target: Target, call: Call): Promise<Answer | Failure | "stale"> {
    return new Promise((resolve) => {
      let mayHaveArrived = false;
      const request = start(target, call);
      open.add(request);
      const deadline = setTimeout(() => {
        fail(new Error(`no answer within ${call.timeoutMs} ms`));
        request.destroy();
      }, call.timeoutMs).unref();
      const giveUp = (): void => {
        fail(new Error("given up"));
        request.destroy();
      };
      const settle = (result: Answer | Failure | "stale"): void => {
        clearTimeout(deadline);
        call.signal?.removeEventListener("abort", giveUp);
        open.delete(request);
        resolve(result);
      };
      const fail = (error: Error): void => {
        // The daemon closed an idle connection at the moment in which it was used again: nothing was read from it.
        const isStale = request.reusedSocket && STALE.has((error as NodeJS.ErrnoException).code ?? "");
        settle(isStale ? "stale" : { kind: "failure", mayHaveArrived, error: error.message });
      };
      request.on("socket", (socket) => {
        socket.unref();
        if (!socket.connecting) mayHaveArrived = true;
        else socket.once("encrypted" in socket ? "secureConnect" : "connect", () => void (mayHaveArrived = true));
      });
      request.on("response", (response) => readAnswer(response, settle, fail));
      request.on("error", fail);
      // The last word, where nothing else is said: of a server that changes the protocol, for one.
      request.on("close", () => fail(new Error("the connection was closed")));
      call.signal?.addEventListener("abort", giveUp);
      if (call.signal?.aborted) return giveUp();
      request.end(call.body);
    });
  }

  return {
    async call(target, call) {
      try {
        const result = await attempt(target, call);
        if (result !== "stale") return result;
        const second = await attempt(target, call);
        if (second === "stale") return { kind: "failure", mayHaveArrived: true, error: "the connection was cut" };
        return second.kind === "answer" ? second : { ...second, mayHaveArrived: true };
      } catch (error) {
        return { kind: "failure", mayHaveArrived: true, error: String(error) };
      }
    },
    abort() {
      names.cancel();
      for (const request of open) request.destroy(new Error("given up"));
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function readAnswer(response: IncomingMessage, settle: (answer: Answer) => void, fail: (error: Error) => void): void {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  response.on("data", (piece: Buffer) => {
    pieces.push(piece);
    sizeBytes += piece.length;
    if (sizeBytes <= MAX_ANSWER_BYTES) return;
    response.destroy(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
  });
  response.on("error", fail);
  response.on("end", () => {
    const seconds = Number(response.headers["retry-after"] ?? NaN);
    settle({
      kind: "answer",
      status: response.statusCode ?? 0,
      text: Buffer.concat(pieces).toString("utf8"),
      retryAfterMs: seconds >= 0 ? seconds * 1000 : undefined,
    });
  });
}
