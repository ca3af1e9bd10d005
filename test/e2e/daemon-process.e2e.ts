/** The daemon as a process among others: without descriptors, stopped, unread, beside a second one, under any umask. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Program, startProgram, tryProgram, writeProgramConfig } from "../support/program.ts";
import { Tally, until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const isThere = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;
const notLinux = process.platform === "linux" ? false : "needs Linux";
const notRoot = process.getuid?.() === 0 ? false : "needs root, to make files of another user";

interface Place {
  readonly dataDir: string;
  readonly configPath: string;
}

function place(t: TestContext, config: object = {}): Place {
  const directory = tempDir(t);
  const dataDir = join(directory, "data");
  return { dataDir, configPath: writeProgramConfig(join(directory, "config.json"), { dataDir, ...config }) };
}

/** Sends `count` increments, of which each must be acknowledged. */
async function sendWell(daemon: Program, tally: Tally, count: number): Promise<void> {
  let rest = count;
  await tally.sendWhile(daemon, (status) => (assert.equal(status, 200), --rest > 0));
}

test(
  "no descriptor left: the rest is served, what cannot be written is refused, the first free one makes it well",
  {
    skip: isThere("prlimit") ? false : "needs prlimit",
  },
  async (t) => {
    const { configPath } = place(t, { storage: { maxJournalBytes: 8192 } });
    const daemon = await startProgram(t, configPath, { wrapper: ["prlimit", "--nofile=50"] });
    const tally = new Tally();
    await sendWell(daemon, tally, 50);

    const { port } = new URL(daemon.url);
    const greedy = Array.from({ length: 100 }, () => openHalfARequest(Number(port)));
    await until(() => greedy.some((socket) => socket.closed));
    let tries = 300;
    // Those connections that are open already: the journals grow full, and a new one cannot be opened.
    await tally.sendWhile(daemon, () => --tries > 0, 4);
    assert.ok(tally.refused > 0, "the limit was felt");
    assert.equal(await tally.exposed(daemon), tally.acknowledged);
    assert.equal((await daemon.fetch("/admin/stats")).status, 200);

    for (const socket of greedy) socket.destroy();
    await until(async () => (await tally.send(daemon)) === 200);
    await sendWell(daemon, tally, 100);
    await daemon.end();
    const again = await startProgram(t, configPath);
    await tally.check(again);
    await tally.sendAgain(again);
    await again.end();
  },
);

