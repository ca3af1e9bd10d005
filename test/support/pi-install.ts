/** The real pi, of the version that the extension is written for, in a cache outside of the repository. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { installPackages } from "./npm-cache.ts";

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
  const installed = installPackages(`pi-${PI_VERSION}`, [`${PACKAGE}@${PI_VERSION}`]);
  if (typeof installed === "string") return installed;
  const { folder } = installed;
  const packageFolder = join(folder, "node_modules", PACKAGE);
  const cli = join(packageFolder, "dist/bundle/cli.js");
  return existsSync(cli) ? { cli, folder, packageFolder } : `pi ${PI_VERSION} is not where it was installed: ${cli}`;
}
