/**
 * What a daemon tells of its state to those who ask: metrics of clients, jobs and their runs with what these printed,
 * documents of the knowledge index with their texts.
 */
import type { Client, JobShown, RunShown } from "../../src/client.ts";

export interface ToldState {
  /** The exposition, without what the daemon tells of itself. */
  readonly metrics: readonly string[];
  readonly jobs: readonly unknown[];
  readonly runs: readonly unknown[];
  readonly documents: readonly unknown[];
}

export async function readToldState(client: Client): Promise<ToldState> {
  const { text } = await client.call("GET", "/metrics");
  const metrics = text
    .split("\n")
    .filter((line) => line !== "" && !/^(# (HELP|TYPE) )?(pi_daemon_|process_)/.test(line));
  const { jobs } = await client.json<{ jobs: readonly JobShown[] }>("GET", "/api/jobs");
  const runs = [];
  for (const { name } of jobs) {
    const { runs: ofJob } = await client.json<{ runs: readonly RunShown[] }>("GET", `/api/jobs/${name}/runs`);
    for (const { id, state, trigger, startedMs, endedMs, exitCode } of ofJob) {
      const { text: output } = await client.call("GET", `/api/jobs/${name}/runs/${id}/output`);
      runs.push({ name, id, state, trigger, startedMs, endedMs, exitCode, output });
    }
  }
  const shown = jobs.map(({ name, kind, description, source, tags, paused }) => ({
    name,
    kind,
    description,
    source,
    tags,
    paused,
  }));
  return { metrics, jobs: shown, runs, documents: await readDocuments(client) };
}

async function readDocuments(client: Client): Promise<readonly unknown[]> {
  const { collections } = await client.json<{ collections: readonly { name: string }[] }>(
    "GET",
    "/api/rag/collections",
  );
  const texts = [];
  for (const { name } of collections) {
    const path = `/api/rag/collections/${name}/documents`;
    const { documents } = await client.json<{ documents: readonly { id: string }[] }>("GET", path);
    for (const { id } of documents) {
      // Chunks are a matter of the version; whose text this is, and what it says, is not.
      const { collection, title, kind, tags, addedMs, text } = await client.json<Record<string, unknown>>(
        "GET",
        `${path}/${encodeURIComponent(id)}`,
      );
      texts.push({ collection, id, title, kind, tags, addedMs, text });
    }
  }
  return texts;
}