function openHalfARequest(port: number): Socket {
  const socket = connect(port, "127.0.0.1", () => void socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\n"));
  return socket.on("error", () => undefined).resume();
}

test("SIGSTOP and SIGCONT under load: clients wait, and nothing is lost; killed while stopped, neither", async (t) => {
  const { configPath } = place(t);
  let daemon = await startProgram(t, configPath);
  const tally = new Tally();
  for (let round = 0; round < 2; round++) {
    let isOver = false;
    const sending = tally.sendWhile(daemon, (status) => (assert.equal(status, 200), !isOver));
    await pause(200);
    daemon.process.kill("SIGSTOP");
    await pause(1500);
    daemon.process.kill("SIGCONT");
    await pause(200);
    isOver = true;
    await sending;
    assert.equal(await tally.exposed(daemon), tally.acknowledged);
  }
  const sending = tally.sendWhile(daemon, (status) => status === 200);
  await pause(100);
  daemon.process.kill("SIGSTOP");
  await pause(100);
  await daemon.end();
  await sending;
  daemon = await startProgram(t, configPath);
  await tally.check(daemon);
  await tally.sendAgain(daemon);
  await daemon.end();
});

test("SIGTERM under load, with clients that stall: it ends in order and in time, and nothing is lost", async (t) => {
  const { configPath } = place(t, { server: { drainTimeoutMs: 1000 }, storage: { maxJournalBytes: 16_384 } });
  const tally = new Tally();
  for (let round = 0; round < 3; round++) {
    const daemon = await startProgram(t, configPath);
    if (round > 0) await tally.check(daemon);
    const stalling = Array.from({ length: 20 }, () => openHalfARequest(Number(new URL(daemon.url).port)));
    const sending = tally.sendWhile(daemon, (status) => status === 200);
    await pause(300);
    const sinceMs = performance.now();
    assert.deepEqual(await daemon.end("SIGTERM"), { code: 0, signal: null });
    const tookMs = performance.now() - sinceMs;
    assert.ok(tookMs < 6000, `ended after ${tookMs} ms`);
    await sending;
    for (const socket of stalling) socket.destroy();
  }
  const daemon = await startProgram(t, configPath);
  await tally.check(daemon);
  await tally.sendAgain(daemon);
  await daemon.end("SIGTERM");
});

test(
  "the wall clock jumps a day ahead and back, while it runs and between two runs",
  {
    skip: isThere("faketime") ? false : "needs faketime",
  },
  async (t) => {
    const { dataDir, configPath } = place(t);
    const offset = join(dataDir, "..", "offset");
    const env = {
      LD_PRELOAD: spawnSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" }).stdout.trim(),
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    const batch = { requestId: "one", metrics: [{ name: "once_total", type: "counter", labels: { a: "b" } }] };
    const hoursAhead = async (daemon: Program): Promise<number> =>
      Math.round((Date.parse((await daemon.fetch("/health")).headers.get("date")!) - Date.now()) / 3_600_000) || 0;
    const tally = new Tally();
    writeFileSync(offset, "+0");
    let daemon = await startProgram(t, configPath, { env });
    assert.equal((await daemon.post("/api/metrics/batch", batch)).status, 200);
    for (const [jump, hours] of [
      ["+1d", 24],
      ["-1d", -24],
      ["+0", 0],
    ] as const) {
      writeFileSync(offset, jump);
      // The Date header is made anew once a second.
      await until(async () => (await hoursAhead(daemon)) === hours);
      assert.equal((await daemon.post("/api/metrics/batch", batch)).status, 409);
      await sendWell(daemon, tally, 50);
      assert.equal(await tally.exposed(daemon), tally.acknowledged);
      await daemon.end();
      daemon = await startProgram(t, configPath, { env });
      assert.equal(await hoursAhead(daemon), hours);
      assert.equal((await daemon.post("/api/metrics/batch", batch)).status, 409);
      assert.equal(await tally.exposed(daemon), tally.acknowledged);
    }
    assert.match(await (await daemon.fetch("/metrics")).text(), /^once_total\{a="b"\} 1$/m);
    await daemon.end("SIGTERM");
  },
);

describe("the log at level debug, under load", () => {
  /** Reloads of a config with fifty faults, each of which is logged. */
  async function logMuch(daemon: Program, { configPath }: Place, megabytes: number): Promise<void> {
    const good = readFileSync(configPath, "utf8");
    const nonsense = "x".repeat(50);
    const faults = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`nonsense_${index}_${nonsense}`, 1]));
    writeFileSync(configPath, JSON.stringify({ ...(JSON.parse(good) as object), ...faults }));
    // About 250 bytes a line.
    for (let sent = 0; sent < megabytes * 80; sent++) {
      assert.equal((await daemon.post("/admin/reload", {})).status, 400);
    }
    writeFileSync(configPath, good);
    assert.equal((await daemon.post("/admin/reload", {})).status, 200);
  }

  async function heapBytes(daemon: Program): Promise<number> {
    const { memory } = (await (await daemon.fetch("/admin/stats")).json()) as { memory: Record<string, number> };
    return memory["heapUsed"]! + memory["external"]!;
  }

  async function attack(t: TestContext, output: "closed" | "stalled"): Promise<Program> {
    const where = place(t, { storage: { maxJournalBytes: 16_384 } });
    const daemon = await startProgram(t, where.configPath, { output });
    const tally = new Tally();
    await sendWell(daemon, tally, 200);
    const before = await heapBytes(daemon);
    let isOver = false;
    const sending = tally.sendWhile(daemon, (status) => (assert.equal(status, 200), !isOver));
    await logMuch(daemon, where, 3);
    isOver = true;
    await sending;
    const grown = (await heapBytes(daemon)) - before;
    assert.equal(await tally.exposed(daemon), tally.acknowledged);
    assert.ok(grown < 30 << 20, `the heap grew by ${grown} bytes`);
    t.diagnostic(`${tally.acknowledged} acknowledged, the heap grew by ${(grown / 2 ** 20).toFixed(1)} MiB`);
    return daemon;
  }

  test("with standard output and error closed", async (t) => {
    const daemon = await attack(t, "closed");
    assert.deepEqual(await daemon.end("SIGTERM"), { code: 0, signal: null });
  });

  test("with pipes that nobody reads; lines are lost, and told of once somebody reads again", async (t) => {
    const daemon = await attack(t, "stalled");
    let read = "";
    daemon.process.stderr!.on("data", (chunk: Buffer) => void (read += chunk.toString()));
    await until(() => /log lines were lost[^\n]*"count":\d{4,}/.test(read));
    assert.deepEqual(await daemon.end("SIGTERM"), { code: 0, signal: null });
    assert.match(read, /"stopped"/);
  });

  test("with pipes that nobody reads, it still ends in order", async (t) => {
    const where = place(t);
    const daemon = await startProgram(t, where.configPath, { output: "stalled" });
    await logMuch(daemon, where, 2);
    assert.deepEqual(await daemon.end("SIGTERM"), { code: 0, signal: null });
  });
});

