/**
 * `rag doctor`: looks for what keeps the knowledge base from working well, and says what to do about it.
 *
 * Not: nothing is changed or mended. Folders are looked at only where the daemon is one of this machine.
 */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Client, DaemonError, UnreachableError } from "../client.ts";
import { escapeUnprintable, shorten } from "../core/printable.ts";
import { countFolders, findFiles } from "../system/probes.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { tellFindings } from "./doctor.ts";
import type { Finding, Found } from "./doctor-checks.ts";
import { type EmbeddingsServer, probeEmbeddings } from "./embeddings-probe.ts";
import { type Found as Daemon, findDaemon } from "./place.ts";
import { listCollections } from "./rag-calls.ts";
import { describeContent, describePlace } from "./rag-texts.ts";
import type { CollectionShown, HitShown, KnowledgeStatus } from "./rag-views.ts";
import { plural, readableBytes, readableDuration } from "./style.ts";

const ok = (message: string): Found => ({ result: "ok", message });
const warn = (message: string, advice: string): Found => ({ result: "warn", message, advice });
const fail = (message: string, advice: string): Found => ({ result: "fail", message, advice });

const SUBJECT_OF_DAEMON = "daemon";
const INOTIFY_LIMIT = "/proc/sys/fs/inotify/max_user_watches";
/** Beside what else of the person watches folders. */
const FAIR_SHARE = 0.8;
const REDACTED = "[redacted";
const SECRETS_LOOKED_AT = 100;
const PLACES_SHOWN = 5;

export const ragDoctorCommand: Command = {
  name: "rag doctor",
  operands: [],
  options: [],
  summary: "look for what keeps the index from working well, and say what to do",
  async run(call) {
    const findings = await examine(call);
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify(findings));
    else tellFindings(call, findings);
    return findings.some(({ result }) => result === "fail") ? EXIT.failure : EXIT.ok;
  },
};

interface Scene {
  readonly daemon: Daemon;
  readonly collections: readonly CollectionShown[];
  readonly status: KnowledgeStatus;
  /** Whether its files are those of this machine. */
  readonly isLocal: boolean;
  readonly nowMs: () => number;
}

const CHECKS: readonly (readonly [subject: string, look: (scene: Scene) => readonly Found[] | Promise<Found[]>])[] = [
  ["folders", checkFolders],
  ["watching", checkWatching],
  ["embeddings", checkEmbeddings],
  ["index", checkIndex],
  ["secrets", checkSecrets],
];

async function examine(call: CommandCall): Promise<Finding[]> {
  const scene = await findScene(call);
  if ("result" in scene) return [{ subject: SUBJECT_OF_DAEMON, ...scene }];
  const findings: Finding[] = [
    { subject: SUBJECT_OF_DAEMON, ...ok(`answers at ${scene.daemon.client.place}: ${describeContent(scene.status)}`) },
  ];
  for (const [subject, look] of CHECKS) {
    const found = await Promise.resolve(look(scene)).catch((error: Error): Found[] => [
      { result: "warn", message: `could not be looked at: ${escapeUnprintable(error.message)}` },
    ]);
    findings.push(...found.map((each) => ({ subject, ...each })));
  }
  return findings;
}

async function findScene(call: CommandCall): Promise<Scene | Found> {
  try {
    const daemon = await findDaemon(call);
    const { client } = daemon;
    const status = await client.json<KnowledgeStatus>("GET", "/api/rag/status");
    return {
      daemon,
      status,
      collections: await listCollections(client),
      isLocal: daemon.place !== undefined,
      nowMs: call.clock.monotonicMs,
    };
  } catch (error) {
    return explainSilence(error);
  }
}

/** Throws what is no silence of the daemon. */
function explainSilence(error: unknown): Found {
  if (error instanceof DaemonError && error.code === "NOT_FOUND") {
    const advice = "set plugins.rag to true in its config, or restart it if it is older than this program";
    return fail("it has no knowledge base", advice);
  }
  if (error instanceof DaemonError) return fail(escapeUnprintable(error.message), 'see "pi-daemon doctor"');
  if (error instanceof UnreachableError) return fail(error.message, 'see "pi-daemon doctor"');
  if (error instanceof CommandError && error.code === EXIT.notRunning) {
    return fail(error.message, error.hint ?? 'start it with "pi-daemon start"');
  }
  throw error;
}

function checkFolders({ collections, isLocal, status }: Scene): Found[] {
  const found = collections.flatMap((collection): Found[] => {
    const { name, root, problems } = collection;
    const fault = root === null || !isLocal ? undefined : whyNotRead(root);
    if (fault !== undefined && root !== null) {
      const removal = collection.source === "config" ? "take it out of the config" : `"pi-daemon rag remove ${name}"`;
      return [fail(`${name}: ${root} ${fault}`, `mend that, or ${removal}`)];
    }
    return problems.map((problem) => warn(`${name}: ${problem}`, `then "pi-daemon rag reindex ${name}"`));
  });
  const isTold = (problem: string): boolean =>
    collections.some(({ name }) => problem.startsWith(`collection "${name}": `));
  const others = status.problems.filter((problem) => !isTold(problem));
  const all = [...found, ...others.map((problem) => warn(problem, 'see "pi-daemon logs"'))];
  if (all.length > 0) return all;
  const folders = collections.filter(({ root }) => root !== null).length;
  return [ok(folders === 0 ? "none is indexed" : `${plural(folders, "folder")} can be read`)];
}

