/**
 * Series that are born and dropped all the time, under scrapes in both formats and codings: every scrape is a valid
 * document, and what is exposed when it calms down is exposed again after kill -9.
 */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { mountMissing, tmpfs } from "../support/mount.ts";
import { parseExposition, type ParsedFamily } from "../support/parse-exposition.ts";
import { type Program, startProgram, writeProgramConfig } from "../support/program.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const SEED = Number(process.env["PI_DAEMON_TEST_SEED"] ?? Date.now() % 100_000);
const ROUNDS = 2;
const ROUND_MS = 2000;
const DISK_BYTES = 1 << 20;

/** Names that collide with each other's samples, and with what objects have by themselves. */
const NAMES = [
  "x",
  "x_total",
  "x_count",
  "x_sum",
  "x_bucket",
  "y",
  "y_total",
  "z",
  "z_created",
  "__proto__",
  "constructor",
  "toString",
];
const VALUE_OF: Readonly<Record<string, (random: Random) => object>> = {
  counter: (random) => ({ increment: random.int(0, 5) }),
  gauge: (random) => ({ [random.pick(["set", "delta"])]: random.int(-9, 9) }),
  histogram: (random) => ({ observe: random.int(-3, 12), ...random.pick([{}, { buckets: [1, 2] }, { buckets: [5] }]) }),
  summary: (random) => ({ observe: random.int(-3, 12) }),
};
const VALUES = ["1", "2", "3", "a\nb", 'q"\\', "é💩", ""];

function randomSample(random: Random): object {
  const type = random.pick(Object.keys(VALUE_OF));
  const keys = random.next() < 0.5 ? ["a", "b"] : ["b", "a"];
  const labels = Object.fromEntries(keys.map((key) => [key, random.pick(VALUES)]));
  const hasTexts = random.next() < 0.2;
  const texts = hasTexts ? { help: `help ${random.int(1, 9)}`, unit: random.pick(["seconds", "bytes"]) } : {};
  return { name: random.pick(NAMES), type, labels, ...VALUE_OF[type]!(random), ...texts };
}

function sendChange(daemon: Program, random: Random): Promise<Response> {
  const dice = random.next();
  const label = random.next() < 0.5 ? `?a=${random.int(1, 3)}` : "";
  if (dice < 0.15) return daemon.fetch(`/api/metrics/${random.pick(NAMES)}${label}`, { method: "DELETE" });
  if (dice < 0.5) return daemon.post("/api/metrics", randomSample(random));
  const metrics = Array.from({ length: random.int(0, 20) }, () => randomSample(random));
  return daemon.post("/api/metrics/batch", { requestId: String(random.int(0, 1e9)), metrics });
}

async function change(daemon: Program, random: Random): Promise<void> {
  const reply = await sendChange(daemon, random);
  const text = await reply.text();
  assert.ok([200, 204, 400, 404, 409, 503].includes(reply.status), `${reply.status} ${text}`);
}

async function scrape(daemon: Program, random: Random): Promise<void> {
  const format = random.pick(["text", "openmetrics"] as const);
  const accept = format === "text" ? "text/plain" : "application/openmetrics-text";
  const coding = random.pick(["gzip", "identity"]);
  const reply = await daemon.fetch("/metrics", { headers: { accept, "accept-encoding": coding } });
  for (const family of parseExposition(await reply.text(), format)) {
    if (family.type === "histogram") checkHistogram(family);
  }
}

/** Buckets only rise, and the last one is the count. */
function checkHistogram({ name, samples }: ParsedFamily): void {
  let last = 0;
  for (const sample of samples) {
    if (sample.name === `${name}_bucket`) {
      const isFirst = last === Infinity;
      assert.ok(isFirst || sample.value >= last, `${name}: ${sample.value} after ${last}`);
      last = sample.value;
    } else if (sample.name === `${name}_count`) {
      assert.equal(sample.value, last, name);
      last = 0;
    }
  }
}