const linkOf = (pid: number | "self", descriptor: string): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return undefined;
  }
};

describe("a second daemon", () => {
  test("on the same data directory says who holds it and exits 4; after kill -9 the directory is free", async (t) => {
    const { configPath } = place(t);
    let daemon = await startProgram(t, configPath);
    const tally = new Tally();
    for (let round = 0; round < 2; round++) {
      const second = await tryProgram(t, configPath);
      assert.ok(!("url" in second));
      assert.equal(second.code, 4);
      assert.ok(second.log.includes(`"pid":${daemon.pid},"url":"${daemon.url}"`), second.log);
      assert.match(second.log, /already running/);
      await sendWell(daemon, tally, 20);
      await daemon.end();
      daemon = await startProgram(t, configPath);
      assert.equal(await tally.exposed(daemon), tally.acknowledged);
    }
    await daemon.end("SIGTERM");
  });

  test(
    "cannot start when somebody has removed the file that tells who holds the directory",
    {
      skip: isThere("flock") ? false : "needs flock",
    },
    async (t) => {
      const { dataDir, configPath } = place(t);
      const daemon = await startProgram(t, configPath);
      rmSync(join(dataDir, "daemon.pid"));
      const second = await tryProgram(t, configPath);
      assert.ok(!("url" in second));
      assert.equal(second.code, 4);
      assert.match(second.log, /in use by another process/);
      assert.equal((await daemon.end("SIGTERM")).code, 0);
      assert.equal((await (await startProgram(t, configPath)).end("SIGTERM")).code, 0);
    },
  );

  test("of five that start at once, one runs and the others exit 4", async (t) => {
    const { configPath } = place(t);
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => tryProgram(t, configPath)));
    const running = outcomes.filter((outcome) => "url" in outcome);
    assert.equal(running.length, 1);
    for (const outcome of outcomes) if (!("url" in outcome)) assert.equal(outcome.code, 4, outcome.log);
    await running[0]!.end("SIGTERM");
  });

  test("no descriptor of the daemon passes on to programs that it starts", { skip: notLinux }, async (t) => {
    const { configPath } = place(t);
    const daemon = await startProgram(t, configPath);
    await sendWell(daemon, new Tally(), 20);
    const O_CLOEXEC = 0o2000000;
    const numbers = readdirSync(`/proc/${daemon.pid}/fdinfo`).filter((number) => Number(number) > 2);
    const inherited = numbers.filter((number) => {
      // Handed down by whoever runs this test.
      if (linkOf("self", number) === linkOf(daemon.pid, number)) return false;
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/fdinfo/${number}`, "utf8"))![1]!;
      return (parseInt(flags, 8) & O_CLOEXEC) === 0;
    });
    assert.ok(numbers.length > 5);
    assert.deepEqual(inherited, []);
    await daemon.end("SIGTERM");
  });
});

describe("modes and owners", { skip: notLinux }, () => {
  const modesBelow = (path: string): string[] => {
    const stats = lstatSync(path);
    const kind = stats.isDirectory() ? "directory" : "file";
    const below = stats.isDirectory() ? readdirSync(path).flatMap((name) => modesBelow(join(path, name))) : [];
    return [`${kind} ${(stats.mode & 0o777).toString(8)}`, ...below];
  };

  for (const umask of ["000", "777"]) {
    test(`under umask ${umask} files are 0600 in directories 0700: snapshots, files set aside, the socket`, async (t) => {
      const { dataDir, configPath } = place(t, { storage: { maxJournalBytes: 8192 } });
      const wrapper = ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"];
      const tally = new Tally();
      let daemon = await startProgram(t, configPath, { wrapper });
      await sendWell(daemon, tally, 200);
      await daemon.end();
      const journal = readdirSync(join(dataDir, "metrics"))
        .filter((name) => name.includes("journal"))
        .sort()
        .at(-1)!;
      appendFileSync(join(dataDir, "metrics", journal), "not a record at all");
      daemon = await startProgram(t, configPath, { wrapper });
      await sendWell(daemon, tally, 200);
      await until(() => readdirSync(join(dataDir, "metrics")).some((name) => name.includes(".corrupt-")));
      const modes = modesBelow(dataDir);
      assert.ok(modes.length >= 8, modes.join());
      assert.deepEqual([...new Set(modes)].sort(), ["directory 700", "file 600"]);
      assert.ok(lstatSync(join(dataDir, "daemon.sock")).isSocket());
      await daemon.end("SIGTERM");
    });
  }

  test("a token and a directory that let others in are repaired, with a warning", async (t) => {
    const { dataDir, configPath } = place(t);
    await (await startProgram(t, configPath)).end("SIGTERM");
    const token = join(dataDir, "token");
    chmodSync(token, 0o644);
    chmodSync(dataDir, 0o755);
    chmodSync(join(dataDir, "metrics"), 0o777);
    const daemon = await startProgram(t, configPath);
    const modeOf = (name: string): number => lstatSync(join(dataDir, name)).mode & 0o777;
    assert.deepEqual([modeOf(""), modeOf("token"), modeOf("metrics")], [0o700, 0o600, 0o700]);
    const warnings = daemon
      .log()
      .split("\n")
      .filter((line) => line.includes("let other users in"));
    const warned = warnings.map((line) => (JSON.parse(line) as { path: string }).path);
    assert.deepEqual(warned, [dataDir, token, join(dataDir, "metrics")]);
    await daemon.end("SIGTERM");
  });

  test("a data directory, token or plugin's directory of another user is refused", { skip: notRoot }, async (t) => {
    const { dataDir, configPath } = place(t);
    await (await startProgram(t, configPath)).end("SIGTERM");
    for (const name of ["", "token", "metrics"]) {
      const path = join(dataDir, name);
      chownSync(path, 12_345, 12_345);
      const outcome = await tryProgram(t, configPath);
      assert.ok(!("url" in outcome));
      assert.equal(outcome.code, 1);
      const refusal = `Refusing to use ${path}: it belongs to user 12345, and this is user 0`;
      assert.ok(outcome.log.includes(refusal), outcome.log);
      assert.equal(lstatSync(path).uid, 12_345);
      chownSync(path, 0, 0);
    }
    await (await startProgram(t, configPath)).end("SIGTERM");
  });
});
