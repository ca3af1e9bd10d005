/**
 * The path of a config file -> the object in it, or why it cannot be used.
 *
 * Not: blocking on what is no ordinary file, or trusting a file that others can write: it says where metrics go.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { describeError } from "./stderr.ts";

export type ConfigObject = Readonly<Record<string, unknown>>;

export interface ConfigFile {
  readonly content: ConfigObject;
  /** Sentences. */
  readonly problems: readonly string[];
  /** Others can read it. */
  readonly isExposed: boolean;
}

const MAX_BYTES = 65_536;
const EMPTY: ConfigFile = { content: {}, problems: [], isExposed: false };

/** `isOptional`: no file, no problem. */
export function readConfigFile(path: string, { isOptional }: { isOptional: boolean }): ConfigFile {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer, and pi with it.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = fstatSync(descriptor);
    const fault = findFault(stats);
    if (fault) return refuse(path, fault);
    const content = JSON.parse(readFileSync(descriptor, "utf8").replace(/^\uFEFF/, "")) as unknown;
    if (!isObject(content)) return refuse(path, "it does not hold a JSON object");
    return { content, problems: [], isExposed: process.platform !== "win32" && (stats.mode & 0o044) !== 0 };
  } catch (error) {
    if (isOptional && (error as NodeJS.ErrnoException).code === "ENOENT") return EMPTY;
    return refuse(path, error instanceof SyntaxError ? "it is not JSON" : describeError(error));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function findFault(stats: Stats): string | undefined {
  if (!stats.isFile()) return "it is not a file";
  if (stats.size > MAX_BYTES) return `it is larger than ${MAX_BYTES} bytes`;
  const uid = process.getuid?.();
  if (uid === undefined) return undefined;
  if (stats.uid !== uid && stats.uid !== 0) return "it belongs to somebody else";
  return (stats.mode & 0o022) === 0 ? undefined : "others can write it (chmod 600 mends that)";
}

function refuse(path: string, reason: string): ConfigFile {
  return { ...EMPTY, problems: [`${path} is not used: ${reason}`] };
}

export function isObject(value: unknown): value is ConfigObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
