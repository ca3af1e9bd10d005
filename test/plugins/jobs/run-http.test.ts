import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HttpSpec, RunContext, RunOutcome } from "../../../src/plugins/jobs/run.ts";
import { runHttp } from "../../../src/plugins/jobs/run-http.ts";
import type { FetchAnswer, FetchRequest, FetchResult } from "../../../src/system/fetch.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { runContext } from "../../support/run-context.ts";

const SPEC: HttpSpec = { method: "GET", url: "http://service.test/" };

function answer(status: number, more: { body?: string } & Partial<Omit<FetchAnswer, "body">> = {}): FetchAnswer {
  return { ok: true, status, headers: {}, isCut: false, url: SPEC.url, ...more, body: Buffer.from(more.body ?? "") };
}

/** Runs with a server that gives `result`; gives what it was asked too. */
async function run(
  result: FetchResult,
  spec: Partial<HttpSpec> = {},
  given: Partial<RunContext> = {},
): Promise<[RunOutcome, FetchRequest]> {
  const asked: FetchRequest[] = [];
  const fetch = async (request: FetchRequest): Promise<FetchResult> => (asked.push(request), result);
  const services = { ...runContext().services, clock: fakeClock(), fetch };
  const outcome = await runHttp({ ...SPEC, ...spec }, runContext({ services, ...given })).done;
  return [outcome, asked[0]!];
}

describe("an http run", () => {
  test("asks what its spec says, within the limits of its context", async () => {
    const spec = { method: "POST", headers: { "x-a": "b" }, body: "c", maxRedirects: 2 };
    const [, { signal: _signal, ...asked }] = await run(answer(200), spec, { timeoutMs: 5, outputBytes: 7 });
    assert.deepEqual(asked, { ...spec, url: SPEC.url, timeoutMs: 5, maxBytes: 7 });
    assert.equal((await run(answer(200), { maxBodyBytes: 99 }))[1].maxBytes, 99);
  });

  const statuses: readonly [number, readonly number[] | undefined, string, boolean][] = [
    [200, undefined, "ok", false],
    [204, undefined, "ok", false],
    [299, undefined, "ok", false],
    [302, undefined, "failed", false],
    [404, undefined, "failed", false],
    [404, [404, 410], "ok", false],
    [200, [404, 410], "failed", false],
    [429, undefined, "failed", true],
    [500, undefined, "failed", true],
    [503, [200], "failed", true],
  ];
  for (const [status, expectStatus, state, retryable] of statuses) {
    test(`status ${status} where ${expectStatus ?? "success"} is expected is ${state}`, async () => {
      const [outcome] = await run(answer(status), { expectStatus });
      assert.deepEqual([outcome.state, outcome.retryable, outcome.httpStatus], [state, retryable, status]);
    });
  }

  test("an unexpected status is told", async () => {
    const [usual] = await run(answer(404));
    assert.equal(usual.error, "the answer has status 404, where 200 to 299 was expected");
    const [named] = await run(answer(404), { expectStatus: [200, 201] });
    assert.equal(named.error, "the answer has status 404, where 200 or 201 was expected");
  });

  test("the answer must match its pattern too", async () => {
    const [outcome] = await run(answer(200, { body: '{"status":"bad"}' }), { expect: { pattern: '"status":"good"' } });
    assert.deepEqual([outcome.state, outcome.error], ["failed", 'the output does not match "\\"status\\":\\"good\\""']);
    assert.equal((await run(answer(200, { body: "x good y" }), { expect: { pattern: "good" } }))[0].state, "ok");
  });

  const faults = [
    ["network", "failed", true],
    ["invalid", "failed", false],
    ["forbidden-address", "failed", false],
    ["timeout", "timeout", true],
    ["aborted", "cancelled", false],
  ] as const;
  for (const [fault, state, retryable] of faults) {
    test(`the fault ${fault} is ${state}`, async () => {
      const [outcome] = await run({ ok: false, fault, message: "why" });
      assert.deepEqual([outcome.state, outcome.retryable, outcome.httpStatus], [state, retryable, undefined]);
      assert.ok(outcome.error);
    });
  }

  const bodies: readonly [string, FetchAnswer, number, string, number, number][] = [
    ["whole", answer(200, { body: "größe" }), 100, "größe", 7, 0],
    ["read whole, kept in part", answer(200, { body: "0123456789" }), 4, "0123\n[... 6 bytes cut ...]\n", 10, 6],
    ["cut, of unknown size", answer(200, { body: "0123", isCut: true }), 4, "0123\n[... more cut ...]\n", 5, 1],
    [
      "cut, of known size",
      answer(200, { body: "0123", isCut: true, headers: { "content-length": "50" } }),
      4,
      "0123\n[... 46 bytes cut ...]\n",
      50,
      46,
    ],
  ];
  for (const [name, result, outputBytes, text, sizeBytes, cutBytes] of bodies) {
    test(`a body that is ${name}`, async () => {
      assert.deepEqual((await run(result, {}, { outputBytes }))[0].stdout, { text, sizeBytes, cutBytes });
    });
  }

  test("how long to wait before another attempt is in seconds or a date", async () => {
    const wait = async (text: string, status = 503): Promise<number | undefined> => {
      return (await run(answer(status, { headers: { "retry-after": text } })))[0].retryAfterMs;
    };
    assert.equal(await wait("120"), 120_000);
    assert.equal(await wait(new Date(fakeClock().wallMs() + 5_000).toUTCString()), 5_000);
    for (const text of ["soon", "-1", "Mon, 01 Jan 2001 00:00:00 GMT"]) assert.equal(await wait(text), undefined);
    assert.equal(await wait("120", 404), undefined);
  });

  test("secrets are hidden in what is kept and said", async () => {
    const redact = (text: string): string => text.replaceAll("s3cret", "***");
    assert.equal((await run(answer(200, { body: "my s3cret" }), {}, { redact }))[0].stdout.text, "my ***");
    const [failed] = await run({ ok: false, fault: "network", message: "no s3cret here" }, {}, { redact });
    assert.equal(failed.error, "no *** here");
  });

  test("can be cancelled", async () => {
    const fetch = ({ signal }: FetchRequest): Promise<FetchResult> =>
      new Promise((resolve) => {
        signal!.addEventListener("abort", () => resolve({ ok: false, fault: "aborted", message: "given up" }));
      });
    const handle = runHttp(SPEC, runContext({ services: { ...runContext().services, fetch } }));
    handle.cancel("shutdown");
    const { state, error } = await handle.done;
    assert.deepEqual([state, error], ["cancelled", "the daemon stopped"]);
  });
});
