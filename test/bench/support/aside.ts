/**
 * Packages to compare with, installed into a temporary directory: none of them is a dependency of this project.
 *
 * `PI_DAEMON_BENCH_PACKAGES` names a directory to keep them in from run to run.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Packages {
  /** What `require(name)` gives, undefined where the package does not install or load here (which is said aloud). */
  load(name: string): unknown;
  /** Where a package lies; undefined where it does not install. */
  directoryOf(name: string): string | undefined;
  /** Removes what was installed. */
  remove(): void;
}

export function packagesAside(): Packages {
  const kept = process.env["PI_DAEMON_BENCH_PACKAGES"];
  const directory = kept ?? mkdtempSync(join(tmpdir(), "pi-daemon-bench-"));
  const require = createRequire(join(directory, "package.json"));
  const attempt = <T>(name: string, use: (path: string) => T): T | undefined => {
    try {
      const path = join(directory, "node_modules", name);
      if (!existsSync(path)) install(directory, name);
      return use(path);
    } catch (error) {
      console.log(`(without ${name}: ${(error as Error).message.split("\n")[0]})`);
      return undefined;
    }
  };
  return {
    load: (name) => attempt(name, () => require(name) as unknown),
    directoryOf: (name) => attempt(name, (path) => path),
    remove() {
      if (kept === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

function install(directory: string, name: string): void {
  const args = ["install", "--prefix", directory, "--no-save", "--no-package-lock", "--no-audit", "--no-fund", name];
  const { status, stderr } = spawnSync("npm", args, { encoding: "utf8", timeout: 300_000 });
  if (status !== 0) throw new Error(`npm install ends with ${status}: ${stderr.trim().split("\n")[0]}`);
}
