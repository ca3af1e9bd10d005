/**
 * A real systemd that boots in namespaces of its own over a copy of this machine's files, with the package installed
 * there.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BOOT = fileURLToPath(new URL("../../../shared/tools/nsystemd.sh", import.meta.url));
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export const CURL = "curl -sS --fail-with-body";

export interface BootedSystemd {
  /** Runs a line of shell inside, as root; its output, whatever its exit status. */
  run(line: string): { readonly status: number | null; readonly output: string };
  /** Its output; fails where it does, with the end of the journal. */
  must(line: string): string;
  /** A property of our unit. */
  show(property: string): string;
  shutDown(): void;
}

/** Why it cannot be had here, or false. */
export function findObstacle(): string | false {
  if (process.getuid?.() !== 0) return "only root can boot a systemd in namespaces";
  if (!existsSync(BOOT)) return "the tool that boots a systemd in namespaces is not beside the repository";
  if (!existsSync(join(ROOT, "node_modules/typescript"))) return "the package needs the compiler: npm ci";
  return existsSync("/lib/systemd/systemd") ? false : "systemd is not installed";
}

/** Boots it, with this Node at /usr/local/sbin, the package installed globally, and the checkout at /mnt/checkout. */
export function bootSystemd(): BootedSystemd {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-systemd-"));
  const machine = join(directory, "machine");

  function run(line: string): { status: number | null; output: string } {
    const inside = ["env", "-i", `PATH=${PATH}`, "HOME=/root", "sh", "-c", line];
    const { status, stdout, stderr } = spawnSync("bash", [BOOT, "run", machine, ...inside], {
      encoding: "utf8",
      timeout: 60_000,
    });
    return { status, output: stdout + stderr };
  }
  function must(line: string): string {
    const { status, output } = run(line);
    assert.equal(
      status,
      0,
      `${line}\n${output}\n${run("journalctl -u pi-daemon.service --no-pager | tail -20").output}`,
    );
    return output.trim();
  }

  execFileSync("npm", ["pack", "--silent", "--pack-destination", directory], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  execFileSync("bash", [BOOT, "up", machine, `bind:${directory}:/mnt/package`, `bind:${ROOT}:/mnt/checkout`], {
    stdio: "inherit",
  });
  must(`install -m 755 ${process.execPath} /usr/local/sbin/node`);
  must("npm install -g --silent --offline --prefix /usr/local /mnt/package/pi-daemon-*.tgz");
  return {
    run,
    must,
    show: (property) => must(`systemctl show -P ${property} pi-daemon.service`),
    shutDown() {
      spawnSync("bash", [BOOT, "down", machine], { stdio: "inherit" });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A line of shell that asks again every tenth of a second, for `seconds` at most. */
export function untilTrue(condition: string, seconds = 10): string {
  return `for i in $(seq ${seconds * 10}); do ${condition} && exit 0; sleep 0.1; done; exit 1`;
}
