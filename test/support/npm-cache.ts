/** Packages from npm that a test needs, in a cache outside of the repository: installed on first use. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The folder that holds their `node_modules`, named `name`; a sentence where they cannot be had. */
export function installPackages(name: string, packages: readonly string[]): { readonly folder: string } | string {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "pi-daemon-tests");
  const folder = join(cache, name);
  if (existsSync(folder)) return { folder };
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, "installing-"));
  writeFileSync(join(fresh, "package.json"), '{"private": true}');
  const args = ["install", "--prefix", fresh, "--ignore-scripts", "--no-audit", "--no-fund", ...packages];
  const { status, stderr, error } = spawnSync("npm", args, { encoding: "utf8", timeout: 600_000 });
  try {
    const reason = (error?.message ?? stderr).trim().split("\n").at(-1);
    if (status !== 0) return `${packages.join(", ")} cannot be installed from npm: ${reason}`;
    renameSync(fresh, folder);
  } catch {
    // Another run was faster.
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return existsSync(folder) ? { folder } : `${packages.join(", ")} are not where they were installed: ${folder}`;
}
