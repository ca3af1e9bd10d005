/** The HTTP face, without a socket. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jobRoutes } from "../../../src/plugins/jobs/routes.ts";
import { HttpError, type Reply } from "../../../src/system/http.ts";
import { job, settle, startTestJobs, type TestJobs, type TestJobsOptions } from "../../support/jobs.ts";
import { type RequestParts, requestOf } from "../../support/request.ts";

interface Stand {
  readonly jobs: TestJobs;
  call(route: string, parts?: RequestParts): Promise<Reply>;
  json(route: string, parts?: RequestParts): Promise<Body>;
  refusal(route: string, parts?: RequestParts): Promise<HttpError>;
}

/** An answer that is looked into freely: whatever is in it is compared, not used. */
type Body = { readonly [key: string]: Body } & readonly Body[];

async function stand(options: TestJobsOptions = {}): Promise<Stand> {
  const jobs = await startTestJobs(options);
  const routes = jobRoutes(jobs.services, jobs.engine);
  const call = async (name: string, parts: RequestParts = {}): Promise<Reply> => {
    const [method, path] = name.split(" ") as [string, string];
    const [, pattern, params] =
      routes
        .map((route) => [route.method === method, route, matchPath(route.pattern, path)] as const)
        .find(([isMethod, , found]) => isMethod && found) ?? [];
    assert.ok(pattern && params, `no route ${name}`);
    return pattern.handle(requestOf({ ...parts, params }));
  };
  return {
    jobs,
    call,
    json: async (name, parts) => JSON.parse(String((await call(name, parts)).body)) as Body,
    async refusal(name, parts) {
      const error = await call(name, parts).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof HttpError, `expected a refusal of ${name}, got ${String(error)}`);
      return error;
    },
  };
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const names = [...pattern.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const found = new RegExp(`^${pattern.replaceAll(/:\w+/g, "([^/]+)")}$`).exec(path);
  return found === null ? undefined : Object.fromEntries(names.map((name, index) => [name, found[index + 1]!]));
}

async function textOf({ body }: Reply): Promise<string> {
  if (typeof body === "string") return body;
  let text = "";
  for await (const piece of body as AsyncIterable<Uint8Array>) text += Buffer.from(piece).toString();
  return text;
}

const backup = {
  name: "backup",
  schedule: "30 2 * * *",
  timeZone: "Europe/Berlin",
  command: ["backup"],
  env: { KEY: "canary-key" },
};

test("every route needs the token, whatever it does", async () => {
  const { jobs } = await stand();
  const routes = jobRoutes(jobs.services, jobs.engine);
  assert.equal(routes.length, 14);
  assert.deepEqual(
    routes.filter(({ access }) => access !== "private"),
    [],
  );
});

