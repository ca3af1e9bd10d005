/** Every route of the daemon, called with and without the token, as each config says who may do what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AdminContext, adminRoutes } from "../src/admin.ts";
import { compileRoutes, matchRoute } from "../src/core/route.ts";
import { validate } from "../src/core/validate.ts";
import { pluginTable } from "../src/plugins/index.ts";
import type { Access, Route } from "../src/system/http.ts";
import { startTestDaemon, type TestDaemon } from "./support/daemon.ts";
import { memoryStore } from "./support/memory-store.ts";
import { testServices } from "./support/services.ts";

const TOKEN = "a-token-for-this-test";
const METRIC = { name: "a_total", type: "counter" };
const NOTE = { text: "what a note says" };
const JOB = { name: "b", command: ["true"] };

const ROUTES: readonly (readonly [Access, method: string, path: string, body?: unknown])[] = [
  ["open", "GET", "/health"],
  ["read", "GET", "/metrics"],
  ["read", "GET", "/config"],
  ["read", "GET", "/admin/stats"],
  ["private", "GET", "/admin/backup"],
  ["read", "GET", "/api/metrics/registry"],
  ["write", "POST", "/api/metrics", METRIC],
  ["write", "POST", "/api/metrics/batch", { metrics: [METRIC] }],
  ["write", "POST", "/admin/reload"],
  ["write", "DELETE", "/api/metrics/a_total"],
  ["private", "GET", "/api/jobs"],
  ["private", "POST", "/api/jobs", JOB],
  ["private", "GET", "/api/jobs/b"],
  ["private", "PUT", "/api/jobs/b", JOB],
  ["private", "POST", "/api/jobs/b/run"],
  ["private", "POST", "/api/jobs/b/pause"],
  ["private", "POST", "/api/jobs/b/resume"],
  ["private", "POST", "/api/jobs/b/cancel"],
  ["private", "GET", "/api/jobs/b/next"],
  ["private", "GET", "/api/jobs/b/runs"],
  ["private", "GET", "/api/jobs/b/runs/1"],
  ["private", "GET", "/api/jobs/b/runs/last/output"],
  ["private", "POST", "/api/cron/explain", { schedule: "@daily" }],
  ["private", "DELETE", "/api/jobs/b"],
  ["private", "GET", "/api/rag/status"],
  ["private", "GET", "/api/rag/collections"],
  ["private", "POST", "/api/rag/collections", { name: "n", kind: "notes" }],
  ["private", "PUT", "/api/rag/collections/n", { kind: "notes", tags: ["new"] }],
  ["private", "GET", "/api/rag/collections/n"],
  ["private", "POST", "/api/rag/collections/n/reindex", { full: true }],
  ["private", "POST", "/api/rag/collections/n/documents", NOTE],
  ["private", "PUT", "/api/rag/collections/n/documents/d", NOTE],
  ["private", "GET", "/api/rag/collections/n/documents/d"],
  ["private", "GET", "/api/rag/collections/n/documents"],
  ["private", "DELETE", "/api/rag/collections/n/documents/d"],
  ["private", "GET", "/api/rag/search?q=a"],
  ["private", "POST", "/api/rag/search", { q: "a" }],
  ["private", "POST", "/api/rag/context", { q: "a" }],
  ["private", "DELETE", "/api/rag/collections/n"],
];

const CONFIGS = {
  "auth off": { auth: { enabled: false, token: TOKEN }, guarded: ["private"] },
  "auth on": { auth: { enabled: true, token: TOKEN }, guarded: ["private", "write"] },
  "auth on, reads protected": {
    auth: { enabled: true, token: TOKEN, protectReads: true },
    guarded: ["private", "write", "read"],
  },
} as const;

async function statusOf(
  daemon: TestDaemon,
  [, method, path, body]: (typeof ROUTES)[number],
  token?: string,
): Promise<[number, string | null]> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const reply = await daemon.fetch(path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  await reply.arrayBuffer();
  return [reply.status, reply.headers.get("www-authenticate")];
}

for (const [title, { auth, guarded }] of Object.entries(CONFIGS)) {
  test(title, async (t) => {
    const daemon = await startTestDaemon(t, { config: { auth } });
    for (const route of ROUTES) {
      const [access, method, path] = route;
      const isGuarded = (guarded as readonly Access[]).includes(access);
      await t.test(`${method} ${path} ${isGuarded ? "needs the token" : "is open"}`, async () => {
        await daemon.post("/api/metrics", METRIC, { authorization: `Bearer ${TOKEN}` });
        const [without, challenge] = await statusOf(daemon, route);
        if (isGuarded) {
          assert.equal(without, 401);
          assert.match(challenge!, /^Bearer/);
          assert.equal((await statusOf(daemon, route, "wrong-token"))[0], 403);
          assert.ok((await statusOf(daemon, route, TOKEN))[0] < 300);
        } else assert.ok(without < 300, `answered ${without}`);
      });
    }
  });
}

/** Those of the daemon itself and of every plugin. */
async function allRoutes(): Promise<Route[]> {
  const routes = [...adminRoutes({} as AdminContext)];
  for (const { schema, create } of pluginTable) {
    const config = validate(schema, {});
    assert.ok(config.ok);
    const services = testServices({ openStore: async (_, definition) => memoryStore(definition) });
    routes.push(...(await create(services, config.value)).routes);
  }
  return routes;
}

test("the table has every route, with the access that the route states", async () => {
  const routes = await allRoutes();
  const table = compileRoutes(routes);
  const listed = new Set<Route>();
  for (const [access, method, path] of ROUTES) {
    const match = matchRoute(table, method, path.split("?")[0]!);
    assert.ok(match.kind === "found", `${method} ${path} is no route`);
    assert.equal(match.route.access, access, `${method} ${path}`);
    listed.add(match.route);
  }
  const missing = routes.filter((route) => !listed.has(route)).map(({ method, pattern }) => `${method} ${pattern}`);
  assert.deepEqual(missing, []);
});
