/**
 * The package over its own past: the first that could be packed is installed, counts, and is killed; this one is
 * installed over it, goes on counting, and is uninstalled without a trace but the data.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");
/** What npm may not find in a checkout that it packs: of a clean clone it would see none of it. */
const NOT_CLONED = ["node_modules", "dist", ".git"];

/** The first commit that says how the package is tested; `undefined` where the history does not reach so far back. */
function firstPackable(): string | undefined {
  const git = (...args: readonly string[]): string =>
    spawnSync("git", args, { cwd: ROOT, encoding: "utf8" }).stdout.trim();
  if (git("rev-parse", "--is-shallow-repository") !== "false") return undefined;
  return git("log", "--diff-filter=A", "--format=%H", "--", "test/e2e/package.e2e.ts").split("\n").at(-1) || undefined;
}

test("npm install -g over an older version: the daemon goes on with all counters", (t) => {
  if (!existsSync(join(ROOT, "node_modules", "typescript"))) return t.skip("needs the compiler: npm ci");
  const old = firstPackable();
  if (old === undefined) return t.skip("the history of this clone is too short to hold an older version");
  // Registered before the folder is made, and so run before the folder goes.
  t.after(() => void (existsSync(program) && run(program, "stop", "--config", config)));
  const work = tempDir(t);
  const prefix = join(work, "prefix");
  const program = join(prefix, "bin", "pi-daemon");
  const config = join(work, "config.json");
  const dataDir = join(work, "data");
  const env = {
    ...process.env,
    HOME: join(work, "home"),
    PATH: `${join(process.execPath, "..")}:${process.env["PATH"]}`,
  };
  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: work, env, encoding: "utf8" });
    return { code: status, out: stdout, err: stderr };
  };
  const must = (command: string, ...args: string[]): string => {
    const { code, out, err } = run(command, ...args);
    assert.equal(code, 0, `${command} ${args.join(" ")}: ${out}${err}`);
    return out;
  };
  const install = (checkout: string): void => {
    symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
    const tarball = execFileSync("npm", ["pack", "--silent"], { cwd: checkout, env, encoding: "utf8" })
      .trim()
      .split("\n")
      .at(-1)!;
    must("npm", "install", "--global", "--prefix", prefix, "--offline", join(checkout, tarball));
  };

  mkdirSync(env.HOME);
  mkdirSync(join(work, "old"));
  execFileSync("tar", ["-x", "-C", join(work, "old")], {
    input: execFileSync("git", ["archive", old], { cwd: ROOT, maxBuffer: 2 ** 28 }),
  });
  install(join(work, "old"));
  writeFileSync(config, JSON.stringify({ server: { port: 0 }, dataDir }), { mode: 0o600 });
  must(program, "start", "--config", config);
  for (let sent = 0; sent < 3; sent++) must(program, "send", "upgraded_total", "-l", "kept=yes", "--config", config);
  must(program, "send", "upgraded_seconds", "--type", "histogram", "--observe", "2", "--config", config);
  const { pid } = JSON.parse(readFileSync(join(dataDir, "daemon.pid"), "utf8")) as { pid: number };
  process.kill(pid, "SIGKILL");

  const now = join(work, "now");
  for (const entry of readdirSync(ROOT))
    if (!NOT_CLONED.includes(entry)) cpSync(join(ROOT, entry), join(now, entry), { recursive: true });
  install(now);
  must(program, "start", "--config", config);
  must(program, "send", "upgraded_total", "-l", "kept=yes", "--config", config);
  const shown = must(program, "metrics", "upgraded", "--config", config);
  assert.match(shown, /upgraded_total +counter +kept=yes +4$/m);
  assert.match(shown, /upgraded_seconds +histogram/);
  must(program, "jobs", "list", "--config", config);
  assert.deepEqual(
    readdirSync(dataDir, { recursive: true }).filter((name) => String(name).includes(".corrupt-")),
    [],
  );

  must(program, "stop", "--config", config);
  must("npm", "uninstall", "--global", "--prefix", prefix, "pi-daemon");
  assert.deepEqual(
    readdirSync(join(prefix, "lib", "node_modules")).filter((name) => name.includes("pi-daemon")),
    [],
  );
  assert.deepEqual(readdirSync(join(prefix, "bin")), []);
  assert.ok(existsSync(join(dataDir, "metrics")), "what it knew stays");
  return undefined;
});
