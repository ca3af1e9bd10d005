/**
 * The machine under a service: what stands there becomes {@link ServiceFacts}, and steps become changes.
 *
 * Errors: CommandError for a machine without a manager of services, an unknown account, and a command that failed;
 *   those of `node:fs`.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { replaceFile } from "../system/files.ts";
import { readHolder } from "../system/lock.ts";
import { type CommandCall, CommandError, EXIT } from "./command.ts";
import { findPlace } from "./place.ts";
import { type Layout, layoutOf, type Manager, type Scope, UNIT } from "./service-layout.ts";
import type { Account, ServiceFacts, Step } from "./service-plan.ts";

/** Beside `src` and beside `dist`: a checkout and a package have it at the same place. */
const CONTRIB = join(import.meta.dirname, "../../contrib");
const COMMAND_TIMEOUT_MS = 120_000;
const BETWEEN_TRIES_MS = 1000;
/** What the sandbox of the system unit hides (ProtectHome, PrivateTmp), whatever the modes say. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)(\/|$)/;

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of the manager to its end. */
export function runCommand([file, ...args]: readonly string[]): Answer {
  const { status, stdout, stderr, error } = spawnSync(file!, args, { encoding: "utf8", timeout: COMMAND_TIMEOUT_MS });
  return { code: status ?? 1, out: stdout ?? "", err: error === undefined ? stderr : error.message };
}

export function findLayout(scope: Scope, { home, uid }: CommandCall): Layout {
  const manager = findManager();
  if (manager !== undefined) return layoutOf(manager, scope, { home, uid });
  const hint = 'let whatever starts things at boot here run "pi-daemon start", cron for one: @reboot pi-daemon start';
  throw new CommandError(EXIT.failure, "neither systemd nor launchd runs this machine's services", hint);
}

function findManager(): Manager | undefined {
  if (process.platform === "darwin") return "launchd";
  return existsSync("/run/systemd/system") ? "systemd" : undefined;
}

/** Looks at everything that a plan depends on. */
export function readFacts(layout: Layout, call: CommandCall): ServiceFacts {
  const { env, uid, program: words } = call;
  const isUser = layout.scope === "user";
  const hasManager =
    layout.manager === "launchd" ||
    !isUser ||
    existsSync(join(env["XDG_RUNTIME_DIR"] ?? "/nowhere", "systemd/private"));
  const named = call.args.value("config") ?? (env["PI_DAEMON_CONFIG"] || undefined);
  const configPath = named === undefined ? undefined : resolve(named);
  const fragment = hasManager && layout.manager === "systemd" ? property(layout, "FragmentPath") : "";
  const kept = [...layout.statePaths, ...(layout.configPath === undefined ? [] : [dirname(layout.configPath)])];
  return {
    layout,
    uid,
    sudoUser: env["SUDO_USER"],
    hasManager,
    program: { words, configPath },
    unreadable: isUser
      ? undefined
      : findUnreadable([words[0]!, words.at(-1)!, ...(configPath === undefined ? [] : [configPath])]),
    files: readFiles(layout),
    otherUnit: fragment === "" || fragment === layout.unitPath ? undefined : fragment,
    kept: kept.filter((path) => existsSync(path)),
    strayPid: isUser ? findStray(layout, call, hasManager) : undefined,
    template: (name) => readFileSync(join(CONTRIB, name), "utf8"),
  };
}

/** The user and the home directory of that name. Throws CommandError for one that does not exist, and for root. */
export function findAccount(name: string): Account {
  const line = runCommand(["getent", "passwd", "--", name]).out.trim();
  const [found, , uid, , , home] = line.split(":");
  if (found === undefined || home === undefined) throw new CommandError(EXIT.failure, `there is no user "${name}"`);
  const account = { name: found, home, uid: Number(uid) };
  if (account.uid !== 0) return account;
  throw new CommandError(
    EXIT.failure,
    "the service does not run as root",
    "every job and every agent would be root, too",
  );
}

/** Carries one step out; `pause` waits between tries. Throws CommandError for a command that failed. */
export async function carryOut(step: Step, pause: (ms: number) => Promise<void>): Promise<void> {
  if (step.do === "write") {
    const folder = dirname(step.path);
    // Whatever the umask: the service reads its config as a user of its own.
    if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
    await replaceFile(step.path, step.text, { mode: step.mode });
  }
  if (step.do === "remove") rmSync(step.path, { recursive: true, force: true });
  if (step.do === "run") await runStep(step, pause);
}

async function runStep(
  { command, mayFail, tries = 1 }: Extract<Step, { do: "run" }>,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  for (let left = tries; ; left--) {
    const { code, err } = runCommand(command);
    if (code === 0 || mayFail) return;
    if (left > 1) {
      await pause(BETWEEN_TRIES_MS);
      continue;
    }
    const reason = err.trim().split("\n")[0] || `exit code ${code}`;
    throw new CommandError(EXIT.failure, `${command.join(" ")} failed: ${reason}`, adviceFor(command));
  }
}

function adviceFor(command: readonly string[]): string | undefined {
  if (command[0] !== "systemctl") return undefined;
  return `see ${command.includes("--user") ? "journalctl --user" : "journalctl"} -u ${UNIT} -n 20`;
}

function property({ control }: Layout, name: string): string {
  return runCommand([...control, "show", "-P", name, UNIT]).out.trim();
}

/** Our files that are there: the unit, what changes it, the config. */
function readFiles({ unitPath, dropInFolder, configPath }: Layout): Map<string, string> {
  const dropIns =
    dropInFolder !== undefined && existsSync(dropInFolder)
      ? readdirSync(dropInFolder).map((name) => join(dropInFolder, name))
      : [];
  const paths = [unitPath, ...dropIns, ...(configPath === undefined ? [] : [configPath])];
  return new Map(paths.filter((path) => existsSync(path)).map((path) => [path, readFileSync(path, "utf8")]));
}

/** The first of the paths that a user without rights cannot read, or that the unit's sandbox hides. */
function findUnreadable(paths: readonly string[]): string | undefined {
  return paths.find((path) => HIDDEN.test(path) || !isOpenToAll(path));
}

function isOpenToAll(path: string): boolean {
  for (let above = dirname(path); ; above = dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return false;
    if (above === dirname(above)) return (statSync(path).mode & 0o004) !== 0;
  }
}

/** A daemon on the data of a service of one's own that is not that service. */
function findStray(layout: Layout, call: CommandCall, hasManager: boolean): number | undefined {
  const holder = readHolder(findPlace(call).dataDir);
  if (holder === undefined || layout.manager === "launchd" || !hasManager) return undefined;
  return property(layout, "MainPID") === String(holder.pid) ? undefined : holder.pid;
}
