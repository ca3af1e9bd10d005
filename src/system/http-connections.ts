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
  /** Cuts clients that have not taken a byte for `writeTimeoutMs`, and refused ones that do not go away. */
  cutStalled(nowMs: number, writeTimeoutMs: number): void;
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
    cutStalled(nowMs, writeTimeoutMs) {
      for (const connection of all.values()) {
        const hasStalled = isStalled(connection, nowMs, writeTimeoutMs);
        if (hasStalled || hasLingeredEnough(connection, nowMs)) connection.socket.destroy();
      }
    },
  };
}

export function hasLingeredEnough(connection: Connection, nowMs: number): boolean {
  const { lingering, socket } = connection;
  if (lingering === undefined) return false;
  return nowMs - lingering.sinceMs >= LINGER_MS || socket.bytesRead - lingering.bytesRead > LINGER_BYTES;
}

function isStalled(connection: Connection, nowMs: number, writeTimeoutMs: number): boolean {
  const { socket } = connection;
  const waitingBytes = socket.writableLength;
  const flushedBytes = waitingBytes === 0 ? -1 : socket.bytesWritten - waitingBytes;
  if (flushedBytes !== connection.flushedBytes) {
    connection.flushedBytes = flushedBytes;
    connection.flushedSinceMs = nowMs;
  }
  return flushedBytes !== -1 && nowMs - connection.flushedSinceMs >= writeTimeoutMs;
}