function whyNotRead(root: string): string | undefined {
  try {
    if (!statSync(root).isDirectory()) return "is no folder";
    accessSync(root, constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : "cannot be read";
  }
}

/** Each folder that is watched takes one of the watches that Linux allows a user. */
function checkWatching({ collections, isLocal }: Scene): Found[] {
  const watched = collections.filter(({ watch, root }) => watch && root !== null);
  if (watched.length === 0) return [ok("no folder is watched")];
  const limit = readLimit();
  if (!isLocal || limit === undefined) return [ok(`${plural(watched.length, "collection")}`)];
  const count = watched.reduce((sum, { root }) => sum + countFolders(root!, limit), 0);
  const facts = `${plural(count, "folder")} in ${plural(watched.length, "collection")}; Linux allows ${limit}`;
  if (count <= limit * FAIR_SHARE) return [ok(facts)];
  const advice = `raise fs.inotify.max_user_watches (sysctl), or add with --no-watch: then changes are looked for`;
  return [warn(facts, advice)];
}

function readLimit(): number | undefined {
  try {
    return Number(readFileSync(INOTIFY_LIMIT, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

async function checkEmbeddings({ status, daemon, nowMs }: Scene): Promise<Found[]> {
  const { state, model, ratio, error } = status.embeddings;
  if (state === "off") return [ok("no endpoint is set up; words and the built-in vectors are searched")];
  const server = serverOf(daemon);
  const probed = server === undefined ? error : await probeEmbeddings(server, nowMs);
  const name = model ?? "endpoint";
  if (typeof probed === "string") {
    const advice = "is it running? rag.embeddings in the config names it; searches go on without it";
    return [warn(`${name}${server === undefined ? "" : ` at ${server.url}`}: ${escapeUnprintable(probed)}`, advice)];
  }
  const done = ratio === null ? "" : `, ${Math.floor(ratio * 100)} % embedded`;
  const answer = probed === null ? "" : `: ${probed.dimensions} dimensions in ${readableDuration(probed.tookMs)}`;
  const catchingUp = state === "catching-up" ? ", catching up" : "";
  const facts = `${name}${answer}${done}${catchingUp}`;
  // The daemon has not tried again yet, or it cannot do what can be done from here, or not with all texts.
  if (error !== null) return [warn(`${facts}; but the daemon says: ${escapeUnprintable(error)}`, "wait a minute")];
  return [ok(facts)];
}

/** `undefined` where the config is not at hand, or more is needed than a token. */
function serverOf({ place }: Daemon): EmbeddingsServer | undefined {
  type Settings = Partial<EmbeddingsServer> & { readonly headers?: object };
  const rag = place?.config?.["rag"] as { readonly embeddings?: Settings } | undefined;
  const { url, model = "", apiKey = null, headers = {} } = rag?.embeddings ?? {};
  return typeof url === "string" && Object.keys(headers).length === 0 ? { url, model, apiKey } : undefined;
}

function checkIndex({ status, daemon }: Scene): Found[] {
  const memory = `${readableBytes(status.indexBytes)} of memory`;
  if (daemon.place === undefined) return [ok(memory)];
  const folder = join(daemon.place.dataDir, "rag");
  const sizes = findFiles(folder, /./).map((path) => statSync(join(folder, path), { throwIfNoEntry: false }));
  const onDisk = sizes.reduce((sum, stats) => sum + (stats?.isFile() ? stats.size : 0), 0);
  return [ok(`${memory}, ${readableBytes(onDisk)} in ${folder}`)];
}

/** What was taken for a secret is out of the index; the files still hold it. */
async function checkSecrets({ daemon }: Scene): Promise<Found[]> {
  const hits = await findRedacted(daemon.client);
  if (hits.length === 0) return [ok("nothing that looks like one was found")];
  const places = hits.slice(0, PLACES_SHOWN).map((hit) => shorten(escapeUnprintable(describePlace(hit)), 100));
  const more = hits.length > PLACES_SHOWN ? ", ..." : "";
  const count = `${hits.length === SECRETS_LOOKED_AT ? "at least " : ""}${plural(hits.length, "place")}`;
  const message = `${count} with [redacted] for what looks like a secret: ${places.join(", ")}${more}`;
  return [warn(message, "it is not in the index, but in the files still: move it away")];
}

async function findRedacted(client: Client): Promise<readonly HitShown[]> {
  const body = { q: "redacted", project: "*", mode: "lexical", k: SECRETS_LOOKED_AT };
  const { hits } = await client.json<{ hits: (HitShown & { text: string })[] }>("POST", "/api/rag/search", { body });
  return hits.filter(({ text }) => text.includes(REDACTED));
}
