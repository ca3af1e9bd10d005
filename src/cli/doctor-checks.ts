/**
 * The things `doctor` looks at, each from the place of the daemon to what was found there.
 *
 * Not: nothing is changed or mended; that is left to the person.
 */
import { join } from "node:path";
import { createClient, type Health } from "../client.ts";
import { readHolder } from "../system/lock.ts";
import { findFiles, freeBytes, inspectFile, nearestExisting, readJsonFile, whyNotListen } from "../system/probes.ts";
import { tokenPath } from "../system/token.ts";
import { VERSION } from "../system/version.ts";
import type { CommandCall } from "./command.ts";
import { describeIssues } from "./issues.ts";
import { checkServices } from "./doctor-service.ts";
import { clientOf, type Place } from "./place.ts";
import { readSettings } from "./settings.ts";
import { plural, readableBytes, readableDuration } from "./style.ts";

export interface Finding {
  readonly subject: string;
  readonly result: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
}

export type Found = Omit<Finding, "subject">;

export interface Check {
  readonly subject: string;
  readonly look: (call: CommandCall, place: Place) => readonly Found[] | Promise<readonly Found[]>;
}

const MIB = 1_048_576;
const LOW_DISK_BYTES = 256 * MIB;
const FULL_DISK_BYTES = 16 * MIB;

export const checks: readonly Check[] = [
  { subject: "node", look: checkNode },
  { subject: "config", look: checkConfig },
  { subject: "data", look: checkDirectory },
  { subject: "daemon", look: checkDaemon },
  { subject: "port", look: checkPort },
  { subject: "token", look: checkToken },
  { subject: "disk", look: checkDisk },
  { subject: "state", look: checkState },
  { subject: "log", look: checkLog },
  { subject: "service", look: checkServices },
  { subject: "pi", look: checkPi },
];

const ok = (message: string): Found => ({ result: "ok", message });
const warn = (message: string, advice: string): Found => ({ result: "warn", message, advice });
const fail = (message: string, advice: string): Found => ({ result: "fail", message, advice });

/** An older Node never gets here: the program refuses to start under it. */
function checkNode(): Found[] {
  return [ok(`${process.version}, pi-daemon ${VERSION}`)];
}

function checkConfig(call: CommandCall): Found[] {
  const loaded = readSettings(call);
  const { path, exists } = loaded.source;
  if (!loaded.ok) return describeIssues(loaded.issues).map((message) => fail(message, `correct it in ${path}`));
  const warnings = loaded.warnings.map((message): Found => ({ result: "warn", message }));
  return [ok(exists ? path : `no file ${path}; the defaults hold`), ...warnings];
}

function checkDirectory({ uid }: CommandCall, { dataDir }: Place): Found[] {
  const facts = inspectFile(dataDir);
  if (facts === undefined) return [judgePlaceFor(dataDir, { what: "the directory", setting: "dataDir" })];
  if (!facts.isDirectory) return [fail(`${dataDir} is no directory`, "move it away, or set dataDir in the config")];
  if (uid !== undefined && facts.uid !== uid) {
    const message = `${dataDir} belongs to another user (uid ${facts.uid})`;
    return [fail(message, "use pi-daemon as that user, or set dataDir in the config")];
  }
  if (!facts.isWritable) return [fail(`${dataDir} cannot be written to`, `chmod 700 ${dataDir}`)];
  return [(facts.mode & 0o077) === 0 ? ok(dataDir) : warn(`${dataDir} is open to other users`, `chmod 700 ${dataDir}`)];
}

/** Whether what is not there yet can be made by a start of the daemon. */
function judgePlaceFor(path: string, { what, setting }: { what: string; setting: string }): Found {
  const above = nearestExisting(join(path, ".."));
  const facts = inspectFile(above);
  if (facts?.isDirectory && facts.isWritable) return ok(`${path} is made when the daemon first starts`);
  const reason = facts?.isDirectory ? "cannot be written to" : "is no directory";
  return fail(
    `${what} ${path} cannot be made: ${above} ${reason}`,
    `set ${setting} in the config to a place of your own`,
  );
}

const NO_SOCKET = warn(
  "its Unix socket is not available: commands go by TCP, and need the token where others do",
  'its log says why ("pi-daemon logs"); where the path is too long, set a shorter dataDir in the config',
);

async function checkDaemon(_: CommandCall, { dataDir }: Place): Promise<Found[]> {
  const holder = readHolder(dataDir);
  if (holder === undefined) return [ok('not running; start it with "pi-daemon start"')];
  try {
    const health = describeHealth(await clientOf(holder).health(), holder.pid);
    return holder["socketPath"] === undefined ? [health, NO_SOCKET] : [health];
  } catch (error) {
    const advice = 'see "pi-daemon logs"; "pi-daemon restart" ends it by force when it must';
    return [fail(`pid ${holder.pid} does not answer: ${(error as Error).message}`, advice)];
  }
}

