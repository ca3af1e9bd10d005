/**
 * The config, the folder of job files and the jobs made through the API -> the jobs that are in force, and what is
 * wrong with others.
 *
 * Order: the config wins over files, files over the API; among files the first by name.
 * Errors: sentences. A file that went bad leaves in force what it held before, as a bad config does.
 */
import type { Issue } from "../../core/validate.ts";
import type { DefinitionFile } from "../../system/definition-folder.ts";
import type { Services } from "../plugin.ts";
import type { JobsConfig } from "./config.ts";
import { type JobDefinition, jobSchema, keepsSession, type Kind, kindOf } from "./job.ts";
import { type Policy, resolvePolicy } from "./job-policy.ts";

export type JobSource =
  { readonly from: "config" } | { readonly from: "file"; readonly path: string } | { readonly from: "api" };

export interface Job {
  readonly name: string;
  readonly kind: Kind;
  readonly definition: JobDefinition;
  readonly policy: Policy;
  readonly source: JobSource;
  /** The definition without secrets. */
  readonly shown: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
}

export interface Catalog {
  readonly jobs: ReadonlyMap<string, Job>;
  /** Jobs of the API that cannot be run as things are, and why. */
  readonly blocked: ReadonlyMap<string, string>;
  /** What is not in force and should be, in sentences. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface CatalogSources {
  readonly config: JobsConfig;
  /** The definitions made through the API, as they were sent. */
  readonly stored: ReadonlyMap<string, unknown>;
  readonly before: Catalog;
}

export type SourceServices = Pick<Services, "definitions" | "secrets">;

export const emptyCatalog: Catalog = { jobs: new Map(), blocked: new Map(), problems: [], warnings: [] };

export function readCatalog(services: SourceServices, { config, stored, before }: CatalogSources): Catalog {
  const jobs = new Map<string, Job>();
  const blocked = new Map<string, string>();
  const problems: string[] = [];
  const warnings: string[] = [];
  const add = (job: Job): void => {
    const known = jobs.get(job.name);
    if (known === undefined) jobs.set(job.name, job);
    else problems.push(describeRival(job, known));
  };
  const read = (value: unknown, source: JobSource) => readJob(services, { value, source, config });

  const secrets = services.secrets();
  for (const definition of config.jobs) {
    const shown = services.definitions.show(jobSchema, definition, secrets) as Job["shown"];
    add(toJob({ definition, source: { from: "config" }, shown, secrets: [] }, config));
  }
  for (const file of services.definitions.readFolder(config.directory)) {
    const found = readFile(file, read);
    for (const job of found.jobs) add(job);
    problems.push(...found.problems);
    warnings.push(...found.warnings);
    for (const job of before.jobs.values()) {
      // What is named in the file again has been dealt with, well or ill.
      if (isFrom(job, file.path) && found.isBad(job.name) && !jobs.has(job.name)) jobs.set(job.name, job);
    }
  }
  for (const [name, value] of stored) {
    const found = read(value, { from: "api" });
    if (found.ok) add(found.job);
    else {
      blocked.set(name, describeIssues(found.issues));
      problems.push(`the job "${name}" cannot run: ${describeIssues(found.issues)}`);
    }
  }
  for (const job of jobs.values()) problems.push(...findLooseEnds(job, (name) => jobs.has(name) || blocked.has(name)));
  return { jobs, blocked, problems, warnings };
}

/** Jobs that this one would set off and that are not there: word of a failure would reach nobody. */
function findLooseEnds({ name, definition }: Job, isThere: (name: string) => boolean): string[] {
  return (["onFailure", "onSuccess"] as const).flatMap((field) => {
    const next = definition[field];
    if (next === undefined || "url" in next || isThere(next.job)) return [];
    return [`${field} of the job "${name}" names the job "${next.job}", which is not there`];
  });
}

export type ReadJob =
  | { readonly ok: true; readonly job: Job; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Reads one definition that stands outside of the config. */
export function readJob(
  services: SourceServices,
  from: { value: unknown; source: JobSource; config: JobsConfig },
): ReadJob {
  const read = services.definitions.read(jobSchema, from.value);
  if (!read.ok) return read;
  const { value: definition, secrets, warnings } = read;
  return {
    ok: true,
    warnings,
    job: toJob({ definition, source: from.source, shown: read.shown as Job["shown"], secrets }, from.config),
  };
}

function describeRival({ name, source }: Job, known: Job): string {
  const winner = describeSource(known.source);
  return `the job "${name}" of ${describeSource(source)} does not count: ${winner} has one of that name`;
}

export function describeSource(source: JobSource): string {
  if (source.from === "file") return source.path;
  return source.from === "config" ? "the config" : "the API";
}

function toJob(parts: Pick<Job, "definition" | "source" | "shown" | "secrets">, config: JobsConfig): Job {
  const { definition } = parts;
  const kind = kindOf(definition);
  const policy = resolvePolicy(kind, config.defaults, definition);
  // That of the config is meant for jobs in general.
  const overlap = keepsSession(definition) && policy.overlap === "parallel" ? "skip" : policy.overlap;
  return { name: definition.name, kind, policy: { ...policy, overlap }, ...parts };
}

interface FileReading {
  readonly jobs: readonly Job[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Whether what the file says of the job, if anything, could not be read. */
  isBad(name: string): boolean;
}

function readFile(file: DefinitionFile, read: (value: unknown, source: JobSource) => ReadJob): FileReading {
  if (!file.ok) return { jobs: [], problems: [file.problem], warnings: [], isBad: () => true };
  const { path } = file;
  const values: readonly unknown[] = Array.isArray(file.value) ? file.value : [file.value];
  const jobs: Job[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  const bad = new Set<unknown>();
  values.forEach((value, index) => {
    const found = read(value, { from: "file", path });
    const place = Array.isArray(file.value) ? `${path}, job ${index}` : path;
    if (found.ok) {
      jobs.push(found.job);
      warnings.push(...found.warnings);
      const text = JSON.stringify(value);
      if (file.isReadableByOthers && found.job.secrets.some((secret) => text.includes(secret))) {
        warnings.push(`${place} holds a secret and can be read by others; run: chmod 600 ${path}`);
      }
    } else {
      bad.add((value as { name?: unknown } | null)?.name);
      problems.push(`${place}: ${describeIssues(found.issues)}`);
    }
  });
  return { jobs, problems, warnings, isBad: (name) => bad.has(name) };
}

/** Of the file at `path`, or of a file in the folder at `path`. */
function isFrom({ source }: Job, path: string): boolean {
  return source.from === "file" && (source.path === path || source.path.startsWith(path + "/"));
}

function describeIssues(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
}
