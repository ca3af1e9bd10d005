/**
 * Finds the daemon that a command speaks to.
 *
 * Order: `--url`, `PI_DAEMON_URL`, the socket of this machine's own daemon, the address that its lock file names.
 * Not: a token never goes to an address that was not given by name, where anyone may listen while the daemon is down.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, createClient } from "../client.ts";
import { type Config, type ConfigSource, defaultLogFile } from "../config.ts";
import { isLoopbackHost } from "../core/host.ts";
import { expandPath } from "../system/guarded-file.ts";
import { type Holder, readHolder } from "../system/lock.ts";
import { type CommandCall, CommandError, EXIT } from "./command.ts";
import { describeIssues } from "./issues.ts";
import { layoutOf } from "./service-layout.ts";
import { badConfig, readSettings } from "./settings.ts";

/** What commands that deal with this machine's own daemon need of the config. */
export interface Place {
  readonly dataDir: string;
  readonly logFile: string;
  /** How long the daemon may take to stop when it goes by its config. */
  readonly stopTimeoutMs: number;
  readonly source: ConfigSource;
  /** `undefined` when it is bad and the rest was guessed. */
  readonly config: Config | undefined;
}

/**
 * Where this machine's own daemon lives. With a bad config file the defaults stand in, and a warning says so: a daemon
 * that runs must be reachable whatever became of its config since.
 */
export function findPlace(call: CommandCall): Place {
  const loaded = readSettings(call);
  const { source } = loaded;
  if (loaded.ok) {
    const { config } = loaded;
    const logFile = config.logging.file ?? defaultLogFile(call);
    const { stopGraceMs } = config["jobs"] as { stopGraceMs: number };
    const stopTimeoutMs = config.server.drainTimeoutMs + stopGraceMs;
    return { dataDir: config.dataDir, logFile, stopTimeoutMs, source, config };
  }
  if (source.isExplicit && !source.exists) throw badConfig(loaded);
  const dataDir = guessDataDir(source, call);
  const [problem] = describeIssues(loaded.issues);
  call.terminal.err(`warning: the config ${source.path} is bad (${problem}); looking for the daemon in ${dataDir}`);
  return { dataDir, logFile: defaultLogFile(call), stopTimeoutMs: 13_000, source, config: undefined };
}

/** Whether an address was given, so that this machine's own daemon is not meant. */
function addressGiven({ args, env }: CommandCall): string | undefined {
  return args.value("url") ?? (env["PI_DAEMON_URL"] || undefined);
}

/** Ends a command that works on this machine's own daemon when it was given an address. */
export function refuseUrl(call: CommandCall, what: string): void {
  if (!call.args.isSet("url")) return;
  const hint = "this works on this machine's own daemon; --config says which";
  throw new CommandError(EXIT.usage, `--url does not say which daemon to ${what}`, hint);
}

export interface Found {
  readonly client: Client;
  /** The process that holds the data directory; `undefined` for an address that was given. */
  readonly holder: Holder | undefined;
  readonly place: Place | undefined;
}

/** The daemon to speak to. Throws CommandError with the exit code for "not running" when there is none. */
export async function findDaemon(call: CommandCall): Promise<Found> {
  const url = addressGiven(call);
  if (url !== undefined) return { client: clientFor(url, call), holder: undefined, place: undefined };
  if (call.args.isSet("token") || call.args.isSet("token-file")) {
    const hint = "add --url URL; without it the daemon's own socket is used, which needs no token";
    throw new CommandError(EXIT.usage, "a token is only sent to an address that is named too", hint);
  }
  const place = findPlace(call);
  const holder = readHolder(place.dataDir);
  if (holder === undefined) {
    throw new CommandError(EXIT.notRunning, "no daemon is running", adviceWithout(place));
  }
  return { client: clientOf(holder), holder, place };
}

/** Where the machine has a daemon of its own as a service, that may be the one that is meant. */
function adviceWithout({ dataDir }: Place): string {
  const { unitPath, statePaths } = layoutOf("systemd", "system", { home: "/", uid: undefined });
  const isOther = !statePaths.includes(dataDir) && existsSync(unitPath);
  if (!isOther) return 'start it with "pi-daemon start", or name another one with --url';
  const asRoot = `sudo env STATE_DIRECTORY=${statePaths[0]} CONFIGURATION_DIRECTORY=/etc/pi-daemon pi-daemon …`;
  return `the system service is another one: --url http://127.0.0.1:9876, or with all rights: ${asRoot}`;
}

/** A client of the process that holds the data directory. */
export function clientOf(holder: Holder): Client {
  const { socketPath } = holder;
  if (typeof socketPath === "string") return createClient({ socketPath });
  if (holder.url !== undefined) return createClient({ url: holder.url });
  const message = `the daemon (pid ${holder.pid}) is starting or stopping and takes no requests`;
  throw new CommandError(EXIT.failure, message, "try again in a moment");
}

function clientFor(url: string, call: CommandCall): Client {
  const token = tokenGiven(call);
  try {
    const client = createClient({ url, token });
    const { protocol, hostname } = new URL(url);
    if (token !== undefined && protocol === "http:" && !isLoopbackHost(hostname.replace(/^\[|\]$/g, ""))) {
      call.terminal.err(`warning: the token goes to ${hostname} unencrypted, where others may read it; use https`);
    }
    return client;
  } catch (error) {
    throw new CommandError(EXIT.usage, (error as Error).message);
  }
}

function tokenGiven({ args, env }: CommandCall): string | undefined {
  const path = args.value("token-file");
  if (args.isSet("token") && path !== undefined) {
    throw new CommandError(EXIT.usage, "both --token and --token-file are given", "give one of them");
  }
  return args.value("token") ?? (path === undefined ? env["PI_DAEMON_TOKEN"] || undefined : readTokenFile(path));
}

function readTokenFile(path: string): string {
  try {
    const token = readFileSync(path, "utf8").trim();
    if (token !== "") return token;
  } catch (error) {
    throw new CommandError(EXIT.failure, `Cannot read the token from ${path}: ${(error as Error).message}`);
  }
  throw new CommandError(EXIT.failure, `the token file ${path} is empty`);
}

/** Where a config that is bad says the data are, if that can be told; else the default. */
function guessDataDir(source: ConfigSource, { env, home }: CommandCall): string {
  const base = join(source.path, "..");
  const fallback = expandPath(env["STATE_DIRECTORY"]?.split(":")[0] || "~/.pi/daemon/data", { home, base });
  try {
    const { dataDir } = JSON.parse(readFileSync(source.path, "utf8")) as { dataDir?: unknown };
    return typeof dataDir === "string" && !dataDir.includes("${") ? expandPath(dataDir, { home, base }) : fallback;
  } catch {
    return fallback;
  }
}
