/** Requests of every sort, run together, cut, damaged and hung up on at random: no 500, and the daemon lives on. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { type Program, startProgram, writeProgramConfig } from "../support/program.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { Tally } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const SEED = Number(process.env["PI_DAEMON_TEST_SEED"] ?? Date.now() % 100_000);
const SECONDS = 12;
const CLIENTS = 40;

const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n";
const CHUNKS = '5\r\n{"met\r\na\r\nrics":[{}]\r\n1\r\n}\r\n0\r\n\r\n';
const JSON_HEAD = "Host: localhost\r\nContent-Type: application/json\r\n";
const REQUESTS: readonly string[] = [
  "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n",
  "GET http://localhost/health HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n",
  `GET /metrics HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`,
  "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n",
  "DELETE /api/metrics/a?x=%41&y=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "TRACE /api/metrics/registry?limit=1e3 HTTP/1.1\r\nHost: localhost\r\nMax-Forwards: 0\r\n\r\n",
  `POST /api/metrics HTTP/1.1\r\n${JSON_HEAD}Content-Length: 31\r\n\r\n{"name":"a","type":"counter"}  `,
  `POST /api/metrics/batch HTTP/1.1\r\n${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  "POST /admin/reload HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
];

/** Some requests in a row, with a few bytes changed or copied elsewhere, and maybe cut off. */
function hostileBytes(random: Random): Buffer {
  const bytes = Buffer.from(Array.from({ length: random.int(1, 4) }, () => random.pick(REQUESTS)).join(""), "latin1");
  for (let change = random.int(0, 6); change > 0; change--) {
    const at = random.int(0, bytes.length - 1);
    const from = random.int(0, bytes.length - 1);
    if (random.next() < 0.5) bytes[at] = random.int(0, 255);
    else bytes.copy(bytes, at, from, Math.min(bytes.length, from + 30));
  }
  return random.next() < 0.3 ? bytes.subarray(0, random.int(1, bytes.length)) : bytes;
}

/** Sends the bytes in two parts, then waits, hangs up or goes away; answers the statuses that came. */
function attack(daemon: Program, random: Random): Promise<string[]> {
  const bytes = hostileBytes(random);
  const half = random.int(0, bytes.length);
  const manner = random.pick(["end", "destroy", "stay", "stay"]);
  const socket = connect(Number(new URL(daemon.url).port), "127.0.0.1");
  let received = "";
  socket.on("error", () => undefined).on("data", (chunk: Buffer) => void (received += chunk.toString("latin1")));
  socket.write(bytes.subarray(0, half));
  setImmediate(() => {
    socket.write(bytes.subarray(half));
    if (manner === "end") socket.end();
    else if (manner === "destroy") socket.destroy();
  });
  const timer = setTimeout(() => void socket.destroy(), 100);
  return new Promise((resolve) => {
    socket.once("close", () => {
      clearTimeout(timer);
      const statuses = [...received.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status!);
      assert.ok(!statuses.includes("500"), `500 for ${JSON.stringify(bytes.toString("latin1"))}`);
      resolve(statuses);
    });
  });
}

test(`hostile bytes (seed ${SEED})`, async (t) => {
  const directory = tempDir(t);
  const server = { headerTimeoutMs: 500, requestTimeoutMs: 500 };
  const configPath = writeProgramConfig(join(directory, "config.json"), { dataDir: join(directory, "data"), server });
  const daemon = await startProgram(t, configPath);
  const random = seededRandom(SEED);
  const counts: Record<string, number> = {};
  const tally = new Tally();
  const untilMs = performance.now() + SECONDS * 1000;
  const work = async (): Promise<void> => {
    while (performance.now() < untilMs && daemon.process.exitCode === null) {
      for (const status of await attack(daemon, random)) counts[status] = (counts[status] ?? 0) + 1;
    }
  };
  const sending = tally.sendWhile(daemon, (status) => status === 200 && performance.now() < untilMs, 2);
  await Promise.all([sending, ...Array.from({ length: CLIENTS }, work)]);
  assert.equal(daemon.process.exitCode, null, daemon.log().slice(-2000));
  assert.equal(tally.unknown, 0);
  assert.equal(await tally.exposed(daemon), tally.acknowledged);
  assert.ok(Object.keys(counts).length >= 5, JSON.stringify(counts));
  t.diagnostic(`${JSON.stringify(counts)}; ${tally.acknowledged} others acknowledged`);
  assert.equal((await daemon.end("SIGTERM")).code, 0);
});
