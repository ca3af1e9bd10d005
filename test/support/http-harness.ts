/** Runs an HTTP server with a fake clock for one test, and keeps what it logs and what it observes. */
import type { TestContext } from "node:test";
import { createHttpServer } from "../../src/system/http-server.ts";
import { jsonReply, type HttpServer, type HttpSettings, type Request, type Route } from "../../src/system/http.ts";
import { fakeClock, type FakeClock } from "./fake-clock.ts";
import { RawClient, type RawResponse } from "./raw-client.ts";
import { recordingLog, type LogLine } from "./recording-log.ts";

export const TEST_SETTINGS: HttpSettings = {
  listenAddress: "127.0.0.1",
  port: 0,
  maxPayloadSize: 1000,
  allowedHosts: [],
  headerTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaderBytes: 16_384,
  maxConnections: 512,
  handlerTimeoutMs: 30_000,
  writeTimeoutMs: 20_000,
  drainTimeoutMs: 5_000,
  auth: { enabled: false, token: "right-token", protectReads: false },
  rateLimit: { requestsPerSecond: 0, burst: 0 },
};

export interface Observation {
  readonly pattern: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

export interface HttpHarness {
  readonly server: HttpServer;
  readonly clock: FakeClock;
  readonly url: string;
  readonly port: number;
  readonly socketPath: string | undefined;
  readonly lines: LogLine[];
  readonly observed: Observation[];
  readonly settings: HttpSettings;
  /** A connection by TCP, or to the Unix socket at `path`. */
  connect(path?: string): Promise<RawClient>;
  /** Sends the bytes on a connection of their own and answers the first response. */
  ask(request: string | Buffer): Promise<RawResponse>;
  /** Changes some of the settings that the server was started with, and the routes. */
  reconfigure(changes: Partial<HttpSettings>, routes?: readonly Route[]): void;
}

export async function startHttp(
  t: TestContext,
  routes: readonly Route[],
  changes: Partial<HttpSettings> = {},
): Promise<HttpHarness> {
  const clock = fakeClock();
  const log = recordingLog();
  const observed: Observation[] = [];
  const clients: RawClient[] = [];
  const current = { routes };
  const settings = { ...TEST_SETTINGS, ...changes };
  const server = createHttpServer(
    { clock, log, randomId: () => "id-1" },
    {
      routes: () => current.routes,
      settings,
      observe: (route, method, status, seconds) => {
        observed.push({ pattern: route?.pattern ?? "unmatched", method, status, seconds });
      },
    },
  );
  const { url, socketPath } = await server.listen();
  const port = Number(new URL(url).port);
  t.after(async () => {
    for (const client of clients) client.socket.destroy();
    await server.stop();
  });

  async function connectClient(path?: string): Promise<RawClient> {
    const client = await RawClient.connect(path === undefined ? { port, host: "127.0.0.1" } : { path });
    clients.push(client);
    return client;
  }

  return {
    server,
    clock,
    lines: log.lines,
    url,
    port,
    socketPath,
    observed,
    settings,
    connect: connectClient,
    async ask(request) {
      const client = await connectClient();
      void client.send(request);
      return client.response(String(request).startsWith("HEAD ") ? "HEAD" : "GET");
    },
    reconfigure(newSettings, newRoutes = current.routes) {
      current.routes = newRoutes;
      server.reconfigure({ ...settings, ...newSettings });
    },
  };
}

export const HEALTH: Route = {
  method: "GET",
  pattern: "/health",
  access: "open",
  unlimited: true,
  handle: () => jsonReply({ status: "ok" }),
};
export const ECHO: Route = {
  method: "POST",
  pattern: "/echo",
  access: "open",
  handle: ({ json }) => jsonReply({ json }),
};

/** A route that keeps its requests until they are answered by the test. */
export function heldRoute(): { route: Route; held: Request[]; answerAll: () => void } {
  const held: Request[] = [];
  const answers: (() => void)[] = [];
  const route: Route = {
    method: "GET",
    pattern: "/held",
    access: "open",
    handle: (request) => {
      held.push(request);
      return new Promise((resolve) => void answers.push(() => resolve({ status: 200, body: "held" })));
    },
  };
  return { route, held, answerAll: () => answers.splice(0).forEach((answer) => answer()) };
}

/** Endless pieces that count how often they are asked for and let go, and make the reader wait after `pauseAfter`. */
export function trackedPieces(options: { pauseAfter?: number; piece?: string } = {}) {
  let resume = (): void => {};
  const state = {
    pulled: 0,
    returned: 0,
    resume: () => resume(),
    body: {
      [Symbol.asyncIterator]: () => ({
        async next() {
          state.pulled++;
          if (state.pulled - 1 === options.pauseAfter) await new Promise<void>((resolve) => (resume = resolve));
          return { done: false as const, value: options.piece ?? `piece ${state.pulled}\n` };
        },
        async return() {
          state.returned++;
          return { done: true as const, value: undefined };
        },
      }),
    },
  };
  return state;
}

/** A route that is open to all, answered by `handle` whatever that answers. */
export function openRoute(method: Route["method"], pattern: string, handle: (request: Request) => unknown): Route {
  return { method, pattern, access: "open", handle: handle as Route["handle"] };
}

/** Lets everything that is ready happen: one turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
