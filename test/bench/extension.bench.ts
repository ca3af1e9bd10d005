/**
 * What the extension adds to pi's start, to a prompt and to the exit, with the daemon up and in each bad state: the
 * real pi with a fake model, in interleaved rounds, beside a pi without the extension in the same round.
 */
import type { TestContext } from "node:test";
import { findClosedPort, startBadServer, startBlackhole } from "../support/bad-servers.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { startFakeLlm } from "../support/fake-llm.ts";
import { EXTENSION, type PiHome, makePiHome, runPi, startRpc } from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";
import { cpuNs, median, printTable } from "./support/measure.ts";

const ROUNDS = Number(process.env["PI_DAEMON_BENCH_ROUNDS"] ?? 9);
const PROMPTS = 6;

interface Times {
  /** From the start of the process to its first answer. */
  readonly startMs: number;
  /** CPU time of the process until then; what else the machine does is not in it. */
  readonly startCpuMs: number;
  /** From a prompt to the agent's settling, the median of some. */
  readonly promptMs: number;
  /** CPU time of a prompt, the mean of all but the first. */
  readonly promptCpuMs: number;
  /** From the end of the input to the end of the process. */
  readonly exitMs: number;
  /** Of `pi -p PROMPT`, all in all. */
  readonly printMs: number;
}

type Cleanup = () => unknown;

export async function bench(): Promise<void> {
  const install = installPi();
  if (typeof install === "string") return console.log(`(not measured: ${install})`);
  const cleanups: Cleanup[] = [];
  // What the test support asks of a test: to call it back at the end.
  const t = { after: (cleanup: Cleanup) => void cleanups.push(cleanup) } as unknown as TestContext;
  try {
    const llm = await startFakeLlm();
    cleanups.push(() => llm.close());
    const home = makePiHome(t, install, llm.url);
    await compare(t, home);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

async function compare(t: TestContext, home: PiHome): Promise<void> {
  const daemon = await startTestDaemon(t, { config: { rateLimit: { requestsPerSecond: 0 } } });
  const states = new Map([
    ["up", daemon.url],
    ["down", (await findClosedPort()).href],
  ]);
  const blackhole = await startBlackhole();
  t.after(() => blackhole.close());
  states.set("blackholed", blackhole.url.href);
  for (const kind of ["hanging", "error 500", "asking for a token", "garbage", "cut in the body"] as const) {
    const server = await startBadServer(kind);
    t.after(() => server.close());
    states.set(kind, server.url.href);
  }
  const bare: Times[] = [];
  const loaded = new Map([...states.keys()].map((state) => [state, [] as Times[]]));
  await measure(t, home, daemon.url);
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await measure(t, home, undefined));
    for (const [state, url] of states) loaded.get(state)!.push(await measure(t, home, url));
  }
  const middle = (times: readonly Times[], read: (times: Times) => number): number => median(times.map(read));
  const row = (name: string, read: (read: (times: Times) => number) => number): Record<string, string | number> => ({
    daemon: name,
    "start, ms": read(({ startMs }) => startMs),
    "(CPU)": read(({ startCpuMs }) => startCpuMs),
    "prompt, ms": read(({ promptMs }) => promptMs),
    "(CPU) ": read(({ promptCpuMs }) => promptCpuMs),
    "exit, ms": read(({ exitMs }) => exitMs),
    "pi -p, ms": read(({ printMs }) => printMs),
  });
  printTable("pi without the extension", [row("none", (read) => middle(bare, read))]);
  const added = [...loaded].map(([state, times]) =>
    row(state, (read) => median(times.map((one, round) => read(one) - read(bare[round]!)))),
  );
  printTable("what the extension adds (medians over rounds; the last flush may take 1000 ms of the exit)", added);
}

async function measure(t: TestContext, home: PiHome, daemonUrl: string | undefined): Promise<Times> {
  const [args, env] = daemonUrl === undefined ? [[], {}] : [["-e", EXTENSION], { PI_DAEMON_URL: daemonUrl }];
  const startedMs = performance.now();
  const pi = startRpc(t, home, args, env);
  await pi.ask("get_state");
  const startMs = performance.now() - startedMs;
  const usedMs = (): number => cpuNs(pi.process.pid!) / 1e6;
  const startCpuMs = usedMs();
  // The first prompt also connects to the model.
  await pi.prompt("hello");
  const beforeMs = usedMs();
  const prompts: number[] = [];
  for (let count = 0; count < PROMPTS; count++) {
    const promptedMs = performance.now();
    await pi.prompt("hello");
    prompts.push(performance.now() - promptedMs);
  }
  const promptCpuMs = (usedMs() - beforeMs) / PROMPTS;
  const endedMs = performance.now();
  await pi.end();
  const exitMs = performance.now() - endedMs;
  const { tookMs } = await runPi(home, ["-p", ...args, "hello"], env);
  return { startMs, startCpuMs, promptMs: median(prompts), promptCpuMs, exitMs, printMs: tookMs };
}