function describeHealth({ status, reasons = [], uptime, version }: Health, pid: number): Found {
  const facts = `pid ${pid}, up for ${readableDuration(uptime * 1000)}`;
  if (status !== "ok") return fail(`running (${facts}), but not well: ${reasons.join("; ")}`, 'see "pi-daemon logs"');
  if (version === VERSION) return ok(`running, ${facts}`);
  return warn(`running version ${version}, this program is ${VERSION}`, "pi-daemon restart");
}

/** Whether a daemon that starts now could listen; of one that runs, `daemon` has told. */
async function checkPort(_: CommandCall, { config, dataDir }: Place): Promise<Found[]> {
  const { listenAddress, port } = config?.server ?? { listenAddress: "127.0.0.1", port: 9876 };
  if (readHolder(dataDir) !== undefined) return [];
  if (port === 0) return [ok(`any free one on ${listenAddress} (server.port is 0)`)];
  const address = `${listenAddress.includes(":") ? `[${listenAddress}]` : listenAddress}:${port}`;
  const reason = await whyNotListen(listenAddress, port);
  if (reason === undefined) return [ok(`${address} is free`)];
  if (reason !== "EADDRINUSE") {
    return [fail(`cannot listen on ${address}: ${reason}`, "set server.listenAddress and server.port in the config")];
  }
  const other = await createClient({ url: `http://${address}` })
    .health({ timeoutMs: 2000 })
    .then(
      ({ version }) => `another pi-daemon (version ${version}, of another data directory or user)`,
      () => "another program",
    );
  const advice = `find it with: ss -ltnp 'sport = :${port}'; or set server.port in the config`;
  return [fail(`${address} is taken by ${other}`, advice)];
}

function checkToken(_: CommandCall, { config, dataDir }: Place): Found[] {
  if (config !== undefined && config.auth.token !== null) return [ok("set by the config (auth.token)")];
  const path = tokenPath(dataDir);
  const facts = inspectFile(path);
  if (facts === undefined) return [ok(`${path} is made when the daemon first starts`)];
  if ((facts.mode & 0o077) === 0) return [ok(path)];
  const advice = `chmod 600 ${path}, and make a new one: pi-daemon token --rotate`;
  return [fail(`${path} can be read by other users`, advice)];
}

function checkDisk(_: CommandCall, { dataDir }: Place): Found[] {
  const free = freeBytes(dataDir);
  const message = `${readableBytes(free)} free for ${dataDir}`;
  if (free >= LOW_DISK_BYTES) return [ok(message)];
  const judge = free < FULL_DISK_BYTES ? fail : warn;
  return [judge(message, "free some space; what cannot be written is refused with 503")];
}

function checkState(_: CommandCall, { dataDir }: Place): Found[] {
  const damaged = findFiles(dataDir, /\.corrupt-[^/]*$/);
  if (damaged.length === 0) return [ok("no damaged files were set aside")];
  const names = damaged.slice(0, 3).join(", ");
  const message = `${plural(damaged.length, "damaged file")} set aside in ${dataDir}: ${names}`;
  return [warn(message, "the log says what was lost; remove the files when you need them no more")];
}

function checkLog(_: CommandCall, { logFile }: Place): Found[] {
  const facts = inspectFile(logFile);
  if (facts === undefined) return [judgePlaceFor(logFile, { what: "the log", setting: "logging.file" })];
  if (facts.isWritable) return [ok(logFile)];
  return [fail(`${logFile} cannot be written to`, `chmod 600 ${logFile}, or set logging.file in the config`)];
}

/** pi takes a bare name for a path, and passes over it in silence when nothing is there. */
function checkPi({ home, env }: CommandCall): Found[] {
  const ofPerson = join(env["PI_CODING_AGENT_DIR"] || join(home, ".pi", "agent"), "settings.json");
  const ofProject = join(process.cwd(), ".pi", "settings.json");
  return [...new Set([ofPerson, ofProject])].flatMap((path): Found[] => {
    const sources = packageSources(readJsonFile(path));
    if (sources.includes("pi-daemon")) {
      const message = `${path} names the package "pi-daemon", which pi takes for a folder and ignores`;
      return [warn(message, 'write "npm:pi-daemon", or the path of a checkout')];
    }
    return sources.some((source) => source.includes("pi-daemon")) ? [ok(`the extension is listed in ${path}`)] : [];
  });
}

/** The entries of `packages` in a settings file of pi: a text each, or an object with a `source`. */
function packageSources(settings: unknown): string[] {
  const { packages } = (settings ?? {}) as { packages?: unknown };
  if (!Array.isArray(packages)) return [];
  const sources = packages.map((entry: unknown) => (entry as { source?: unknown } | null)?.source ?? entry);
  return sources.filter((source) => typeof source === "string");
}