describe("jobs through the API", () => {
  test("are made, shown, replaced and removed, and live in the store", async () => {
    const { jobs, call, json } = await stand();
    const made = await call("POST /api/jobs", { json: backup });
    assert.deepEqual([made.status, made.headers!["location"]], [201, "/api/jobs/backup"]);
    const shown = await json("GET /api/jobs/backup");
    assert.deepEqual(
      [shown["name"], shown["kind"], shown["source"], shown["scheduleText"], shown["timeZone"], shown["nextRunMs"]],
      ["backup", "command", "api", "At 02:30 every day", "Europe/Berlin", Date.parse("2026-03-10T01:30:00Z")],
    );
    assert.deepEqual(shown["definition"], { ...backup, env: { KEY: "[redacted]" } });
    const replaced = await call("PUT /api/jobs/backup", { method: "PUT", json: { ...backup, schedule: "@hourly" } });
    assert.equal(replaced.status, 200);
    const later = await jobs.restart();
    assert.equal(later.engine.agenda.find("backup")!.definition.schedule, "@hourly");
    assert.equal((await call("DELETE /api/jobs/backup", { method: "DELETE" })).status, 204);
    assert.equal(jobs.engine.agenda.find("backup"), undefined);
    assert.deepEqual((await json("GET /api/jobs"))["jobs"], []);
    assert.equal((await jobs.restart()).engine.agenda.find("backup"), undefined);
  });

  test("PUT makes one that was not there, with the name of the address", async () => {
    const { call, json } = await stand();
    assert.equal((await call("PUT /api/jobs/x", { method: "PUT", json: { command: ["true"] } })).status, 201);
    assert.equal((await json("GET /api/jobs/x"))["schedule"], null);
  });

  test("what was shown can be sent back: hidden values stay as they were", async () => {
    const { jobs, call, json } = await stand();
    const raw = {
      ...backup,
      env: { KEY: "canary-key", OTHER: "$${x}" },
      onFailure: { url: "https://canary.example", headers: { A: "canary-header" } },
    };
    await call("POST /api/jobs", { json: raw });
    const { definition } = await json("GET /api/jobs/backup");
    assert.doesNotMatch(JSON.stringify(definition), /canary/);
    await call("PUT /api/jobs/backup", { method: "PUT", json: { ...definition, schedule: "@daily" } });
    assert.deepEqual(jobs.store.state.jobs.get("backup")!.definition, { ...raw, schedule: "@daily" });
  });

  for (const [name, parts, status, message] of [
    ["POST /api/jobs", { json: { name: "x" } }, 400, /exactly one of command/],
    [
      "POST /api/jobs",
      { json: { ...backup, name: "y", schedule: "@at 2020-01-01T00:00:00Z" } },
      400,
      /schedule: lies in the past: 2020-01-01T00:00:00.000Z/,
    ],
    ["POST /api/jobs", { json: { ...backup, name: "y", schedule: "0 0 31 2 *" } }, 400, /no date ever matches/],
    ["POST /api/jobs", { json: { ...backup, name: "y", env: { A: "[redacted]" } } }, 400, /./],
    ["POST /api/jobs", { json: backup }, 409, /there is a job "backup" already, of the API/],
    ["POST /api/jobs", { json: { name: "fixed", command: ["x"] } }, 409, /of the config/],
    ["POST /api/jobs", {}, 400, /expected a JSON object/],
    ["PUT /api/jobs/fixed", { json: { command: ["x"] } }, 409, /stands in the config: change it there, then reload/],
    ["PUT /api/jobs/other", { json: backup }, 400, /name: is "backup", but the address says "other"/],
    [
      "PUT /api/jobs/backup",
      { json: { ...backup, env: { NEW: "[redacted]" } } },
      400,
      /env.NEW: \[redacted\] stands for a value/,
    ],
    ["DELETE /api/jobs/fixed", {}, 409, /stands in the config/],
    ["DELETE /api/jobs/nobody", {}, 404, /there is no job "nobody"/],
    ["GET /api/jobs/nobody", {}, 404, /there is no job "nobody"/],
    ["POST /api/jobs/nobody/run", {}, 404, /no job/],
    ["POST /api/jobs/nobody/pause", {}, 404, /no job/],
    ["GET /api/jobs/nobody/runs", {}, 404, /no job/],
    ["GET /api/jobs/backup/runs/5", {}, 404, /has no run 5/],
    ["GET /api/jobs/backup/runs/last", {}, 404, /has not run yet/],
    ["GET /api/jobs/backup/runs/x", {}, 400, /number of a run/],
    ["GET /api/jobs/backup/runs", { query: "limit=0" }, 400, /limit: expected a whole number from 1 to 1000/],
    ["GET /api/jobs/backup/next", { query: "count=x" }, 400, /count/],
    ["POST /api/jobs/backup/run", { query: "wait=soon" }, 400, /wait: Cannot parse duration/],
    ["GET /api/jobs/backup/runs", { query: "state=good" }, 400, /state: expected one of queued, running, ok, failed/],
    ["POST /api/jobs/backup/pause", { json: { note: 5 } }, 400, /note: expected a string/],
  ] as const) {
    test(`refused: ${name} ${JSON.stringify(parts).slice(0, 60)}`, async () => {
      const at = await stand({ config: { jobs: [{ name: "fixed", command: ["true"] }] } });
      await at.call("POST /api/jobs", { json: backup });
      const error = await at.refusal(name, { method: name.split(" ")[0]!, ...parts });
      assert.equal(error.status, status);
      assert.match(error.message, message);
      assert.doesNotMatch(JSON.stringify([error.message, error.details]), /canary/);
    });
  }
});

