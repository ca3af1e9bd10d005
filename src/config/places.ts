/**
 * Where the config file, the data and the log stand, from the command line, the environment and the home directory.
 *
 * Order: `--config`, `PI_DAEMON_CONFIG`, `$CONFIGURATION_DIRECTORY/config.json`, `~/.pi/daemon/config.json`.
 * Source: systemd.exec(5) for `$CONFIGURATION_DIRECTORY`, `$STATE_DIRECTORY` and `$LOGS_DIRECTORY`: absolute paths,
 * parted by colons, of which the first counts.
 */
import { expandPath } from "../system/guarded-file.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** One place where a config file may stand. */
export interface ConfigPlace {
  /** Absolute. */
  readonly path: string;
  /** Who named it, for people to read. */
  readonly from: "--config" | "PI_DAEMON_CONFIG" | "CONFIGURATION_DIRECTORY" | "home directory";
  /** It was asked for by name, so that it must be there. */
  readonly isExplicit: boolean;
}

export interface PlaceOptions {
  /** The value of `--config`; relative to the working directory. */
  readonly configPath?: string | undefined;
  readonly env: Environment;
  /** The home directory, absolute. */
  readonly home: string;
}

/** The places to look at, in order. An explicit one is the only one. */
export function listConfigPlaces({ configPath, env, home }: PlaceOptions): readonly ConfigPlace[] {
  const absolute = (path: string): string => expandPath(path, { home, base: "." });
  if (configPath !== undefined) return [{ path: absolute(configPath), from: "--config", isExplicit: true }];
  const named = env["PI_DAEMON_CONFIG"];
  if (named) return [{ path: absolute(named), from: "PI_DAEMON_CONFIG", isExplicit: true }];
  const ofHome: ConfigPlace = { path: absolute("~/.pi/daemon/config.json"), from: "home directory", isExplicit: false };
  const directory = firstOf(env["CONFIGURATION_DIRECTORY"]);
  if (!directory) return [ofHome];
  return [{ path: absolute(`${directory}/config.json`), from: "CONFIGURATION_DIRECTORY", isExplicit: false }, ofHome];
}

/** `dataDir` where the config does not name one; may begin with `~/`. */
export function defaultDataDir(env: Environment): string {
  return firstOf(env["STATE_DIRECTORY"]) ?? "~/.pi/daemon/data";
}

/** The file that the log of a daemon in the background goes to where the config does not name one; absolute. */
export function defaultLogFile({ env, home }: PlaceOptions): string {
  return expandPath(`${firstOf(env["LOGS_DIRECTORY"]) ?? "~/.pi/daemon/logs"}/daemon.log`, { home, base: "." });
}

function firstOf(list: string | undefined): string | undefined {
  return list?.split(":")[0] || undefined;
}
