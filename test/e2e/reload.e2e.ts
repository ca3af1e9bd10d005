/** Reloads of good and bad configs, by SIGHUP and over HTTP, under load: nothing acknowledged is lost on the way. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rotateToken } from "../../src/system/token.ts";
import { type Program, startProgram, writeProgramConfig } from "../support/program.ts";
import { Tally, until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const counter = { name: "x_total", type: "counter" };

/** A daemon with a config that can be changed, and the token as its clients know it. */
class Subject {
  readonly daemon: Program;
  readonly dataDir: string;
  readonly configPath: string;
  readonly #first: Readonly<Record<string, unknown>>;
  token: string;

  constructor(daemon: Program, configPath: string) {
    this.daemon = daemon;
    this.configPath = configPath;
    this.#first = JSON.parse(readFileSync(configPath, "utf8")) as Record<string, unknown>;
    this.dataDir = this.#first["dataDir"] as string;
    this.token = this.readToken();
  }

  readToken(): string {
    return readFileSync(join(this.dataDir, "token"), "utf8").trim();
  }

  fetch(path: string): Promise<Response> {
    return this.daemon.fetch(path, { headers: { authorization: `Bearer ${this.token}` } });
  }

  post(path: string, body: unknown): Promise<Response> {
    return this.daemon.post(path, body, { authorization: `Bearer ${this.token}` });
  }

  /** Changes the config, of which the rest is as at the start, and makes the daemon read it. */
  async reload(how: "signal" | "request", change: object): Promise<void> {
    writeFileSync(this.configPath, JSON.stringify({ ...this.#first, ...change }));
    if (how === "request") return assert.equal((await this.post("/admin/reload", {})).status, 200);
    const before = this.count("reloaded the config");
    this.daemon.process.kill("SIGHUP");
    await until(() => this.count("reloaded the config") > before);
  }

  count(message: string): number {
    return this.daemon.log().split(`"${message}"`).length - 1;
  }
}

test("reloads under load", async (t) => {
  const directory = tempDir(t);
  const configPath = writeProgramConfig(join(directory, "config.json"), {
    dataDir: join(directory, "data"),
    auth: { enabled: false, protectReads: true },
    storage: { maxJournalBytes: 16_384 },
  });
  const subject = new Subject(await startProgram(t, configPath), configPath);
  const { daemon } = subject;
  const tally = new Tally("tally_total", [403, 404]);
  let isOver = false;
  const sending = tally.sendWhile(subject, (status) => status !== undefined && !isOver);
  /** Waits for more of the load to get through. */
  const moreCounted = async (): Promise<void> => {
    const before = tally.acknowledged;
    await until(() => tally.acknowledged > before + 20);
  };
  const statusWithoutToken = async (): Promise<number> => (await daemon.post("/api/metrics", counter)).status;
  await moreCounted();

  await t.test("a config with faults: nothing changes, the log says what is wrong", async () => {
    const good = readFileSync(configPath, "utf8");
    for (const bad of ["", "{", '{"auth":{"enabled":"yes"}}', '{"server":{"port":70000}}', '{"nonsense":1}']) {
      writeFileSync(configPath, bad);
      const before = subject.count("the config is not taken over");
      daemon.process.kill("SIGHUP");
      await until(() => subject.count("the config is not taken over") > before);
      const reply = await daemon.post("/admin/reload", {});
      assert.equal(reply.status, 400);
      assert.equal(((await reply.json()) as { code: string }).code, "VALIDATION_ERROR");
    }
    writeFileSync(configPath, good);
    assert.equal(await statusWithoutToken(), 204);
    await moreCounted();
  });

  for (const how of ["signal", "request"] as const) {
    await t.test(`auth on, the token turned, auth off (${how})`, async () => {
      await subject.reload(how, { auth: { enabled: true, protectReads: true } });
      assert.equal(await statusWithoutToken(), 401);
      assert.equal((await daemon.fetch("/metrics")).status, 401);
      await moreCounted();
      const old = subject.token;
      await rotateToken(subject.dataDir);
      // Over HTTP the old token is still the one to show.
      await subject.reload(how, { auth: { enabled: true, protectReads: true } });
      subject.token = subject.readToken();
      assert.notEqual(subject.token, old);
      assert.equal((await daemon.post("/api/metrics", counter, { authorization: `Bearer ${old}` })).status, 403);
      await moreCounted();
      await subject.reload(how, {});
      assert.equal(await statusWithoutToken(), 204);
    });

    await t.test(`limits (${how})`, async () => {
      const large = { ...counter, help: "h".repeat(2000) };
      await subject.reload(how, { server: { port: 0, maxPayloadSize: 1024 } });
      assert.equal((await subject.post("/api/metrics", large)).status, 413);
      await subject.reload(how, { metrics: { maxBatchSize: 1, maxMetricNames: 2 } });
      assert.equal((await subject.post("/api/metrics", large)).status, 204);
      assert.equal((await subject.post("/api/metrics", { ...counter, name: "one_too_many" })).status, 400);
      assert.equal((await subject.post("/api/metrics/batch", { metrics: [counter, counter] })).status, 400);
      await moreCounted();
      await subject.reload(how, {});
    });

    await t.test(`the metrics plugin off and on, five times (${how})`, async () => {
      for (let round = 0; round < 5; round++) {
        await subject.reload(how, { plugins: { metrics: false } });
        assert.equal((await subject.fetch("/metrics")).status, 404);
        const refused = tally.refused;
        await until(() => tally.refused > refused + 20);
        await subject.reload(how, { plugins: { metrics: true } });
        assert.equal((await subject.fetch("/metrics")).status, 200);
        await moreCounted();
      }
    });
  }

  await t.test("level of the log; what needs a restart is told and not done", async () => {
    writeFileSync(configPath, readFileSync(configPath, "utf8").replace(/"port":0/, '"port":1'));
    const reply = (await (await subject.post("/admin/reload", {})).json()) as { needsRestart: string[] };
    assert.deepEqual(reply.needsRestart, ["server.port"]);
    const before = subject.count("reloaded the config");
    await subject.reload("request", { logging: { level: "error" } });
    await subject.reload("request", { logging: { level: "error" } });
    await subject.reload("signal", {});
    assert.equal(subject.count("reloaded the config"), before + 1);
  });

  isOver = true;
  await sending;
  assert.equal(tally.unknown, 0);
  await tally.check(subject);
  assert.equal(await tally.exposed(subject), tally.acknowledged);
  assert.doesNotMatch(daemon.log(), /INTERNAL_ERROR|a request failed|does not stop|storage problem/);
  await daemon.end();
  const again = new Subject(await startProgram(t, configPath), configPath);
  assert.equal(await tally.exposed(again), tally.acknowledged);
  await tally.sendAgain(again);
  await again.daemon.end("SIGTERM");
  t.diagnostic(`${tally.acknowledged} acknowledged over ${subject.count("reloaded the config")} reloads`);
});