describe("runs", () => {
  test("by hand: 202 with the row, and later its end", async () => {
    const { jobs, call, json } = await stand({ config: { jobs: [job("a")] } });
    const reply = await call("POST /api/jobs/a/run", { method: "POST" });
    assert.deepEqual([reply.status, reply.headers!["location"]], [202, "/api/jobs/a/runs/1"]);
    await settle();
    assert.equal((await json("GET /api/jobs/a/runs/1"))["state"], "ok");
    assert.equal((await json("GET /api/jobs/a/runs/last"))["id"], 1);
    assert.deepEqual(jobs.history(), ["ok manual -"]);
  });

  test("with ?wait: the end, or 202 when that takes longer", async () => {
    const { jobs, call } = await stand({
      config: { jobs: [job("a")] },
      prepare: (runner) => (runner.takesMs = 20_000),
    });
    const waits = call("POST /api/jobs/a/run", { method: "POST", query: "wait=30s" });
    await settle();
    await jobs.pass(20_000, 5_000);
    const reply = await waits;
    assert.deepEqual([reply.status, (JSON.parse(String(reply.body)) as Body)["run"]!["state"]], [200, "ok"]);
    const impatient = call("POST /api/jobs/a/run", { method: "POST", query: "wait=5s" });
    await settle();
    await jobs.pass(5_000, 1_000);
    assert.equal((await impatient).status, 202);
  });

  test("a paused job is run by hand, one that is running is not, unless forced", async () => {
    const { jobs, call, json, refusal } = await stand({
      config: { jobs: [job("a")] },
      prepare: (runner) => (runner.takesMs = undefined),
    });
    const paused = await json("POST /api/jobs/a/pause", { json: { note: "holidays" } });
    assert.deepEqual([paused["paused"]!["note"], paused["paused"]!["by"]], ["holidays", "person"]);
    assert.equal((await call("POST /api/jobs/a/run", { method: "POST" })).status, 202);
    const error = await refusal("POST /api/jobs/a/run", { method: "POST" });
    assert.deepEqual(
      [error.status, error.code, error.message],
      [409, "CONFLICT", 'the job "a" is not run: a run is going on'],
    );
    assert.equal((await call("POST /api/jobs/a/run", { method: "POST", query: "force" })).status, 202);
    assert.deepEqual((await json("GET /api/jobs/a"))["running"], [1, 3]);
    assert.deepEqual(await json("POST /api/jobs/a/cancel", { method: "POST" }), { cancelled: 2 });
    assert.equal((await json("POST /api/jobs/a/resume", { method: "POST" }))["paused"], null);
    await settle();
    assert.deepEqual(
      jobs.rows().map(({ state }) => state),
      ["cancelled", "skipped", "cancelled"],
    );
  });

  test("are listed newest first, by pages and by state", async () => {
    const { jobs, json } = await stand({ config: { jobs: [job("a", { schedule: "@every 1s" })] } });
    await jobs.pass(5_000, 1_000);
    jobs.runner.outcome = { state: "failed" };
    await jobs.pass(1_000);
    const idsOf = (page: Body): unknown[] => page["runs"]!.map((run) => run["id"]);
    const first = await json("GET /api/jobs/a/runs", { query: "limit=4" });
    assert.deepEqual([idsOf(first), first["next"]], [[6, 5, 4, 3], 3]);
    const second = await json("GET /api/jobs/a/runs", { query: `limit=4&before=${first["next"]}` });
    assert.deepEqual([idsOf(second), second["next"]], [[2, 1], null]);
    assert.deepEqual(idsOf(await json("GET /api/jobs/a/runs", { query: "state=failed" })), [6]);
    const last = (await json("GET /api/jobs/a"))["last"]!;
    assert.deepEqual([last["id"], last["state"], last["mark"]], [6, "failed", undefined]);
  });

  test("their output: the file, while it grows, or one stream from the history", async () => {
    let content = "first\n";
    const read = async (name: string, from: number): Promise<Buffer | undefined> =>
      name === "output/a/1-1.log" ? Buffer.from(content).subarray(from) : undefined;
    const files = { pathOf: (name: string) => `/${name}`, read, remove: async () => undefined, list: async () => [] };
    const at = await stand({
      config: { jobs: [job("a")] },
      services: { files },
      prepare: (runner) => (runner.takesMs = 1_000),
    });
    await at.call("POST /api/jobs/a/run", { method: "POST" });
    const following = at.call("GET /api/jobs/a/runs/1/output", { query: "follow" }).then(textOf);
    await settle();
    await at.jobs.pass(500, 100);
    content += "second\n";
    at.jobs.runner.outcome = { stdout: { text: "tail", sizeBytes: 4, cutBytes: 0 } };
    await at.jobs.pass(1_000, 100);
    assert.equal(await following, "first\nsecond\n");
    assert.equal(await textOf(await at.call("GET /api/jobs/a/runs/1/output")), content);
    assert.equal(await textOf(await at.call("GET /api/jobs/a/runs/last/output", { query: "stream=stdout" })), "tail");
    const missing = await at.refusal("GET /api/jobs/a/runs/1/output", { query: "attempt=2" });
    assert.deepEqual([missing.status, missing.message], [404, "run 1 has 1 attempt, not 2"]);
    for (const query of ["stream=x", "attempt=0"])
      assert.equal((await at.refusal("GET /api/jobs/a/runs/1/output", { query })).status, 400);
  });
});

