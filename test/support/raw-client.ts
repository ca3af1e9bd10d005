/** An HTTP client that sends the bytes it is given, so that tests can be as hostile as they like. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";

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
    const headers = Object.fromEntries(
      fields.map((field) => {
        const [name = "", value] = field.split(/: (.*)/);
        return [name.toLowerCase(), value ?? ""];
      }),
    );
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
  const length = String(Buffer.byteLength(body ?? ""));
  const typed = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": length };
  const fields = Object.entries({ Host: "127.0.0.1", ...typed, ...headers });
  return `${line} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body ?? ""}`;
}
