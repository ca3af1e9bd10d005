import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { validate } from "../../../src/core/validate.ts";
import { jobsSchema } from "../../../src/plugins/jobs/config.ts";
import { jobSchema, kindOf } from "../../../src/plugins/jobs/job.ts";
import { resolvePolicy } from "../../../src/plugins/jobs/job-policy.ts";
import { environmentOf, specOf } from "../../../src/plugins/jobs/job-spec.ts";
import { readJob } from "../../../src/plugins/jobs/sources.ts";
import { jobsConfig } from "../../support/jobs.ts";
import { testServices } from "../../support/services.ts";

const base = { name: "a", command: ["true"] };

describe("a definition", () => {
  for (const [kind, definition] of [
    [
      "command",
      {
        name: "backup",
        schedule: "30 2 * * *",
        timeZone: "Europe/Berlin",
        command: ["backup", "--all", ""],
        cwd: "~/data",
        env: { MODE: "full" },
        passEnv: ["SSH_AUTH_SOCK"],
        stdin: "yes",
      },
    ],
    [
      "command",
      {
        name: "b-2_x.y",
        kind: "command",
        shell: "a | b",
        expect: { exitCodes: [0, 3], pattern: "^done$", forbidden: "ERROR", minDurationMs: 5 },
      },
    ],
    [
      "http",
      {
        name: "c",
        http: {
          url: "https://example.org/ping",
          method: "PUT",
          headers: { "x-a": "b" },
          body: "",
          expectStatus: [204],
          maxRedirects: 2,
          maxBodyBytes: 10,
        },
      },
    ],
    [
      "agent",
      {
        name: "d",
        agent: {
          prompt: "Tidy up",
          model: "p/m",
          tools: ["read", "bash"],
          cwd: "/x",
          session: "kept",
          maxCostUsd: 0.5,
          approveProject: true,
          offline: true,
          program: ["node", "pi"],
        },
      },
    ],
    ["internal", { name: "e", internal: { action: "jobs.prune", input: { a: 1, b: true, c: "x" } } }],
    [
      "command",
      {
        ...base,
        overlap: "parallel",
        maxParallel: 4,
        catchUp: "all",
        catchUpMax: 3,
        catchUpWindow: "90m",
        timeoutMs: 1,
        graceMs: 0,
        retries: 2,
        retryDelayMs: 1,
        maxRetryDelayMs: 2,
        jitterMs: 5,
        pauseAfterFailures: 3,
        keepRuns: 9,
        keepFor: "1w",
      },
    ],
    [
      "command",
      {
        ...base,
        precheck: { shell: "test -e x", timeoutMs: 5 },
        onFailure: { job: "b" },
        onSuccess: { url: "https://x.example/y", headers: { a: "b" } },
        tags: ["team/a", "x"],
        enabled: false,
        description: "What it does",
      },
    ],
  ] as const) {
    test(`${kind}: ${JSON.stringify(definition).slice(0, 60)}`, () => {
      const checked = validate(jobSchema, definition);
      assert.ok(checked.ok, JSON.stringify(checked));
      assert.equal(kindOf(checked.value), kind);
    });
  }

  for (const [definition, path, message] of [
    [{ command: ["x"] }, "name", /is required/],
    [{ ...base, name: "-x" }, "name", /expected a name/],
    [{ ...base, name: "a/b" }, "name", /expected a name/],
    [{ ...base, name: "a".repeat(65) }, "name", /expected/],
    [{ name: "a" }, "", /expected exactly one of command, shell, http, agent, internal, got none of them/],
    [{ ...base, shell: "x" }, "", /got command and shell/],
    [{ ...base, kind: "http" }, "kind", /is "http", but the job has "command"/],
    [{ ...base, command: [] }, "command", /1 /],
    [{ ...base, command: ["a\0b"] }, "command.0", /without NUL/],
    [
      { ...base, schedule: "61 * * * *" },
      "schedule",
      /Cannot parse schedule "61 \* \* \* \*": minute: 61 is out of range 0-59 \(column 1\)/,
    ],
    [{ ...base, schedule: "0 0 30 2 *" }, "schedule", /no date ever matches/],
    [{ ...base, schedule: "" }, "schedule", /empty/],
    [{ ...base, timeZone: "Mars/Olympus" }, "timeZone", /"Mars\/Olympus" is not a time zone/],
    [{ ...base, catchUpWindow: "1 day" }, "catchUpWindow", /Cannot parse duration "1 day"/],
    [{ ...base, overlap: "skipp" }, "overlap", /did you mean "skip"\?/],
    [{ ...base, maxParallel: 2 }, "maxParallel", /needs "overlap": "parallel"/],
    [{ ...base, catchUpMax: 2 }, "catchUpMax", /needs "catchUp": "all"/],
    [{ ...base, timeoutMs: 2 ** 31 }, "timeoutMs", /2147483647/],
    [{ ...base, shedule: "x" }, "shedule", /did you mean "schedule"\?/],
    [{ ...base, env: { "A-B": "x" } }, "env.A-B", /name of an environment variable/],
    [{ ...base, env: { A: 5 } }, "env.A", /secret and not shown/],
    [{ ...base, expect: { pattern: "(" } }, "expect.pattern", /not a regular expression/],
    [{ ...base, precheck: {} }, "precheck", /either command or shell/],
    [{ ...base, onFailure: { job: "a" } }, "onFailure.job", /is the job itself/],
    [{ ...base, onFailure: { url: "ftp://x" } }, "onFailure", /./],
    [{ name: "a", http: { url: "ftp://x" } }, "http.url", /an http or https URL/],
    [{ name: "a", http: { url: "http://x" }, cwd: "/" }, "cwd", /means nothing for kind "http"/],
    [{ name: "a", internal: { action: "x" }, expect: { exitCodes: [0] } }, "expect", /means nothing/],
    [{ name: "a", http: { url: "http://x" }, expect: { exitCodes: [0] } }, "expect.exitCodes", /nothing for kind "h/],
    [{ name: "a", http: { url: "http://x" }, env: { A: "b" } }, "env", /means nothing for kind "http"/],
    [{ name: "a", internal: { action: "x" }, passEnv: ["A"] }, "passEnv", /means nothing for kind "internal"/],
    [{ name: "a", agent: { prompt: "x", session: "kept" }, overlap: "parallel" }, "overlap", /session that is kept/],
    [{ name: "a", agent: { prompt: "" } }, "agent.prompt", /empty/],
    [5, "", /expected an object/],
  ] as const) {
    test(`refused: ${JSON.stringify(definition).slice(0, 70)}`, () => {
      const checked = validate(jobSchema, definition);
      assert.ok(!checked.ok);
      const issue = checked.issues.find((each) => each.path === path || (path !== "" && each.path.startsWith(path)));
      assert.ok(issue, JSON.stringify(checked.issues));
      assert.match(issue.message, message);
    });
  }

  test("no issue quotes a secret", () => {
    const checked = validate(jobSchema, {
      ...base,
      env: { A: "canary\0" },
      onFailure: { url: "canary" },
      http: { url: "https://x", headers: { A: "canary\n" } },
    });
    assert.ok(!checked.ok);
    assert.doesNotMatch(JSON.stringify(checked.issues), /canary/);
  });

  test("a schedule of a hundred thousand commas is refused quickly", () => {
    assert.ok(!validate(jobSchema, { ...base, schedule: ",".repeat(100_000) }).ok);
  });
});

describe("the section of the config", () => {
  test("needs nothing", () => {
    const config = jobsConfig({});
    assert.deepEqual([config.jobs, config.directory, config.maxConcurrent, config.timeZone], [[], "jobs.d", 10, null]);
  });

  test("two jobs of one name are refused", () => {
    const checked = validate(jobsSchema, { jobs: [base, { ...base, name: "b" }, base] });
    assert.deepEqual(checked, {
      ok: false,
      issues: [{ path: "jobs.2.name", message: '"a" is the name of job 0 already' }],
    });
  });
});

describe("the policy", () => {
  test("is the job's, else the config's, else the built-in one", () => {
    const { defaults } = jobsConfig({ defaults: { retries: 3, catchUpWindow: "2h", timeoutMs: 5 } });
    const policy = resolvePolicy("command", defaults, { ...base, retries: 1 } as never);
    assert.deepEqual(
      [policy.retries, policy.catchUpWindowMs, policy.timeoutMs, policy.overlap, policy.keepForMs],
      [1, 7_200_000, 5, "skip", 30 * 86_400_000],
    );
    assert.ok(!("name" in policy));
    const builtIn = jobsConfig({}).defaults;
    assert.deepEqual(
      ["command", "http", "agent", "internal"].map((kind) => resolvePolicy(kind as "http", builtIn, {}).timeoutMs),
      [3_600_000, 30_000, 1_800_000, 600_000],
    );
  });
});

function jobOf(definition: Record<string, unknown>) {
  const read = readJob(testServices(), {
    value: { name: "a", ...definition },
    source: { from: "api" },
    config: jobsConfig({}),
  });
  assert.ok(read.ok, JSON.stringify(read));
  return read.job;
}

describe("what a runner is given", () => {
  test("the spec of each kind", () => {
    const dir = (): string => "/sessions";
    assert.deepEqual(specOf(jobOf({ command: ["x", "y"], cwd: "~/z", stdin: "in" }), dir), {
      kind: "command",
      command: ["x", "y"],
      cwd: "/home/tester/z",
      stdin: "in",
      expect: undefined,
    });
    assert.deepEqual(specOf(jobOf({ shell: "a | b", expect: { exitCodes: [3] } }), dir), {
      kind: "command",
      shell: "a | b",
      cwd: undefined,
      stdin: undefined,
      expect: { exitCodes: [3] },
    });
    assert.deepEqual(specOf(jobOf({ http: { url: "http://x" } }), dir), {
      kind: "http",
      method: "GET",
      url: "http://x",
      expect: undefined,
    });
    assert.deepEqual(specOf(jobOf({ http: { url: "http://x", body: "b" } }), dir), {
      kind: "http",
      method: "POST",
      url: "http://x",
      body: "b",
      expect: undefined,
    });
    assert.deepEqual(specOf(jobOf({ agent: { prompt: "hi" } }), dir), {
      kind: "agent",
      prompt: "hi",
      sessionDir: "/sessions",
      name: "a",
      expect: undefined,
    });
  });

  test("the environment: four variables of the daemon, what is named, and facts of the run; nothing else", () => {
    const daemon = {
      PATH: "/bin",
      HOME: "/home/me",
      LANG: "C",
      TZ: undefined,
      PI_DAEMON_TOKEN: "canary",
      AWS_SECRET: "canary",
      SSH_AUTH_SOCK: "/s",
    };
    const env = environmentOf(
      jobOf({ command: ["x"], passEnv: ["SSH_AUTH_SOCK", "NOBODY"], env: { LANG: "de", A: "b" } }),
      { id: 7, trigger: "schedule", slotMs: 0 },
      daemon,
    );
    assert.deepEqual(env, {
      PATH: "/bin",
      HOME: "/home/me",
      LANG: "de",
      SSH_AUTH_SOCK: "/s",
      A: "b",
      PI_DAEMON_JOB: "a",
      PI_DAEMON_RUN: "7",
      PI_DAEMON_TRIGGER: "schedule",
      PI_DAEMON_SLOT: "1970-01-01T00:00:00.000Z",
    });
    assert.equal(
      environmentOf(jobOf({ command: ["x"] }), { id: 1, trigger: "manual" }, {})["PATH"],
      "/usr/local/bin:/usr/bin:/bin",
    );
  });
});