describe("output that is followed", () => {
  test("from before its run has begun, from attempt to attempt", async () => {
    const files = {
      pathOf: (name: string) => `/${name}`,
      read: async (name: string, from: number) =>
        name.startsWith("output/b/") ? Buffer.from(`${name}\n`).subarray(from) : undefined,
      remove: async () => undefined,
      list: async () => [],
    };
    const at = await stand({
      config: { maxConcurrent: 1, jobs: [job("a"), job("b", { retries: 1, retryDelayMs: 0 })] },
      services: { files },
      prepare: (runner) => Object.assign(runner, { takesMs: 1_000, outcome: { state: "failed" } }),
    });
    for (const name of ["a", "b"]) await at.call(`POST /api/jobs/${name}/run`, { method: "POST" });
    assert.equal((await at.refusal("GET /api/jobs/b/runs/last/output")).status, 404);
    const following = at.call("GET /api/jobs/b/runs/last/output", { query: "follow" }).then(textOf);
    await settle();
    await at.jobs.pass(5_000, 100);
    assert.equal(await following, "output/b/2-1.log\noutput/b/2-2.log\n");
  });

  test("of a run that writes no file: what the history has in the end", async () => {
    const files = {
      pathOf: (name: string) => `/${name}`,
      read: async () => undefined,
      remove: async () => undefined,
      list: async () => [],
    };
    const stdout = { text: "the answer", sizeBytes: 10, cutBytes: 0 };
    const at = await stand({
      config: { jobs: [{ name: "a", http: { url: "http://x" } }] },
      services: { files },
      prepare: (runner) => Object.assign(runner, { takesMs: 1_000, outcome: { stdout } }),
    });
    await at.call("POST /api/jobs/a/run", { method: "POST" });
    const follow = () => at.call("GET /api/jobs/a/runs/last/output", { query: "follow" }).then(textOf);
    const following = follow();
    await settle();
    await at.jobs.pass(2_000, 100);
    assert.deepEqual([await following, await follow()], ["the answer", "the answer"]);
  });
});

test("two that make a job of one name at once: one of them is refused", async () => {
  const at = await stand();
  const make = () =>
    at.call("POST /api/jobs", { json: backup }).then(
      ({ status }) => status,
      ({ status }) => status,
    );
  assert.deepEqual((await Promise.all([make(), make()])).sort(), [201, 409]);
});

