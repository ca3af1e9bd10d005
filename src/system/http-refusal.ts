/**
 * Answers a connection whose bytes are not HTTP, or came too late, in JSON, and closes it so that the answer arrives.
 *
 * Not: no answer where it could be taken for that to an earlier request, or where nothing was ever sent.
 */
import type { Socket } from "node:net";
import { hasLingeredEnough, type Connection } from "./http-connections.ts";
import { protocolError, rawErrorResponse } from "./http-errors.ts";
import type { Exchange } from "./http-exchange.ts";

export interface Refusal {
  readonly status: number;
  /** The request whose body broke off, when its head had been read. */
  readonly exchange: Exchange | undefined;
}

/** `code` is that of Node's `clientError`. Answers what was sent, or `undefined` when the connection was just cut. */
export function refuseConnection(connection: Connection, code: string | undefined, nowMs: number): Refusal | undefined {
  const { socket } = connection;
  // What still arrives after the refusal fails to parse again, and is swallowed up to a limit.
  if (connection.lingering) return hasLingeredEnough(connection, nowMs) ? cut(socket) : undefined;
  // Bytes behind a request that asked for `Connection: close`; its answer ends the connection.
  if (code === "HPE_CLOSED_CONNECTION") return undefined;
  const exchange = connection.exchanges.at(-1);
  const isReceiving = exchange?.phase === "receiving";
  if (code === "ECONNRESET" || !socket.writable || socket.bytesRead === 0) return cut(socket);
  if (connection.exchanges.length > (isReceiving ? 1 : 0)) return cut(socket);
  const error = protocolError(code);
  connection.lingering = { sinceMs: nowMs, bytesRead: socket.bytesRead };
  if (isReceiving) {
    connection.exchanges.pop();
    exchange.phase = "over";
  }
  // Closes our half only: a full close with unread bytes would reset the connection before the answer is read.
  socket.end(rawErrorResponse(error));
  return { status: error.status, exchange: isReceiving ? exchange : undefined };
}

function cut(socket: Socket): undefined {
  socket.destroy();
}
