/** A person's pi: a home directory of its own, a fake model, and runs of the real program in it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { PiInstall } from "./pi-install.ts";
import { tempDir } from "./temp-dir.ts";

export const EXTENSION = new URL("../../src/extension/index.ts", import.meta.url).pathname;

/** Dollars for a million tokens. */
export const PRICES = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
export const CONTEXT_WINDOW = 200_000;

export interface PiHome {
  readonly install: PiInstall;
  readonly home: string;
  readonly cwd: string;
  readonly env: Record<string, string>;
}

/** `settings`: of pi. */
export function makePiHome(t: TestContext, install: PiInstall, llmUrl: string, settings: object = {}): PiHome {
  const home = tempDir(t);
  const agent = join(home, ".pi/agent");
  const cwd = join(home, "work");
  mkdirSync(agent, { recursive: true });
  mkdirSync(cwd);
  const model = { reasoning: true, cost: PRICES, contextWindow: CONTEXT_WINDOW, maxTokens: 1000 };
  const models = [
    { id: "m", ...model },
    { id: "other/model:1.0", ...model },
  ];
  const fake = { baseUrl: llmUrl, api: "openai-completions", apiKey: "x", models };
  writeFileSync(join(agent, "models.json"), JSON.stringify({ providers: { fake } }));
  const quickly = {
    retry: { enabled: true, maxRetries: 2, baseDelayMs: 10 },
    defaultProvider: "fake",
    defaultModel: "m",
  };
  writeFileSync(join(agent, "settings.json"), JSON.stringify({ ...quickly, ...settings }));
  const { PATH = "", TMPDIR } = process.env;
  const env = { PATH, HOME: home, PI_OFFLINE: "1", TERM: "xterm-256color", ...(TMPDIR ? { TMPDIR } : {}) };
  return { install, home, cwd, env };
}

/** Writes the extension's own config where it looks for it. */
export function writeClientConfig({ home }: PiHome, config: unknown): void {
  mkdirSync(join(home, ".pi/daemon-client"), { recursive: true });
  const text = typeof config === "string" ? config : JSON.stringify(config);
  writeFileSync(join(home, ".pi/daemon-client/config.json"), text, { mode: 0o600 });
}

export interface PiRun {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
  readonly tookMs: number;
}

export type ExtraEnv = Readonly<Record<string, string>>;

/** Runs pi to its end, without input. */
export function runPi(home: PiHome, args: readonly string[], env: ExtraEnv = {}): Promise<PiRun> {
  return startRun(home, args, env).ended;
}

export interface RunningPi {
  readonly process: ChildProcess;
  readonly ended: Promise<PiRun>;
}

/** The same, for those who have to do with the process meanwhile. */
export function startRun(home: PiHome, args: readonly string[], env: ExtraEnv = {}): RunningPi {
  const startMs = performance.now();
  const child = spawnPi(home, args, env);
  child.stdin!.end();
  const [out, err] = [collect(child.stdout!), collect(child.stderr!)];
  const watchdog = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const end = async (): Promise<PiRun> => {
    const [exitCode] = (await once(child, "exit")) as [number | null];
    clearTimeout(watchdog);
    const tookMs = performance.now() - startMs;
    return { exitCode, out: await out, err: await err, tookMs };
  };
  return { process: child, ended: end() };
}

function spawnPi({ install, cwd, env }: PiHome, args: readonly string[], extra: ExtraEnv): ChildProcess {
  return spawn(process.execPath, [install.cli, ...args], {
    cwd,
    env: { ...env, ...extra },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const piece of stream) text += String(piece);
  return text;
}

export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

export interface RpcPi {
  readonly process: ChildProcess;
  /** All lines so far. */
  readonly messages: Message[];
  err(): string;
  /** Writes a line. */
  send(message: object): void;
  /** Sends a command and answers its `data`; fails when the command fails. */
  ask<T = Record<string, unknown>>(type: string, fields?: object): Promise<T>;
  /** The whole response, failed or not. */
  request(type: string, fields?: object): Promise<Message>;
  /** A prompt, and all that follows from it, until pi has settled. */
  prompt(message: string): Promise<void>;
  /** A slash command of the extension; answers the text that it shows. */
  command(text: string): Promise<string>;
  /** The first message from now on that fits. */
  next(fits: (message: Message) => boolean): Promise<Message>;
  /** Ends the input, or signals; answers the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export function startRpc(t: TestContext, home: PiHome, args: readonly string[] = [], env: ExtraEnv = {}): RpcPi {
  const child = spawnPi(home, ["--mode", "rpc", ...args], env);
  t.after(() => void child.kill("SIGKILL"));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const messages: Message[] = [];
  const waiting = new Set<(message: Message) => void>();
  let [rest, err, lastId] = ["", "", 0];
  child.stderr!.on("data", (piece: Buffer) => void (err += piece.toString()));
  child.stdout!.on("data", (piece: Buffer) => {
    const lines = (rest + piece.toString()).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const message = JSON.parse(line) as Message;
      messages.push(message);
      for (const wake of [...waiting]) wake(message);
    }
  });

  const rpc: RpcPi = {
    process: child,
    messages,
    err: () => err,
    next(fits) {
      return new Promise((resolve, reject) => {
        const giveUp = (): void => reject(new Error(`nothing came; last: ${JSON.stringify(messages.at(-1))} ${err}`));
        const watchdog = setTimeout(giveUp, 30_000);
        const wake = (message: Message): void => {
          if (!fits(message)) return;
          clearTimeout(watchdog);
          waiting.delete(wake);
          resolve(message);
        };
        waiting.add(wake);
      });
    },
    send: (message) => void child.stdin!.write(`${JSON.stringify(message)}\n`),
    request(type, fields = {}) {
      const id = `request-${++lastId}`;
      const response = rpc.next((message) => message.type === "response" && message["id"] === id);
      rpc.send({ id, type, ...fields });
      return response;
    },
    async ask<T>(type: string, fields?: object) {
      const response = await rpc.request(type, fields);
      assert.equal(response["success"], true, JSON.stringify(response));
      return response["data"] as T;
    },
    async prompt(message) {
      const settled = rpc.next(({ type }) => type === "agent_settled");
      await rpc.ask("prompt", { message });
      await settled;
    },
    async command(text) {
      const shown = rpc.next((message) => message.type === "extension_ui_request" && message["method"] === "notify");
      await rpc.ask("prompt", { message: text });
      return String((await shown)["message"]);
    },
    async end(signal) {
      if (signal) child.kill(signal);
      else child.stdin!.end();
      return (await exited)[0];
    },
  };
  return rpc;
}
