/** 300 clients that dribble, stall or do not read, while others are served as if they were not there. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { type Program, startProgram, writeProgramConfig } from "../support/program.ts";
import { Tally, until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const OF_EACH_KIND = 100;
const FAMILIES = 8;
const SERIES_PER_FAMILY = 8000;
const LONGEST_WAIT_MS = 3000;
/** What is measured holds garbage too; beyond this limit on what is alive the daemon would end. */
const HEAP_LIMIT_MB = 200;

/** Fills the exposition up to about 10 MB: more than the kernel takes for a client that does not read. */
async function addManySeries(daemon: Program): Promise<void> {
  const padding = "x".repeat(100);
  for (let family = 0; family < FAMILIES; family++) {
    for (let from = 0; from < SERIES_PER_FAMILY; from += 1000) {
      const metrics = Array.from({ length: 1000 }, (_, index) => ({
        name: `many_${family}`,
        type: "gauge",
        set: from + index,
        labels: { v: String(from + index), padding },
      }));
      const reply = await daemon.post("/api/metrics/batch", { metrics });
      assert.deepEqual(await reply.json(), { success: 1000, failed: [] });
    }
  }
}

interface SlowClient {
  readonly socket: Socket;
  readonly received: () => string;
}

function open(daemon: Program, head: string): SlowClient {
  let received = "";
  const socket = connect(Number(new URL(daemon.url).port), "127.0.0.1", () => void socket.write(head));
  socket.on("error", () => undefined);
  // The end is enough to tell whether it was whole.
  socket.on("data", (chunk: Buffer) => void (received = (received + chunk.toString("latin1")).slice(-1000)));
  return { socket, received: () => received };
}

/** One more byte every 100 ms, for as long as the daemon lets it. */
function dribble(client: SlowClient, text: string): SlowClient {
  let at = 0;
  const timer = setInterval(() => void (client.socket.writable && client.socket.write(text[at++ % text.length]!)), 100);
  client.socket.on("close", () => clearInterval(timer));
  return client;
}

const KINDS: readonly ((daemon: Program, index: number) => SlowClient)[] = [
  (daemon) => dribble(open(daemon, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"), "X-Slow: 1\r\n"),
  (daemon) => {
    const head = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n";
    return dribble(open(daemon, `POST /api/metrics HTTP/1.1\r\n${head}`), " ");
  },
  (daemon, index) => {
    const coding = index % 10 === 0 ? "Accept-Encoding: gzip\r\n" : "";
    const client = open(daemon, `GET /metrics HTTP/1.1\r\nHost: localhost\r\n${coding}\r\n`);
    client.socket.pause();
    return client;
  },
];

async function readStats(daemon: Program): Promise<{ connections: number; usedBytes: number }> {
  const stats = await (await daemon.fetch("/admin/stats")).json();
  const { connections, memory } = stats as { connections: number; memory: Record<string, number> };
  return { connections, usedBytes: memory["heapUsed"]! + memory["external"]! };
}

const isWhole = ({ received }: SlowClient): boolean => received().endsWith("\r\n0\r\n\r\n");

test(`${OF_EACH_KIND * 3} slow clients: headers and bodies that never end, answers that nobody reads`, async (t) => {
  const directory = tempDir(t);
  const server = { headerTimeoutMs: 3000, requestTimeoutMs: 4000, writeTimeoutMs: 3000 };
  const configPath = writeProgramConfig(join(directory, "config.json"), { dataDir: join(directory, "data"), server });
  const daemon = await startProgram(t, configPath, { env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_LIMIT_MB}` } });
  await addManySeries(daemon);
  const before = await readStats(daemon);
  const tally = new Tally();

  const clients = KINDS.map((make) => Array.from({ length: OF_EACH_KIND }, (_, index) => make(daemon, index)));
  const [headers, bodies, readers] = clients as [SlowClient[], SlowClient[], SlowClient[]];
  t.after(() => clients.flat().forEach(({ socket }) => socket.destroy()));

  const waits: number[] = [];
  let isOver = false;
  let sinceMs = performance.now();
  const sending = tally.sendWhile(
    daemon,
    (status) => {
      assert.equal(status, 200);
      waits.push(performance.now() - sinceMs);
      sinceMs = performance.now();
      return !isOver;
    },
    1,
  );
  let mostBytes = 0;
  await until(async () => {
    const { connections, usedBytes } = await readStats(daemon);
    mostBytes = Math.max(mostBytes, usedBytes);
    return [...headers, ...bodies].every(({ socket }) => socket.closed) && connections < OF_EACH_KIND / 2;
  });
  isOver = true;
  await sending;

  for (const { received } of [...headers, ...bodies]) assert.match(received(), /^HTTP\/1\.1 408 /);
  for (const { socket } of readers) socket.resume();
  await until(() => readers.every((reader) => reader.socket.closed || isWhole(reader)));
  const cutOff = readers.filter((reader) => !isWhole(reader)).length;
  // The kernel may take the whole answer for some, as much as its buffers grow; nobody else got all of it.
  assert.ok(cutOff >= OF_EACH_KIND * 0.3, `only ${cutOff} readers were cut off`);

  waits.sort((a, b) => a - b);
  const grownBytes = mostBytes - before.usedBytes;
  const [median, longest] = [waits[waits.length >> 1]!, waits.at(-1)!];
  t.diagnostic(
    `${waits.length} others served meanwhile, median ${median.toFixed(1)} ms, longest ${longest.toFixed(0)} ms`,
  );
  t.diagnostic(`heap and buffers grew by ${(grownBytes / 2 ** 20).toFixed(1)} MiB at most; ${cutOff} readers cut off`);
  assert.ok(longest < LONGEST_WAIT_MS, `one waited ${longest} ms`);
  assert.ok(grownBytes < 300 << 20, `heap and buffers grew by ${grownBytes} bytes`);
  assert.equal(await tally.exposed(daemon), tally.acknowledged);
  assert.equal((await daemon.end("SIGTERM")).code, 0);
});
