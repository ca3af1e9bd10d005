/** Collections and notes over HTTP, in a whole daemon. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startTestDaemon, type TestDaemon } from "../../support/daemon.ts";
import { tempDir } from "../../support/temp-dir.ts";

type Json = Record<string, unknown>;

interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly location: string | null;
}

async function startWithCall(
  t: TestContext,
  options: { readonly dataDir?: string; readonly rag?: Json } = {},
): Promise<{ daemon: TestDaemon; call: (method: string, path: string, json?: unknown) => Promise<Answer> }> {
  const dataDir = options.dataDir ?? tempDir(t);
  const daemon = await startTestDaemon(t, { dataDir, config: { rag: options.rag ?? {} } });
  const token = readFileSync(join(dataDir, "token"), "utf8").trim();
  return {
    daemon,
    async call(method, path, json) {
      const reply = await daemon.fetch(`/api/rag/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(json !== undefined && { "content-type": "application/json" }),
        },
        ...(json !== undefined && { body: JSON.stringify(json) }),
      });
      const text = await reply.text();
      return {
        status: reply.status,
        body: text === "" ? {} : JSON.parse(text),
        location: reply.headers.get("location"),
      };
    },
  };
}

test("a note is made, read, replaced, listed and removed", async (t) => {
  const { call } = await startWithCall(t);
  const place = "collections/mine/documents/some%2Fdeep%20id";
  const made = await call("PUT", place, {
    text: "# Title\n\nfirst\nsecond",
    tags: ["x"],
    metadata: { a: 1 },
    ttlMs: 60_000,
  });
  assert.equal(made.status, 201);
  assert.equal(made.body["id"], "some/deep id");
  assert.equal(made.body["kind"], "markdown");
  assert.equal(made.body["expiresMs"], (made.body["addedMs"] as number) + 60_000);
  assert.equal((await call("PUT", place, { text: "# Title\n\nthird\nfourth\n" })).status, 200);
  const read = await call("GET", `${place}?lines=3-4`);
  assert.equal(read.body["text"], "third\nfourth");
  assert.equal((await call("GET", place)).body["text"], "# Title\n\nthird\nfourth\n");
  const listed = await call("GET", "collections/mine/documents?prefix=some");
  assert.deepEqual(
    (listed.body["documents"] as Json[]).map(({ id, lines }) => [id, lines]),
    [["some/deep id", 4]],
  );
  assert.equal((await call("DELETE", place)).status, 204);
  assert.equal((await call("GET", place)).status, 404);
});

test("documents are listed by id, a page after the other", async (t) => {
  const { call } = await startWithCall(t);
  for (const id of ["c", "a", "b", "__proto__"]) await call("PUT", `collections/n/documents/${id}`, { text: id });
  const first = await call("GET", "collections/n/documents?limit=2");
  assert.deepEqual(
    (first.body["documents"] as Json[]).map(({ id }) => id),
    ["__proto__", "a"],
  );
  const second = await call("GET", `collections/n/documents?after=${String(first.body["next"])}&limit=2`);
  assert.deepEqual(
    (second.body["documents"] as Json[]).map(({ id }) => id),
    ["b", "c"],
  );
  assert.equal(second.body["next"], null);
});

test("the daemon gives the id where none is sent", async (t) => {
  const { call } = await startWithCall(t);
  const made = await call("POST", "collections/n/documents", { text: "hello" });
  assert.equal(made.status, 201);
  assert.equal((await call("GET", made.location!.slice("/api/rag/".length))).body["text"], "hello");
});

test("what was answered is there after a restart", async (t) => {
  const dataDir = tempDir(t);
  const { daemon, call } = await startWithCall(t, { dataDir });
  await call("POST", "collections", { name: "c", kind: "notes", project: "p" });
  await call("PUT", "collections/c/documents/d", { text: "kept" });
  await daemon.stop();
  const again = await startWithCall(t, { dataDir });
  assert.equal((await again.call("GET", "collections/c/documents/d")).body["text"], "kept");
  assert.equal((await again.call("GET", "collections/c")).body["project"], "p");
});

const REFUSED: readonly (readonly [
  title: string,
  method: string,
  path: string,
  json: unknown,
  status: number,
  RegExp,
])[] = [
  ["no such collection", "GET", "collections/none", undefined, 404, /there is no collection "none"/],
  [
    "no such document",
    "GET",
    "collections/n/documents/none",
    undefined,
    404,
    /no document "none" in the collection "n"/,
  ],
  ["a name that climbs", "PUT", "collections/..%2F..%2Fetc/documents/a", { text: "" }, 400, /the name of a collection/],
  [
    "a name that objects have",
    "PUT",
    "collections/__proto__/documents/a",
    { text: "" },
    400,
    /the name of a collection/,
  ],
  ["an id with a control character", "PUT", "collections/n/documents/a%00b", { text: "" }, 400, /id of a document/],
  [
    "an id that is too long",
    "PUT",
    `collections/n/documents/${"a".repeat(513)}`,
    { text: "" },
    400,
    /1 to 512 characters/,
  ],
  ["no text", "PUT", "collections/n/documents/a", {}, 400, /text: is required/],
  ["a tag with a space", "PUT", "collections/n/documents/a", { text: "", tags: ["a b"] }, 400, /tags\.0/],
  ["no body", "PUT", "collections/n/documents/a", undefined, 400, /expected a JSON object/],
  ["lines that are none", "GET", "collections/n/documents/a?lines=5-2", undefined, 400, /such as 10-30/],
  [
    "a collection that is there",
    "POST",
    "collections",
    { name: "n", kind: "notes" },
    409,
    /there is a collection "n" already/,
  ],
  ["a folder without a root", "POST", "collections", { name: "f", kind: "folder" }, 400, /root: is required/],
  ["a relative root", "POST", "collections", { name: "f", kind: "folder", root: "a/b" }, 400, /absolute path/],
  ["another kind", "PUT", "collections/n", { kind: "sessions" }, 409, /remove it before/],
  ["another name", "PUT", "collections/n", { name: "m", kind: "notes" }, 400, /the address says "n"/],
  ["one of the config", "DELETE", "collections/fixed", undefined, 409, /stands in the config/],
];

test("what cannot be is refused with a sentence", async (t) => {
  const { call } = await startWithCall(t, { rag: { collections: [{ name: "fixed", kind: "notes" }] } });
  await call("PUT", "collections/n/documents/a", { text: "" });
  for (const [title, method, path, json, status, message] of REFUSED) {
    await t.test(title, async () => {
      const reply = await call(method, path, json);
      assert.equal(reply.status, status);
      assert.match(reply.body["error"] as string, message);
    });
  }
});

test("a note that the limits have no room for is refused, and the rest stays", async (t) => {
  const { call } = await startWithCall(t, { rag: { maxDocuments: 1 } });
  await call("PUT", "collections/n/documents/a", { text: "" });
  const refused = await call("PUT", "collections/n/documents/b", { text: "" });
  assert.equal(refused.status, 409);
  assert.match(refused.body["error"] as string, /rag\.maxDocuments/);
  assert.equal((await call("PUT", "collections/n/documents/a", { text: "x" })).status, 200);
});

test("a folder over HTTP: made, indexed, looked at again on demand, by a job too; its metrics come and go", async (t) => {
  const root = tempDir(t);
  writeFileSync(join(root, "a.md"), "# One\n\nfox");
  const { call, daemon } = await startWithCall(t, { rag: { allowedRoots: [root] } });
  const made = await call("POST", "collections", { name: "docs", kind: "folder", root, watch: false });
  assert.deepEqual([made.status, made.location], [201, "/api/rag/collections/docs"]);
  const first = await call("POST", "collections/docs/reindex?wait=30s", {});
  assert.equal(first.status, 200);
  writeFileSync(join(root, "b.md"), "dog");
  const { added, unchanged } = (await call("POST", "collections/docs/reindex?wait=30s")).body["report"] as Json;
  assert.deepEqual([added, unchanged], [1, 1]);
  assert.equal((await call("POST", "collections/docs/reindex?wait=soon")).status, 400);
  const view = (await call("GET", "collections/docs")).body;
  assert.deepEqual([view["documents"], view["state"], view["problems"]], [2, "idle", []]);
  assert.equal((await call("PUT", "collections/docs/documents/c", { text: "" })).status, 409);
  assert.equal((await call("DELETE", "collections/docs/documents/a.md")).status, 409);
  const metrics = async (): Promise<string> => (await daemon.fetch("/metrics")).text();
  assert.match(await metrics(), /^pi_daemon_rag_documents\{collection="docs"\} 2$/m);
  assert.match(await metrics(), /^pi_daemon_rag_last_indexed_timestamp_seconds\{collection="docs"\} \d+/m);
  assert.equal((await call("DELETE", "collections/docs")).status, 204);
  assert.doesNotMatch(await metrics(), /collection="docs"/);
  assert.ok(existsSync(join(root, "a.md")), "the files stay");
});
