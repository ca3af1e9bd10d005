/**
 * Writes a {@link Reply} as the answer to an exchange: whole when small, else piece by piece at the reader's pace.
 *
 * Order: the head goes out before an async iterable is asked for its first piece.
 * Errors: an iterable that throws ends in a cut connection, so that no reader takes half an answer for a whole one.
 * Not: no compression; whoever makes a body may compress it and say so in a header.
 */
import { LINGER_BYTES } from "./http-connections.ts";
import type { Exchange } from "./http-exchange.ts";
import type { Reply } from "./http.ts";

export interface ReplyEvents {
  /** The answer is complete and handed over to the socket. */
  readonly onAnswered: (exchange: Exchange) => void;
  /** Pieces are about to be written; `onAnswered` follows unless the reader leaves or they throw. */
  readonly onStreaming: (exchange: Exchange) => void;
  /** The pieces threw; the connection is cut. */
  readonly onStreamError: (exchange: Exchange, error: unknown) => void;
}

type Pieces = AsyncIterable<string | Uint8Array>;

/** A longer body is written in slices of this size, so that the progress of a slow reader can be seen. */
const SLICE_BYTES = 64 * 1024;

/** Throws for a reply that cannot be written (a line break in a header); nothing has been sent then. */
export function writeReply(exchange: Exchange, reply: Reply, events: ReplyEvents): void {
  const { res } = exchange;
  const { status } = reply;
  const isBodiless = status === 204 || status === 304;
  const body = isBodiless ? undefined : reply.body;
  if (isPieces(body)) {
    res.writeHead(status, rawHeaders(reply));
    if (exchange.method !== "HEAD") return void writePieces(exchange, body, events);
    res.end();
  } else if (body === undefined) {
    // Without headers of any sort, Node takes a shorter way.
    if (isBodiless && reply.headers === undefined) res.writeHead(status);
    else res.writeHead(status, isBodiless ? rawHeaders(reply) : rawHeaders(reply, "content-length", "0"));
    res.end();
  } else {
    const sizeBytes = Buffer.byteLength(body);
    res.writeHead(status, rawHeaders(reply, "content-length", String(sizeBytes)));
    if (sizeBytes > SLICE_BYTES && exchange.method !== "HEAD") {
      return void writePieces(exchange, sliceBody(body), events);
    }
    res.end(body);
  }
  dropBody(reply);
  events.onAnswered(exchange);
}

/**
 * Writes an answer to a request whose body is still coming, and swallows that body up to a limit: closing at once would
 * reset the connection, and the client might never read the answer. `reply.body` must be a string.
 */
export function writeEarlyReply(exchange: Exchange, reply: Reply): void {
  const { req, res } = exchange;
  const body = String(reply.body);
  const length = String(Buffer.byteLength(body));
  res.writeHead(reply.status, rawHeaders(reply, "content-length", length, "connection", "close"));
  res.flushHeaders();
  if (exchange.method !== "HEAD") res.write(body);
  let swallowedBytes = 0;
  req.on("data", (chunk: Buffer) => {
    swallowedBytes += chunk.length;
    if (swallowedBytes > LINGER_BYTES) res.end();
  });
  req.on("end", () => res.end());
}

/** Lets go of a body that nobody will read. */
export function dropBody(reply: Reply): void {
  if (isPieces(reply.body)) void endPieces(reply.body[Symbol.asyncIterator]());
}

async function writePieces(exchange: Exchange, pieces: Pieces, events: ReplyEvents): Promise<void> {
  const { res } = exchange;
  const iterator = pieces[Symbol.asyncIterator]();
  // Where a client leaves while its drain is awaited, this function waits for good, and is garbage.
  exchange.release = () => void endPieces(iterator);
  events.onStreaming(exchange);
  res.flushHeaders();
  try {
    for (;;) {
      const step = await iterator.next();
      if (exchange.phase !== "streaming") return;
      if (step.done) break;
      if (!res.write(step.value)) await new Promise<void>((resolve) => void res.once("drain", resolve));
    }
    res.end();
    events.onAnswered(exchange);
  } catch (error) {
    if (exchange.phase !== "streaming") return;
    events.onStreamError(exchange, error);
    exchange.connection.socket.destroy();
  }
}

/** An iterator that throws on the way out has nobody left to tell. */
async function endPieces(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}

async function* sliceBody(body: string | Uint8Array): Pieces {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) yield bytes.subarray(start, start + SLICE_BYTES);
}

function isPieces(body: Reply["body"]): body is Pieces {
  return typeof body === "object" && Symbol.asyncIterator in body;
}

/** Names and values in turn, the form that Node writes without another copy. */
function rawHeaders(reply: Reply, ...own: string[]): string[] {
  if (reply.headers === undefined) return own;
  for (const [name, value] of Object.entries(reply.headers)) own.push(name, value);
  return own;
}
