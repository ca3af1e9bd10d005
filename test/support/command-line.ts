/** The command line in a home of its own: as a process, or in this process where text and exit code are enough. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Surroundings } from "../../src/cli/command.ts";
import { runCommandLine, systemClock } from "../../src/cli/main.ts";
import { endProcess } from "../../src/system/end-process.ts";
import { readHolder } from "../../src/system/lock.ts";
import { tempDir } from "./temp-dir.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CommandLine {
  readonly home: string;
  readonly dataDir: string;
  readonly configPath: string;
  readonly env: Readonly<Record<string, string>>;
  writeConfig(config: unknown): void;
  /** As a process of its own. */
  run(...words: readonly string[]): Promise<Ran>;
  /** In this process, with a terminal that only remembers. Not for what starts a daemon. */
  call(words: readonly string[], more?: Partial<Surroundings>): Promise<Ran>;
}

export const PROGRAM = [
  process.execPath,
  "--experimental-strip-types",
  "--disable-warning=ExperimentalWarning",
  join(import.meta.dirname, "../../src/cli.ts"),
];

/** A home with a config that listens on any free port; whatever daemon runs in it is ended with the test. */
export function commandLine(t: TestContext): CommandLine {
  // Before the home is made, since what is registered first runs first: without its lock file nobody finds the daemon.
  t.after(async () => {
    const holder = readHolder(dataDir);
    if (holder) await endProcess(holder, { graceMs: 5000, pause });
  });
  const home = tempDir(t);
  const dataDir = join(home, ".pi", "daemon", "data");
  const configPath = join(home, ".pi", "daemon", "config.json");
  const env = { PATH: process.env["PATH"] ?? "", HOME: home };
  const writeConfig = (config: unknown): void => writeFileSync(configPath, JSON.stringify(config), { mode: 0o600 });
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  mkdirSync(join(home, ".pi", "daemon"), { recursive: true, mode: 0o700 });
  writeConfig({ server: { port: 0 } });

  async function call(words: readonly string[], more: Partial<Surroundings> = {}): Promise<Ran> {
    const out: string[] = [];
    const err: string[] = [];
    const code = await runCommandLine(words, {
      terminal: {
        out: (text) => void out.push(text + "\n"),
        err: (text) => void err.push(text + "\n"),
        outHasColours: false,
        errHasColours: false,
        columns: undefined,
      },
      clock: systemClock,
      pause,
      env,
      home,
      uid: process.getuid?.(),
      signal: new AbortController().signal,
      program: PROGRAM,
      host: noHost,
      ...more,
    });
    return { code, out: out.join(""), err: err.join("") };
  }

  const run = (...words: readonly string[]): Promise<Ran> => runProcess([...PROGRAM, ...words], env);
  return { home, dataDir, configPath, env, writeConfig, run, call };
}

/** A process of its own, to its end. */
export function runProcess(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn(command[0]!, command.slice(1), { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (err += piece.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, out, err }));
  });
}

const refuse = (): never => {
  throw new Error("a daemon in the foreground needs a process of its own");
};
const noHost: Surroundings["host"] = {
  stderr: process.stderr,
  // Ctrl-C is listened to by commands that wait, too.
  on: (event) => (event === "SIGINT" ? undefined : refuse()),
  tellParent: refuse,
  hasLostTerminal: refuse,
  exitNow: refuse,
};
