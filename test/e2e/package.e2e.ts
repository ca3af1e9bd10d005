/** The package as it would be published: built, packed, installed globally into a folder of its own, and run there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PRETEND_OLD_NODE } from "../support/pretend-old-node.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");
/** What npm may not find in the checkout that it packs: of a clean clone it would see none of it. */
const NOT_CLONED = ["node_modules", "dist", ".git"];

test("npm pack, npm install -g, start, status, stop", (t) => {
  if (!existsSync(join(ROOT, "node_modules", "typescript"))) return t.skip("needs the compiler: npm ci");
  // Registered before the folder is made, and so run before the folder goes.
  t.after(() => void (existsSync(program) && run(program, "stop", "--config", config)));
  const work = tempDir(t);
  const checkout = join(work, "checkout");
  const prefix = join(work, "prefix");
  const home = join(work, "home");
  const program = join(prefix, "bin", "pi-daemon");
  const config = join(work, "config.json");
  const env = { ...process.env, HOME: home, PATH: `${join(process.execPath, "..")}:${process.env["PATH"]}` };
  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: checkout, env, encoding: "utf8" });
    return { code: status, out: stdout, err: stderr };
  };
  const must = (command: string, ...args: string[]): string => {
    const { code, out, err } = run(command, ...args);
    assert.equal(code, 0, `${command} ${args.join(" ")}: ${out}${err}`);
    return out;
  };

  for (const entry of readdirSync(ROOT)) {
    if (!NOT_CLONED.includes(entry)) cpSync(join(ROOT, entry), join(checkout, entry), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
  mkdirSync(home);
  const tarball = must("npm", "pack", "--silent").trim().split("\n").at(-1)!;
  must("npm", "install", "--global", "--prefix", prefix, "--offline", join(checkout, tarball));

  const installed = join(prefix, "lib", "node_modules", "pi-daemon");
  assert.ok(existsSync(join(installed, "src", "cli.ts")), "the sources are in the package");
  for (const entry of ["test", "node_modules"]) assert.ok(!existsSync(join(installed, entry)), entry);
  writeFileSync(config, JSON.stringify({ server: { port: 0 }, dataDir: join(work, "data") }), { mode: 0o600 });

  assert.match(must(program, "version"), /^pi-daemon \d/);
  assert.match(must(program, "start", "--config", config), /is running\n {2}URL {2}http:/);
  must(program, "send", "installed_total", "--config", config);
  assert.match(must(program, "metrics", "--config", config), /installed_total +counter +1/);
  assert.match(must(program, "status", "--config", config), /^pi-daemon is running\n/);
  assert.match(must(program, "stop", "--config", config), /stopped in/);
  assert.equal(run(program, "status", "--config", config).code, 3);

  const old = run(process.execPath, ...PRETEND_OLD_NODE, program, "status");
  const sentence = "pi-daemon: needs Node 22.19 or newer, and this is v20.11.1; install a newer one\n";
  assert.deepEqual(old, { code: 1, out: "", err: sentence }, "an old Node is told so before anything is loaded");
  return undefined;
});
