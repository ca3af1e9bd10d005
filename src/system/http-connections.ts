/**
 * Keeps the open connections and what is going on in each, and finds, once a second, what has taken too long.
 *
 * Units: milliseconds of the monotonic clock.
 * Cost: nothing for each request but one look-up; a walk over the connections for each tick. No timer for any request.
 */
import type { Socket } from "node:net";
import type { Exchange } from "./http-exchange.ts";

export interface Connection {
  readonly socket: Socket;
  /** Came in by the daemon's own Unix socket, which is as good as the token. */
  readonly isTrusted: boolean;
  /** What the rate limit counts by when there is no token. */
  readonly address: string;
  /** In the order of arrival; more than one only when the client pipelines. */
  readonly exchanges: Exchange[];
  /** Bytes that had left when last looked at, while others still waited, and since when it has been so many. */
  flushedBytes: number;
  flushedSinceMs: number;
  /** Bytes that had come when last looked at, while no request was open, and since when it has been so many. */
  readBytes: number;
  readSinceMs: number;
  /** The answer to a request taken already is the last one: what comes after it is not looked at. */
  isEnding: boolean;
  /** Since when a refused connection waits for its client to read the refusal, and how much had come by then. */
  lingering: { readonly sinceMs: number; readonly bytesRead: number } | undefined;
}

/** How long, and for how many more bytes, a client that was refused while it sent may go on before it is cut. */
export const LINGER_MS = 5_000;
export const LINGER_BYTES = 16 * 1024 * 1024;

export interface Connections {
  open(socket: Socket, isTrusted: boolean): Connection;
  of(socket: Socket): Connection | undefined;
  readonly all: ReadonlyMap<Socket, Connection>;
  /** Cuts clients that do not read, that were refused and do not go away, and that have nothing more to ask. */
  cutSilent(nowMs: number, timeouts: SilenceTimeouts): void;
}

export interface SilenceTimeouts {
  /** Without a byte taken, while some are waiting. */
  readonly writeTimeoutMs: number;
  /** Without a byte sent, while no request is open. */
  readonly keepAliveTimeoutMs: number;
}

export function createConnections(onGone: (connection: Connection) => void): Connections {
  const all = new Map<Socket, Connection>();

  return {
    all,
    of: (socket) => all.get(socket),
    open(socket, isTrusted) {
      const connection: Connection = {
        socket,
        isTrusted,
        address: isTrusted ? "socket" : (socket.remoteAddress ?? "gone"),
        exchanges: [],
        flushedBytes: -1,
        flushedSinceMs: 0,
        readBytes: -1,
        readSinceMs: 0,
        isEnding: false,
        lingering: undefined,
      };
      all.set(socket, connection);
      // Node's own listener is taken away after a CONNECT, and an error without a listener would end the process.
      socket.on("error", () => {});
      socket.once("close", () => {
        all.delete(socket);
        onGone(connection);
      });
      return connection;
    },
    cutSilent(nowMs, { writeTimeoutMs, keepAliveTimeoutMs }) {
      for (const connection of all.values()) {
        const isOver = stalledMs(connection, nowMs) >= writeTimeoutMs || idleMs(connection, nowMs) >= keepAliveTimeoutMs;
        if (isOver || hasLingeredEnough(connection, nowMs)) connection.socket.destroy();
      }
    },
  };
}

export function hasLingeredEnough(connection: Connection, nowMs: number): boolean {
  const { lingering, socket } = connection;
  if (lingering === undefined) return false;
  return nowMs - lingering.sinceMs >= LINGER_MS || socket.bytesRead - lingering.bytesRead > LINGER_BYTES;
}

/** For how long the client has taken nothing of what waits for it; 0 when nothing does. */
function stalledMs(connection: Connection, nowMs: number): number {
  const { socket } = connection;
  const waitingBytes = socket.writableLength;
  const flushedBytes = waitingBytes === 0 ? -1 : socket.bytesWritten - waitingBytes;
  if (flushedBytes === -1 || flushedBytes !== connection.flushedBytes) connection.flushedSinceMs = nowMs;
  connection.flushedBytes = flushedBytes;
  return nowMs - connection.flushedSinceMs;
}

/** For how long the client has sent nothing while no request of it was open; 0 while one is. */
function idleMs(connection: Connection, nowMs: number): number {
  const readBytes = connection.exchanges.length > 0 ? -1 : connection.socket.bytesRead;
  if (readBytes === -1 || readBytes !== connection.readBytes) connection.readSinceMs = nowMs;
  connection.readBytes = readBytes;
  return nowMs - connection.readSinceMs;
}
