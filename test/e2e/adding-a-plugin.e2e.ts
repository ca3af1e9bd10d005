/**
 * The plugin of ARCHITECTURE.md, added to a copy of the sources as it says there: type-checked, started, killed,
 * switched off.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { freePort } from "../support/free-port.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The sources with the plugin, and its lines in the table; the page's own three blocks, in order. */
function copyWithPlugin(t: TestContext): string {
  const copy = tempDir(t);
  for (const entry of ["src", "tsconfig.json", "package.json"])
    cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
  mkdirSync(join(copy, "test"));
  cpSync(join(ROOT, "test/architecture.test.ts"), join(copy, "test/architecture.test.ts"));
  const page = readFileSync(join(ROOT, ".github/ARCHITECTURE.md"), "utf8");
  const [, section] = /^## Adding a plugin\n([^]*)$/m.exec(page)!;
  const [plugin, importLine, entry] = [...section!.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
  mkdirSync(join(copy, "src/plugins/visits"));
  writeFileSync(join(copy, "src/plugins/visits/index.ts"), plugin!);
  const table = readFileSync(join(copy, "src/plugins/index.ts"), "utf8");
  const changed = table.replace(/^\/\*\*.*\n/, (header) => header + importLine).replace(/^\];$/m, (end) => entry + end);
  assert.equal(changed.split("\n").length, table.split("\n").length + 2);
  writeFileSync(join(copy, "src/plugins/index.ts"), changed);
  return copy;
}

const FLAGS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

test("the plugin of ARCHITECTURE.md can be added as the page says", async (t) => {
  const copy = copyWithPlugin(t);
  const config = join(copy, "config.json");
  const port = await freePort();
  const writeConfig = (more: object): void =>
    writeFileSync(config, JSON.stringify({ server: { port }, dataDir: join(copy, "data"), ...more }), { mode: 0o600 });
  const url = `http://127.0.0.1:${port}/api/visits`;
  const visit = (body: unknown) =>
    fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

  async function start(): Promise<{ end(signal: NodeJS.Signals): Promise<void> }> {
    const command = [...FLAGS, join(copy, "src/cli.ts"), "start", "--foreground", "--config", config];
    const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    t.after(() => void child.kill("SIGKILL"));
    const ended = once(child, "exit");
    await Promise.race([
      once(child, "message"),
      ended.then(([code]) => assert.fail(`ended at its start with ${code}`)),
    ]);
    return {
      async end(signal) {
        child.kill(signal);
        await ended;
      },
    };
  }

  await t.test("its types and its imports are right", (t) => {
    if (!existsSync(join(ROOT, "node_modules/typescript"))) return t.skip("needs the compiler: npm ci");
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    const types = spawnSync("npx", ["tsc", "--noEmit", "-p", copy], { cwd: copy, encoding: "utf8" });
    assert.equal(types.status, 0, types.stdout + types.stderr);
    const env: Record<string, string | undefined> = { ...process.env, NODE_TEST_CONTEXT: undefined };
    const imports = spawnSync(process.execPath, [...FLAGS, "--test", "test/architecture.test.ts"], {
      cwd: copy,
      encoding: "utf8",
      env,
    });
    assert.equal(imports.status, 0, imports.stdout);
    return undefined;
  });

  await t.test("it counts, shows a metric, refuses what is none, and keeps its state over kill -9", async () => {
    writeConfig({ visits: { maxNames: 1 } });
    const first = await start();
    for (const name of ["ada", "ada"]) assert.equal((await visit({ name })).status, 204);
    assert.equal((await visit({ nme: "ada" })).status, 400);
    assert.equal((await visit({ name: "eve" })).status, 503);
    assert.match(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), /^pi_daemon_visits_total 2$/m);
    await first.end("SIGKILL");

    writeConfig({ visits: { maxNames: 2 } });
    const second = await start();
    assert.equal((await visit({ name: "eve" })).status, 204);
    assert.deepEqual(await (await fetch(url)).json(), { ada: 2, eve: 1 });
    await second.end("SIGTERM");
  });

  await t.test("its config is checked, and its switch takes it away", async () => {
    writeConfig({ visits: { maxNames: 0 } });
    const check = [...FLAGS, join(copy, "src/cli.ts"), "config", "check", "--config", config];
    const { status, stderr } = spawnSync(process.execPath, check, { encoding: "utf8" });
    assert.deepEqual([status, /visits\.maxNames/.test(stderr)], [78, true], stderr);
    writeConfig({ plugins: { visits: false } });
    const daemon = await start();
    assert.equal((await fetch(url)).status, 404);
    await daemon.end("SIGTERM");
  });
});
