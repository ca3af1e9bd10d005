/**
 * Servers that a daemon must not be taken for, or that a daemon in trouble resembles; each on a free port of loopback.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { type AddressInfo, type Socket, connect, createServer as createTcpServer } from "node:net";
import type { TestContext } from "node:test";

export interface BadServer {
  readonly url: URL;
  /** Connections that came. */
  connections: number;
  close(): Promise<void>;
}

type Reply = (request: IncomingMessage, response: ServerResponse) => void;

const REPLIES = {
  hanging: () => undefined,
  "error 500": (_request, response) => void response.writeHead(500).end('{"error":"oh","code":"INTERNAL_ERROR"}'),
  "asking for a token": (_request, response) =>
    void response.writeHead(401).end('{"error":"token","code":"AUTH_MISSING"}'),
  garbage: (_request, response) => void response.end("<html>welcome"),
  endless: (_request, response) => {
    const pour = (): void => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", pour);
    pour();
  },
  "of another protocol": (request) => {
    request.socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
  },
  "cut in the head": (request) => void request.socket.destroy(),
  "cut in the body": (request, response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write('{"success":');
    setImmediate(() => request.socket.destroy());
  },
} as const satisfies Readonly<Record<string, Reply>>;

export type BadKind = keyof typeof REPLIES | "no http";
export const BAD_KINDS = [...Object.keys(REPLIES), "no http"] as BadKind[];

export async function startBadServer(kind: BadKind): Promise<BadServer> {
  const sockets = new Set<Socket>();
  const greeting = (socket: Socket): void => void socket.end("SSH-2.0-x\r\n");
  const server = kind === "no http" ? createTcpServer(greeting) : createServer(REPLIES[kind]);
  server.on("connection", (socket: Socket) => {
    bad.connections++;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => void sockets.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const bad: BadServer = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    connections: 0,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return bad;
}

/**
 * A port whose connections never come to stand, as with a host that drops packets: its process sleeps, and the queue of
 * those that wait to be accepted is full, so that the kernel drops whatever else comes.
 */
export async function startBlackhole(): Promise<BadServer> {
  const source = `
    const { createServer } = require("node:net");
    const server = createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("node:fs").writeSync(1, server.address().port + "\\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ["-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  // The queue holds one more than its length; what comes after these hangs.
  const fillers = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, "connect")));
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    connections: 0,
    async close() {
      for (const filler of fillers) filler.destroy();
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

export async function withBlackhole(t: TestContext): Promise<URL> {
  const blackhole = await startBlackhole();
  t.after(() => blackhole.close());
  return blackhole.url;
}

/** A port on which nothing listens, because a server has just left it. */
export async function findClosedPort(): Promise<URL> {
  const server = await startBadServer("hanging");
  await server.close();
  return server.url;
}

/** For one test. */
export async function withBadServer(t: TestContext, kind: BadKind): Promise<BadServer> {
  const server = await startBadServer(kind);
  t.after(() => server.close());
  return server;
}
