/** A daemon with a knowledge index, as a process of its own: calls to its API, and what it answers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type DaemonChild, startDaemonChild, writeConfig } from "./daemon-child.ts";

export type Json = Readonly<Record<string, unknown>>;

export interface RagDaemon extends DaemonChild {
  /** The status, and the body as JSON. Rejects when the connection breaks. */
  call(method: string, path: string, json?: unknown): Promise<{ readonly status: number; readonly body: Json }>;
  /** Looks at a collection, and waits until its answers are those of its folder. */
  reindex(collection: string, full?: boolean): Promise<Json>;
  /** Where, in which lines and how well a query is answered, apart from the order of equals. */
  answersTo(queries: readonly string[], mode: "lexical" | "hybrid"): Promise<string[]>;
}

export async function startRagDaemon(
  t: TestContext,
  directory: string,
  config: { readonly rag: Json; readonly storage?: Json; readonly server?: Json },
): Promise<RagDaemon> {
  const dataDir = join(directory, "data");
  const child = await startDaemonChild(writeConfig(join(directory, "config.json"), { dataDir, ...config }));
  t.after(() => child.kill());
  const authorization = `Bearer ${readFileSync(join(dataDir, "token"), "utf8").trim()}`;

  async function call(method: string, path: string, json?: unknown): Promise<{ status: number; body: Json }> {
    const headers = { authorization, ...(json !== undefined && { "content-type": "application/json" }) };
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const reply = await fetch(`${child.url}/api/rag/${path}`, { method, headers, ...body });
    const text = await reply.text();
    return { status: reply.status, body: text === "" ? {} : (JSON.parse(text) as Json) };
  }

  return {
    ...child,
    call,
    async reindex(collection, full = false) {
      const { status, body } = await call("POST", `collections/${collection}/reindex?wait=5m`, { full });
      assert.equal(status, 200, JSON.stringify(body));
      return body["report"] as Json;
    },
    async answersTo(queries, mode) {
      const answers: string[] = [];
      for (const q of queries) {
        const { status, body } = await call("POST", "search", { q, mode, k: 50, project: "*" });
        assert.equal(status, 200, JSON.stringify(body));
        const hits = body["hits"] as {
          collection: string;
          id: string;
          startLine: number;
          endLine: number;
          score: number;
        }[];
        const lines = hits.map(
          (hit) => `${hit.collection}/${hit.id}:${hit.startLine}-${hit.endLine} ${hit.score.toFixed(6)}`,
        );
        answers.push(`${q}: ${lines.sort().join(", ")}`);
      }
      return answers;
    },
  };
}
