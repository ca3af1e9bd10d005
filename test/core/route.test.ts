import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileRoutes, matchRoute, type RouteKey } from "../../src/core/route.ts";
import { forEachSeed, type Random } from "../support/random.ts";

const ROUTES: readonly RouteKey[] = [
  { method: "GET", pattern: "/" },
  { method: "GET", pattern: "/health" },
  { method: "POST", pattern: "/api/metrics" },
  { method: "POST", pattern: "/api/metrics/batch" },
  { method: "GET", pattern: "/api/metrics/registry" },
  { method: "DELETE", pattern: "/api/metrics/:name" },
  { method: "GET", pattern: "/api/jobs/:job/runs/:run" },
  { method: "GET", pattern: "/api/:plugin/last/runs/:run" },
];

describe("matchRoute", () => {
  const table = compileRoutes(ROUTES);
  const rows: readonly [method: string, path: string, expected: unknown][] = [
    ["GET", "/", ["/", {}]],
    ["GET", "/health", ["/health", {}]],
    ["HEAD", "/health", ["/health", {}]],
    ["POST", "/api/metrics", ["/api/metrics", {}]],
    ["DELETE", "/api/metrics/a_total", ["/api/metrics/:name", { name: "a_total" }]],
    ["DELETE", "/api/metrics/batch", ["/api/metrics/:name", { name: "batch" }]],
    ["DELETE", "/api/metrics/a%2Fb%20%C3%A9", ["/api/metrics/:name", { name: "a/b é" }]],
    ["DELETE", "/api/metrics/__proto__", ["/api/metrics/:name", { name: "__proto__" }]],
    ["GET", "/api/jobs/last/runs/7", ["/api/jobs/:job/runs/:run", { job: "last", run: "7" }]],
    ["GET", "/api/rag/last/runs/7", ["/api/:plugin/last/runs/:run", { plugin: "rag", run: "7" }]],
    ["DELETE", "/api/metrics/%E9", "malformed"],
    ["DELETE", "/api/metrics/%", "malformed"],
    ["POST", "/health", ["GET", "HEAD"]],
    ["get", "/health", ["GET", "HEAD"]],
    ["GET", "/api/metrics", ["POST"]],
    ["GET", "/api/metrics/batch", ["DELETE", "POST"]],
    ["PUT", "/api/metrics/registry", ["DELETE", "GET", "HEAD"]],
    ["PUT", "/api/metrics/%E9", ["DELETE"]],
    ["GET", "/api/metrics/", "unknown"],
    ["DELETE", "/api/metrics/", "unknown"],
    ["GET", "/health/", "unknown"],
    ["GET", "//health", "unknown"],
    ["GET", "/%68ealth", "unknown"],
    ["GET", "/Health", "unknown"],
    ["GET", "", "unknown"],
    ["GET", "*", "unknown"],
    ["GET", "health", "unknown"],
    ["GET", "/api/jobs/a/runs", "unknown"],
    ["GET", "/constructor", "unknown"],
  ];
  for (const [method, path, expected] of rows) {
    it(`answers ${method} ${path}`, () => {
      const match = matchRoute(table, method, path);
      const actual =
        match.kind === "found"
          ? [match.route.pattern, { ...match.params }]
          : match.kind === "wrong-method"
            ? match.allow
            : match.kind;
      assert.deepEqual(actual, expected);
    });
  }

  it("agrees with a table of regular expressions on random routes and paths, whatever the order of the routes", () => {
    forEachSeed(300, (random) => {
      const routes = randomRoutes(random);
      const reversed = compileRoutes([...routes].reverse());
      const compiled = compileRoutes(routes);
      for (let round = 0; round < 20; round++) {
        const method = random.pick(["GET", "POST"]);
        const path = randomPath(random, ["a", "b", "%41", ""]);
        const expected = matchSlowly(routes, method, path);
        const question = `${method} ${path} of ${JSON.stringify(routes)}`;
        assert.deepEqual(summary(matchRoute(compiled, method, path)), expected, question);
        assert.deepEqual(summary(matchRoute(reversed, method, path)), expected, question);
      }
    });
  });
});

describe("compileRoutes", () => {
  for (const pattern of ["", "health", "/a//b", "/a/", "/:", "/:1a", "/:a/:a", "/a b", "/a%20", "/*"]) {
    it(`refuses the pattern ${JSON.stringify(pattern)}`, () => {
      assert.throws(() => compileRoutes([{ method: "GET", pattern }]), { name: "TypeError", message: /Route pattern/ });
    });
  }
  for (const [first, second] of [
    ["/a", "/a"],
    ["/:a/x", "/:b/x"],
  ] as const) {
    it(`refuses ${first} beside ${second}`, () => {
      const routes = [first, second].map((pattern) => ({ method: "GET", pattern }));
      assert.throws(() => compileRoutes(routes), { name: "TypeError", message: `Two routes answer GET ${second}` });
    });
  }
});

function summary(match: ReturnType<typeof matchRoute<RouteKey>>): unknown {
  return match.kind === "found" ? { pattern: match.route.pattern, params: { ...match.params } } : match.kind;
}

/** The oracle: every route as a regular expression, the most specific of those that fit. */
function matchSlowly(routes: readonly RouteKey[], method: string, path: string): unknown {
  const fitting = routes.filter(({ pattern }) => new RegExp(`^${pattern.replace(/:[a-z]+/g, "[^/]+")}$`).test(path));
  const rank = ({ pattern }: RouteKey): string => pattern.replace(/\/[^:/][^/]*/g, "0").replace(/\/:[^/]*/g, "1");
  const [best] = fitting.filter((route) => route.method === method).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  if (!best) return fitting.length > 0 ? "wrong-method" : "unknown";
  const names = [...best.pattern.matchAll(/:([a-z]+)/g)].map((match) => match[1]!);
  const values = new RegExp(`^${best.pattern.replace(/:[a-z]+/g, "([^/]+)")}$`).exec(path)!.slice(1);
  const params = names.map((name, index) => [name, decodeURIComponent(values[index]!)]);
  return { pattern: best.pattern, params: Object.fromEntries(params) };
}

function randomRoutes(random: Random): RouteKey[] {
  const shapes = new Map<string, RouteKey>();
  for (let count = random.int(1, 12); count > 0; count--) {
    const names = [":px", ":py", ":pz", ":pw"];
    const segments = Array.from({ length: random.int(1, 4) }, (_, index) => random.pick(["a", "b", names[index]!]));
    const route = { method: random.pick(["GET", "POST"]), pattern: `/${segments.join("/")}` };
    shapes.set(`${route.method} ${route.pattern}`, route);
  }
  return [...shapes.values()];
}

function randomPath(random: Random, segments: readonly string[]): string {
  return Array.from({ length: random.int(1, 4) }, () => `/${random.pick(segments)}`).join("");
}