test("whoever waits for a run is answered when the daemon stops", async () => {
  const at = await stand({ config: { jobs: [job("a")] }, prepare: (runner) => (runner.takesMs = undefined) });
  const stop = new AbortController();
  const waiting = at.call("POST /api/jobs/a/run", { method: "POST", query: "wait=1h", signal: stop.signal });
  await settle();
  stop.abort();
  assert.equal((await waiting).status, 202);
});

test("the last run of a job is one that ran, not a slot that was skipped since", async () => {
  const at = await stand({
    config: { jobs: [job("a", { schedule: "@every 1s" })] },
    prepare: (runner) => Object.assign(runner, { outcome: { state: "failed", error: "no luck", note: "a note" } }),
  });
  await at.jobs.pass(1_000);
  await at.json("POST /api/jobs/a/pause", { json: {} });
  await at.jobs.pass(5_000, 1_000);
  assert.equal(at.jobs.rows().at(-1)!.state, "skipped");
  const last = (await at.json("GET /api/jobs/a"))["last"]!;
  assert.deepEqual([last["state"], last["error"], last["note"]], ["failed", "no luck", "a note"]);
});

test("with a session that is kept no run begins beside another, not even by force", async () => {
  const kept = { name: "a", agent: { prompt: "go on", session: "kept" } };
  const at = await stand({ config: { jobs: [kept] }, prepare: (runner) => (runner.takesMs = undefined) });
  assert.equal((await at.call("POST /api/jobs/a/run", { method: "POST" })).status, 202);
  assert.equal((await at.refusal("POST /api/jobs/a/run", { method: "POST", query: "force" })).status, 409);
});

describe("times to come", () => {
  test("of a job, in its zone and in UTC, with the next change of the clocks", async () => {
    const { json } = await stand({
      config: { jobs: [job("a", { schedule: "30 2 * * *", timeZone: "Europe/Berlin" }), job("b")] },
    });
    const next = await json("GET /api/jobs/a/next", { query: "count=2" });
    assert.deepEqual(
      next["runs"]!.map((run) => run["local"]),
      ["2026-03-10 02:30:00 +01:00", "2026-03-11 02:30:00 +01:00"],
    );
    assert.match(String(next["transition"]!["text"]), /29 Mar 2026: runs 03:00 instead of 02:30/);
    assert.deepEqual((await json("GET /api/jobs/b/next"))["runs"], []);
  });

  test("of any schedule, with what it means; a fault comes with its place", async () => {
    const { json, refusal } = await stand();
    const told = await json("POST /api/cron/explain", {
      json: { schedule: "0 9 * * 1-5", timeZone: "Europe/Berlin", count: 3 },
    });
    assert.deepEqual(
      [told["text"], told["runs"]!.length, told["timeZone"]],
      ["At 09:00, on Monday to Friday", 3, "Europe/Berlin"],
    );
    const error = await refusal("POST /api/cron/explain", { json: { schedule: "0 25 * * *" } });
    assert.equal(error.status, 400);
    const details = error.details as Record<string, unknown>;
    assert.deepEqual([details["field"], details["token"], details["start"], details["end"]], ["hour", "25", 2, 4]);
    for (const json of [{}, { schedule: "@daily", timeZone: "Mars" }, { schedule: 5 }])
      assert.equal((await refusal("POST /api/cron/explain", { json })).status, 400);
  });
});

test("problems stand in the list of jobs", async () => {
  const { jobs, json } = await stand();
  await jobs.store.commit({
    kind: "define",
    job: "a",
    definition: { name: "a", command: ["x"], env: { A: "${GONE}" } },
  });
  await jobs.follow({});
  const list = await json("GET /api/jobs");
  assert.deepEqual(list["problems"], ['the job "a" cannot run: env.A: the environment variable GONE is not set']);
  assert.deepEqual(
    list["jobs"]!.map((shown) => [shown["name"], shown["problem"], shown["source"]]),
    [["a", "env.A: the environment variable GONE is not set", "api"]],
  );
});
