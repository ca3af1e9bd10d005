/** The real pi, of the version that the extension is written for, in a cache outside of the repository. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export const PI_VERSION = "0.87.1";
const PACKAGE = "@earendil-works/pi-coding-agent";

export interface PiInstall {
  /** The program, to be run by node. */
  readonly cli: string;
  /** The folder that holds `node_modules`. */
  readonly folder: string;
  /** Of the package itself. */
  readonly packageFolder: string;
}

/** Installs it on first use. Answers a sentence where that cannot be done. */
export function installPi(): PiInstall | string {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "pi-daemon-tests");
  const folder = join(cache, `pi-${PI_VERSION}`);
  const packageFolder = join(folder, "node_modules", PACKAGE);
  const cli = join(packageFolder, "dist/bundle/cli.js");
  if (existsSync(cli)) return { cli, folder, packageFolder };
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, "installing-"));
  writeFileSync(join(fresh, "package.json"), '{"private": true}');
  const args = [
    "install",
    "--prefix",
    fresh,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    `${PACKAGE}@${PI_VERSION}`,
  ];
  const { status, stderr, error } = spawnSync("npm", args, { encoding: "utf8", timeout: 600_000 });
  try {
    const reason = (error?.message ?? stderr).trim().split("\n").at(-1);
    if (status !== 0) return `pi ${PI_VERSION} cannot be installed from npm: ${reason}`;
    renameSync(fresh, folder);
  } catch {
    // Another run was faster.
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return existsSync(cli) ? { cli, folder, packageFolder } : `pi ${PI_VERSION} is not where it was installed: ${cli}`;
}