/** What clients sent, without quantiles, which depend on the time. */
async function exposed(daemon: Program): Promise<string> {
  const text = await (await daemon.fetch("/metrics")).text();
  return text.replaceAll(/^(# (HELP|TYPE) )?(pi_daemon_|process_).*\n|^.*quantile=.*\n/gm, "");
}

/** Fills the disk and makes room again, by turns; answers how often it was full. */
async function fillNowAndThen(disk: string, random: Random, isOver: () => boolean): Promise<number> {
  const filler = join(disk, "filler");
  let fills = 0;
  while (!isOver()) {
    try {
      writeFileSync(filler, Buffer.alloc(DISK_BYTES));
    } catch {
      fills++;
    }
    await pause(random.int(50, 400));
    rmSync(filler, { force: true });
    await pause(random.int(50, 600));
  }
  return fills;
}

const VARIANTS = ["async", "sync"].flatMap((durability) => [
  { durability, isTight: false },
  { durability, isTight: true },
]);

for (const { durability, isTight } of VARIANTS) {
  const where = isTight ? ", on a disk that is full now and then" : "";
  const title = `births, drops and scrapes at once, then kill -9 (${durability}${where}, seed ${SEED})`;
  test(title, { skip: isTight && mountMissing("tmpfs") }, async (t) => {
    const directory = tempDir(t);
    const disk = isTight ? tmpfs(t, DISK_BYTES) : directory;
    const storage = { durability, maxJournalBytes: 32_768 };
    const configPath = writeProgramConfig(join(directory, "config.json"), { dataDir: join(disk, "data"), storage });
    let daemon = await startProgram(t, configPath);
    let [changes, scrapes, fills] = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      let isOver = false;
      const work = async (worker: number, act: (daemon: Program, random: Random) => Promise<void>): Promise<number> => {
        const random = seededRandom(SEED + round * 100 + worker);
        for (let count = 0; ; count++) {
          if (isOver) return count;
          await act(daemon, random);
        }
      };
      const changing = [1, 2, 3, 4, 5, 6].map((worker) => work(worker, change));
      const scraping = [7, 8].map((worker) => work(worker, scrape));
      const filling = isTight ? fillNowAndThen(disk, seededRandom(SEED + round), () => isOver) : Promise.resolve(0);
      await Promise.race([pause(ROUND_MS), ...changing, ...scraping]);
      isOver = true;
      for (const count of await Promise.all(changing)) changes += count;
      for (const count of await Promise.all(scraping)) scrapes += count;
      fills += await filling;
      const before = await exposed(daemon);
      assert.doesNotMatch(daemon.log(), /could not be applied|a request failed|broke off/);
      await daemon.end();
      daemon = await startProgram(t, configPath);
      assert.equal(await exposed(daemon), before, `round ${round}`);
      assert.doesNotMatch(daemon.log(), /could not be applied|damaged/);
    }
    t.diagnostic(`${changes} changes, ${scrapes} scrapes${isTight ? `, ${fills} times full` : ""}`);
    if (isTight) assert.ok(fills > 0);
    await daemon.end("SIGTERM");
  });
}

test("one requestId sent by 100 clients at once counts once, whatever becomes of the process in between", async (t) => {
  const directory = tempDir(t);
  for (const durability of ["async", "sync"]) {
    const dataDir = join(directory, durability);
    const configPath = writeProgramConfig(join(directory, "config.json"), { dataDir, storage: { durability } });
    let daemon = await startProgram(t, configPath);
    const send = (requestId: string): Promise<Response> =>
      daemon.post("/api/metrics/batch", {
        requestId,
        metrics: [{ name: "once_total", type: "counter", labels: { requestId } }],
      });
    for (let round = 0; round < 5; round++) {
      const statuses = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const reply = await send(`id-${round}`);
          await reply.text();
          return reply.status;
        }),
      );
      assert.deepEqual(statuses.sort().slice(0, 2), [200, 409], `round ${round}`);
    }
    for (let round = 5; round < 8; round++) {
      const sendOnce = (): Promise<unknown> =>
        send(`id-${round}`)
          .then((reply) => reply.text())
          .catch(() => undefined);
      const sent = Array.from({ length: 100 }, sendOnce);
      await Promise.race(sent);
      await daemon.end();
      await Promise.all(sent);
      daemon = await startProgram(t, configPath);
      const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await send(`id-${round}`)).status));
      assert.ok(statuses.filter((status) => status === 200).length <= 1, statuses.join());
    }
    const values = [...(await exposed(daemon)).matchAll(/^once_total\{.*\} (\d+)$/gm)].map(([, value]) => value);
    assert.deepEqual(
      values,
      Array.from({ length: 8 }, () => "1"),
    );
    await daemon.end("SIGTERM");
  }
});

test("100 000 series: posted, scraped and written as a snapshot while others are served", async (t) => {
  const directory = tempDir(t);
  const dataDir = join(directory, "data");
  const configPath = writeProgramConfig(join(directory, "config.json"), {
    dataDir,
    metrics: { maxSeries: 100_000 },
    storage: { maxJournalBytes: 2 << 20 },
  });
  let daemon = await startProgram(t, configPath);
  let isOver = false;
  let longestMs = 0;
  const others = (async () => {
    for (let sinceMs = performance.now(); !isOver; sinceMs = performance.now()) {
      assert.equal((await daemon.post("/api/metrics", { name: "other_total", type: "counter" })).status, 204);
      longestMs = Math.max(longestMs, performance.now() - sinceMs);
    }
  })();
  const scraping = (async () => {
    while (!isOver) parseExposition(await (await daemon.fetch("/metrics")).text(), "text");
  })();
  for (let batch = 0; batch < 100; batch++) {
    const metrics = Array.from({ length: 1000 }, (_, index) => ({
      name: `many_${batch % 20}_total`,
      type: "counter",
      labels: { batch: String(batch), index: String(index) },
    }));
    const reply = await daemon.post("/api/metrics/batch", { metrics });
    const { failed } = (await reply.json()) as { failed: { error: string }[] };
    // One place belongs to the others' counter.
    if (failed.length > 0) assert.match(failed[0]!.error, /limit of 100000 series/);
  }
  await until(() => daemon.log().split('"snapshot written"').length > 2);
  isOver = true;
  await Promise.all([others, scraping]);
  const stats = (await (await daemon.fetch("/admin/stats")).json()) as { eventLoopDelaySeconds: { p99: number } };
  const before = await exposed(daemon);
  assert.equal(before.match(/^\w+\{.*\} 1$/gm)!.length, 99_999);
  await daemon.end();
  const startMs = performance.now();
  daemon = await startProgram(t, configPath);
  t.diagnostic(`back after ${(performance.now() - startMs).toFixed(0)} ms`);
  t.diagnostic(`others waited at most ${longestMs.toFixed(0)} ms, also for this process`);
  t.diagnostic(`the daemon's event loop was late by at most ${(stats.eventLoopDelaySeconds.p99 * 1000).toFixed(0)} ms`);
  assert.equal(await exposed(daemon), before);
  const dropMs = performance.now();
  const dropped = await daemon.fetch("/api/metrics/many_0_total", { method: "DELETE" });
  assert.deepEqual(await dropped.json(), { dropped: 5000 });
  t.diagnostic(`dropping 5000 of them took ${(performance.now() - dropMs).toFixed(0)} ms`);
  assert.ok(longestMs < 3000, `one waited ${longestMs} ms`);
  await daemon.end("SIGTERM");
});
