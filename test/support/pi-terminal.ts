/** Pi in a pseudo-terminal, as a person sees it: keys in, a screen's worth of text out. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { ExtraEnv, PiHome } from "./pi-agent.ts";

export interface PiTerminal {
  readonly process: ChildProcess;
  /** All that was written so far, without colours and cursor movements. */
  text(): string;
  /** Resolves when the text has come since the last call. */
  see(text: string | RegExp): Promise<void>;
  /** Types the text and Enter. */
  type(text: string): void;
  /** Resolves with the exit code. */
  end(): Promise<number | null>;
}

/** A sentence, where there is no program that makes a terminal. */
export function findTerminal(): string | undefined {
  return spawnSync("script", ["--version"]).status === 0 ? undefined : "needs the program script of util-linux";
}

export interface TerminalOptions {
  /** Of pi. */
  readonly args: readonly string[];
  readonly env?: ExtraEnv;
}

export function startTerminal(
  t: TestContext,
  { install, cwd, env }: PiHome,
  { args, env: extra }: TerminalOptions,
): PiTerminal {
  const command = [process.execPath, install.cli, ...args].map(quote).join(" ");
  const options = ["-q", "-e", "-f", "-c", `stty cols 200 rows 60; exec ${command}`, "/dev/null"];
  // In a process group of its own: when something fails, script signals its whole group.
  const environment = { ...env, ...extra, SHELL: "/bin/sh" };
  const stdio = ["pipe", "pipe", "ignore"] as const;
  const child = spawn("script", options, { cwd, env: environment, stdio: [...stdio], detached: true });
  t.after(() => void child.kill("SIGKILL"));
  const exited = once(child, "exit") as Promise<[number | null]>;
  let [raw, seen] = ["", 0];
  const wakes = new Set<() => void>();
  child.stdout.on("data", (piece: Buffer) => {
    raw += piece.toString();
    for (const wake of [...wakes]) wake();
  });
  const text = (): string => stripVTControlCharacters(raw);
  return {
    process: child,
    text,
    see: (wanted) =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => reject(new Error(`never seen: ${String(wanted)} in ${text().slice(-3000)}`));
        const watchdog = setTimeout(giveUp, 30_000);
        const look = (): void => {
          const all = text();
          const at = typeof wanted === "string" ? all.indexOf(wanted, seen) : all.slice(seen).search(wanted);
          if (at < 0) return;
          seen = all.length;
          clearTimeout(watchdog);
          wakes.delete(look);
          resolve();
        };
        wakes.add(look);
        look();
      }),
    type: (words) => void child.stdin.write(`${words}\r`),
    end: async () => (await exited)[0],
  };
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
