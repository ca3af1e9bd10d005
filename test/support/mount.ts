/**
 * Small file systems of their own for tests that fill a disk or cut its power. Needs root, and loop devices for ext4.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { TestContext } from "node:test";

/** `_IOR('X', 125, __u32)`, and the flag that drops what the journal has not written yet. */
const EXT4_IOC_SHUTDOWN = 0x8004587d;
const NO_LOG_FLUSH = 2;

/** Why this machine cannot mount file systems; false when it can. */
export function mountMissing(kind: "tmpfs" | "ext4"): string | false {
  if (process.platform !== "linux") return "needs Linux";
  if (process.geteuid?.() !== 0) return "needs root, to mount a file system";
  if (spawnSync("unshare", ["--mount", "true"]).status !== 0) return "needs the right to mount file systems";
  if (kind === "tmpfs") return false;
  for (const program of ["mkfs.ext4", "perl"]) if (!isThere(program)) return `needs ${program}`;
  return spawnSync("losetup", ["--find"]).status === 0 ? false : "needs a free loop device";
}

export interface CuttableDisk {
  /** Where it is mounted. */
  readonly path: string;
  /** The file system ends in this moment, with what is on the medium. Everything open on it fails from now on. */
  cutPower(): void;
  /** The file system finds itself damaged and takes no more writes until {@link restart}. */
  becomeReadOnly(): void;
  /** Mounts it again, as after a restart of the machine. */
  restart(): void;
}

/** An ext4 of its own on a loop device. */
export function ext4(t: TestContext): CuttableDisk {
  const path = mountPoint(t);
  const image = `${path}/../image`;
  writeFileSync(image, "");
  truncateSync(image, 64 << 20);
  run("mkfs.ext4", ["-q", "-F", image]);
  const mount = (): void => run("mount", ["-o", "loop,errors=remount-ro", image, path]);
  mount();
  return {
    path,
    cutPower() {
      const call = `open(F, "<", $ARGV[0]) && ioctl(F, ${EXT4_IOC_SHUTDOWN}, $flag) or die $!`;
      run("perl", ["-e", `my $flag = pack("L", ${NO_LOG_FLUSH}); ${call}`, path]);
    },
    becomeReadOnly() {
      const { stdout } = spawnSync("findmnt", ["--noheadings", "--output", "SOURCE", path], { encoding: "utf8" });
      writeFileSync(`/sys/fs/ext4/${basename(stdout.trim())}/trigger_fs_error`, "as a test");
    },
    restart() {
      run("umount", [path]);
      mount();
    },
  };
}

/** A tmpfs of this size; answers where it is mounted. */
export function tmpfs(t: TestContext, sizeBytes: number): string {
  const path = mountPoint(t);
  run("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", path]);
  return path;
}

/**
 * An empty directory, and room beside it; when the test ends, whatever is mounted there is unmounted and all is
 * removed.
 */
function mountPoint(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-test-"));
  const path = join(directory, "mount");
  mkdirSync(path);
  t.after(() => {
    // Lazily, because a test that failed may have left files open.
    spawnSync("umount", ["--lazy", path]);
    rmSync(directory, { recursive: true, force: true });
  });
  return path;
}

function isThere(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
