/** Runs an HTTP server with a fake clock for one test, and speaks to it in raw bytes, so that hostile requests can be sent too. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { createHttpServer } from "../../src/system/http-server.ts";
import type { HttpServer, HttpSettings, Route } from "../../src/system/http.ts";
import type { Log, LogFields } from "../../src/system/log.ts";
import { fakeClock, type FakeClock } from "./fake-clock.ts";

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

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

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
  const lines: LogLine[] = [];
  const observed: Observation[] = [];
  const clients: RawClient[] = [];
  const current = { routes };
  const settings = { ...TEST_SETTINGS, ...changes };
  const server = createHttpServer({ clock, log: recordingLog(lines), randomId: () => "id-1" }, {
    routes: () => current.routes,
    settings,
    observe: (route, method, status, seconds) => {
      observed.push({ pattern: route?.pattern ?? "unmatched", method, status, seconds });
    },
  });
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
    server, clock, url, port, socketPath, lines, observed, settings,
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

function recordingLog(lines: LogLine[]): Log {
  const at = (level: string) => (message: string, fields: LogFields = {}) => void lines.push({ level, message, fields });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => recordingLog(lines) };
}

export interface RawResponse {
  readonly status: number;
  readonly head: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: { error: string; code: string; details: unknown };
}

/** One connection. Responses are taken off the stream in turn. */
export class RawClient {
  readonly socket: Socket;
  /** How the connection ended: `end`, or the code of its error. */
  readonly closed: Promise<string>;
  #received = Buffer.alloc(0);
  #hasEnded = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    let how = "end";
    socket.on("error", (error: NodeJS.ErrnoException) => (how = error.code ?? error.message));
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#hasEnded = true;
        this.#wake();
        resolve(how);
      });
    });
  }

  static connect(options: { port: number; host: string } | { path: string }): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...options, allowHalfOpen: false, noDelay: true }, () => resolve(new RawClient(socket)));
      socket.once("error", reject);
    });
  }

  /** Resolves when the bytes have been handed to the system, also when the connection has broken meanwhile. */
  send(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => void this.socket.write(bytes, () => resolve()));
  }

  /** Waits until `text` has come, and answers all that has come so far. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) await this.#more(`waiting for ${JSON.stringify(text)}`);
    return this.#received.toString();
  }

  async response(method = "GET"): Promise<RawResponse> {
    const end = await this.#find("\r\n\r\n", 0);
    const head = this.#received.toString("latin1", 0, end);
    const [statusLine = "", ...fields] = head.split("\r\n");
    const headers = Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.slice(field.indexOf(":") + 2)]));
    const status = Number(statusLine.split(" ")[1]);
    this.#received = this.#received.subarray(end + 4);
    const body = method === "HEAD" || status === 204 || status < 200 ? "" : await this.#body(headers);
    assert.ok(!/access-control/i.test(head), `an Access-Control header was sent:\n${head}`);
    return {
      status,
      head,
      headers,
      body,
      get json() {
        return JSON.parse(body) as RawResponse["json"];
      },
    };
  }

  async #body(headers: Record<string, string>): Promise<string> {
    if (headers["transfer-encoding"] === "chunked") return this.#chunks();
    const length = headers["content-length"];
    if (length === undefined) {
      await this.closed;
      return this.#take(this.#received.length);
    }
    while (this.#received.length < Number(length)) await this.#more("in a body");
    return this.#take(Number(length));
  }

  async #chunks(): Promise<string> {
    let body = "";
    for (;;) {
      const end = await this.#find("\r\n", 0);
      const size = parseInt(this.#take(end + 2), 16);
      while (this.#received.length < size + 2) await this.#more("in a chunk");
      body += this.#take(size);
      this.#take(2);
      if (size === 0) return body;
    }
  }

  async #find(text: string, from: number): Promise<number> {
    let at = this.#received.indexOf(text, from);
    for (; at === -1; at = this.#received.indexOf(text, from)) await this.#more(`waiting for ${JSON.stringify(text)}`);
    return at;
  }

  #take(length: number): string {
    const text = this.#received.toString("utf8", 0, length);
    this.#received = this.#received.subarray(length);
    return text;
  }

  async #more(what: string): Promise<void> {
    assert.ok(!this.#hasEnded, `the connection closed while ${what}; got ${JSON.stringify(this.#received.toString())}`);
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

/** A request of a well-behaved client; `headers` come beside the Host. */
export function rawRequest(line: string, headers: Readonly<Record<string, string>> = {}, body?: string): string {
  const length = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(body)) };
  const fields = Object.entries({ Host: "127.0.0.1", ...length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${fields.join("")}\r\n${body ?? ""}`;
}

/** Lets everything that is ready happen: one turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
