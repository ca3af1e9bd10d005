/**
 * The jobs plugin inside a whole daemon: jobs of every source, real programs, reloads; and no secret in anything that
 * leaves it.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { createClient, type JobShown, type RunShown } from "../src/client.ts";
import { startTestDaemon, type TestDaemon } from "./support/daemon.ts";
import { recordingLog } from "./support/recording-log.ts";
import { tempDir } from "./support/temp-dir.ts";

const CANARY = "canary-7f3a";

const clientOf = ({ dataDir }: TestDaemon) => createClient({ socketPath: join(dataDir, "daemon.sock") });

function folderOf({ configPath }: TestDaemon): string {
  const folder = join(dirname(configPath), "jobs.d");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A server that answers 500 and keeps what it was sent. */
async function listen(t: TestContext): Promise<{ url: string; bodies: string[]; server: Server }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      bodies.push(body);
      response.statusCode = 404;
      response.end(`you sent ${request.headers["x-key"] ?? "nothing"}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, server };
}

test("no secret of a job is in anything that the daemon answers, logs or keeps of its runs", async (t) => {
  const hook = await listen(t);
  const log = recordingLog();
  const print = "echo key is $KEY; echo $KEY >&2; exit 3";
  const jobs = [
    {
      name: "of-config",
      shell: print,
      env: { KEY: `${CANARY}-config` },
      onFailure: { url: `${hook.url}/${CANARY}-hook` },
    },
  ];
  const daemon = await startTestDaemon(t, { config: { jobs: { jobs } }, log });
  const client = clientOf(daemon);
  const secretFile = join(tempDir(t), "key");
  writeFileSync(secretFile, `${CANARY}-file\n`, { mode: 0o600 });
  const ofFile = {
    name: "of-file",
    shell: print,
    env: { KEY: { $file: secretFile } },
    description: `not ${CANARY}-file`,
  };
  writeFileSync(join(folderOf(daemon), "x.json"), JSON.stringify(ofFile), { mode: 0o600 });
  await client.reload();
  const ofApi = { name: "of-api", http: { url: `${hook.url}/`, headers: { "x-key": `${CANARY}-api` } } };
  await client.json("POST", "/api/jobs", { body: ofApi });
  const bad = await client.call("POST", "/api/jobs", {
    body: { name: "bad", shell: "x", env: { KEY: [`${CANARY}-bad`] } },
  });
  assert.equal(bad.status, 400);

  const answers: string[] = [bad.text];
  for (const name of ["of-config", "of-file", "of-api"]) {
    const { run } = await client.json<{ run: RunShown }>("POST", `/api/jobs/${name}/run?wait=20s`);
    assert.equal(run.state, "failed", JSON.stringify(run));
    const output = (await client.call("GET", `/api/jobs/${name}/runs/${run.id}/output`)).text;
    assert.match(output, /\[redacted\]/, `what ${name} printed is there, but for the secret`);
    answers.push(JSON.stringify(run), output);
    for (const path of ["", "/runs", "/runs/last", "/runs/last/output?stream=stderr", "/next"])
      answers.push((await client.call("GET", `/api/jobs/${name}${path}`)).text);
  }
  for (const path of ["/api/jobs", "/config", "/admin/stats", "/health", "/metrics"])
    answers.push((await client.call("GET", path)).text);
  await daemon.stop();
  assert.equal(hook.bodies.length, 2, "one request and one webhook came");
  for (const text of [...answers, ...hook.bodies, JSON.stringify(log.lines)])
    assert.doesNotMatch(text, new RegExp(CANARY));
});

test("jobs.d beside the config: read at each reload; what goes bad is told of and stays in force", async (t) => {
  const daemon = await startTestDaemon(t);
  const client = clientOf(daemon);
  const path = join(folderOf(daemon), "backup.json");
  const job = (schedule: string) => JSON.stringify({ name: "backup", schedule, timeZone: "UTC", command: ["true"] });
  const scheduleOf = async (): Promise<string | undefined> =>
    (await client.json<{ jobs: JobShown[] }>("GET", "/api/jobs")).jobs[0]?.schedule ?? undefined;

  writeFileSync(path, job("@daily"), { mode: 0o600 });
  await client.reload();
  assert.equal(await scheduleOf(), "@daily");
  assert.equal((await client.json<JobShown>("GET", "/api/jobs/backup")).source, path);

  writeFileSync(path, job("61 * * * *"), { mode: 0o600 });
  await client.reload();
  assert.equal(await scheduleOf(), "@daily");
  assert.match(
    (await client.health()).reasons!.join(),
    /backup\.json: schedule: Cannot parse schedule "61 \* \* \* \*"/,
  );

  writeFileSync(path, job("@hourly"), { mode: 0o600 });
  await client.reload();
  assert.deepEqual([await scheduleOf(), (await client.health()).status], ["@hourly", "ok"]);
  rmSync(path);
  await client.reload();
  assert.equal(await scheduleOf(), undefined);
});

test("jobs of the daemon's own: history is pruned, snapshots are written", async (t) => {
  const jobs = ["jobs.prune", "storage.snapshot"].map((action) => ({ name: action, internal: { action } }));
  const daemon = await startTestDaemon(t, { config: { jobs: { jobs } } });
  const client = clientOf(daemon);
  const outputOf = async (name: string): Promise<string | undefined> =>
    (await client.json<{ run: RunShown }>("POST", `/api/jobs/${name}/run?wait=20s`)).run.stdout?.text;
  assert.equal(await outputOf("jobs.prune"), "dropped 0 runs and 0 files");
  assert.equal(await outputOf("storage.snapshot"), "wrote snapshots of metrics/metrics, jobs/jobs, rag/knowledge");
});

test("switched off, there are no jobs; switched on by a reload, there are", async (t) => {
  const daemon = await startTestDaemon(t, {
    config: { plugins: { jobs: false }, jobs: { jobs: [{ name: "a", command: ["true"] }] } },
  });
  const client = clientOf(daemon);
  assert.equal((await client.call("GET", "/api/jobs")).status, 404);
  const config = JSON.parse(readFileSync(daemon.configPath, "utf8")) as object;
  writeFileSync(daemon.configPath, JSON.stringify({ ...config, plugins: { jobs: true } }));
  await client.reload();
  assert.equal((await client.json<{ run: RunShown }>("POST", "/api/jobs/a/run?wait=20s")).run.state, "ok");
});
