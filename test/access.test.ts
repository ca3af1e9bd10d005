/** Every route of the daemon, called with and without the token, as each config says who may do what. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startTestDaemon, type TestDaemon } from "./support/daemon.ts";

const TOKEN = "a-token-for-this-test";
const METRIC = { name: "a_total", type: "counter" };

const ROUTES: readonly (readonly ["open" | "read" | "write", method: string, path: string, body?: unknown])[] = [
  ["open", "GET", "/health"],
  ["read", "GET", "/metrics"],
  ["read", "GET", "/config"],
  ["read", "GET", "/admin/stats"],
  ["read", "GET", "/api/metrics/registry"],
  ["write", "POST", "/api/metrics", METRIC],
  ["write", "POST", "/api/metrics/batch", { metrics: [METRIC] }],
  ["write", "POST", "/admin/reload"],
  ["write", "DELETE", "/api/metrics/a_total"],
];

const CONFIGS = {
  "auth off": { auth: { enabled: false, token: TOKEN }, guarded: [] },
  "auth on": { auth: { enabled: true, token: TOKEN }, guarded: ["write"] },
  "auth on, reads protected": { auth: { enabled: true, token: TOKEN, protectReads: true }, guarded: ["read", "write"] },
} as const;

async function statusOf(daemon: TestDaemon, [, method, path, body]: (typeof ROUTES)[number], token?: string): Promise<[number, string | null]> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const reply = await daemon.fetch(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  await reply.arrayBuffer();
  return [reply.status, reply.headers.get("www-authenticate")];
}

for (const [title, { auth, guarded }] of Object.entries(CONFIGS)) {
  describe(title, () => {
    for (const route of ROUTES) {
      const [access, method, path] = route;
      const isGuarded = (guarded as readonly string[]).includes(access);
      test(`${method} ${path} ${isGuarded ? "needs the token" : "is open"}`, async (t) => {
        const daemon = await startTestDaemon(t, { config: { auth } });
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
