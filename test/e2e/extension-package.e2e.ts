/** The extension as people get it: from an npm tarball and from a checkout, by pi's own settings. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type TestDaemon, startTestDaemon } from "../support/daemon.ts";
import { startFakeLlm } from "../support/fake-llm.ts";
import { EXTENSION, type PiHome, type PiRun, makePiHome, runPi } from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";
import { scrape } from "../support/scrape.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");
const install = installPi();
const skip = typeof install === "string" ? install : false;

async function stage(t: TestContext, settings: object): Promise<{ daemon: TestDaemon; home: PiHome }> {
  assert.ok(typeof install !== "string");
  const llm = await startFakeLlm();
  t.after(() => llm.close());
  return { daemon: await startTestDaemon(t), home: makePiHome(t, install, llm.url, settings) };
}

async function assertWorks(daemon: TestDaemon, run: PiRun): Promise<void> {
  assert.deepEqual([run.exitCode, run.out, run.err], [0, "fine\n", ""]);
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_sessions_started"), 1);
  assert.equal(shown.sum("pi_sessions_ended"), 1);
  assert.equal(shown.sum("pi_tokens_total", { type: "input" }), 100);
}

test(
  'packages: ["npm:pi-daemon"], installed from the tarball as pi installs from the registry',
  { skip },
  async (t) => {
    const { daemon, home } = await stage(t, { packages: ["npm:pi-daemon"] });
    const checkout = join(tempDir(t), "checkout");
    for (const part of ["src", "contrib", "examples", "package.json", "README.md", "LICENSE"]) {
      cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
    }
    const npm = (cwd: string, ...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8" });
      assert.equal(status, 0, stderr);
      return stdout;
    };
    const tarball = npm(checkout, "pack", "--silent", "--ignore-scripts").trim().split("\n").at(-1)!;
    const root = join(home.home, ".pi/agent/npm");
    mkdirSync(root);
    writeFileSync(join(root, "package.json"), '{"private": true}');
    npm(
      root,
      "install",
      join(checkout, tarball),
      "--prefix",
      root,
      "--legacy-peer-deps",
      "--offline",
      "--no-audit",
      "--no-fund",
    );
    await assertWorks(daemon, await runPi(home, ["-p", "hello"], { PI_DAEMON_URL: daemon.url }));
  },
);

test("packages: the path of a checkout", { skip }, async (t) => {
  const { daemon, home } = await stage(t, { packages: [ROOT] });
  await assertWorks(daemon, await runPi(home, ["-p", "hello"], { PI_DAEMON_URL: daemon.url }));
});

test("a name server that never answers does not keep pi from ending", { skip }, async (t) => {
  if (process.getuid?.() !== 0 || spawnSync("unshare", ["-m", "true"]).status !== 0) {
    return t.skip("needs root and unshare, to give pi another /etc/resolv.conf");
  }
  const { home } = await stage(t, {});
  const silent = createSocket("udp4");
  await new Promise<void>((resolve) => void silent.bind(53, "127.77.0.1", resolve));
  t.after(() => silent.close());
  const resolvConf = join(home.home, "resolv.conf");
  writeFileSync(resolvConf, "nameserver 127.77.0.1\noptions timeout:5 attempts:2\n");
  const wrapper = join(home.home, "wrapped.mjs");
  writeFileSync(
    wrapper,
    `
    import { spawnSync } from "node:child_process";
    const script = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"';
    const pi = [process.execPath, ${JSON.stringify(home.install.cli)}, ...process.argv.slice(2)];
    const args = ["-m", "sh", "-c", script, ${JSON.stringify(resolvConf)}, ...pi];
    process.exit(spawnSync("unshare", args, { stdio: "inherit" }).status);`,
  );
  const wrapped: PiHome = { ...home, install: { ...home.install, cli: wrapper } };
  const bare = await runPi(wrapped, ["-p", "hello"]);
  const run = await runPi(wrapped, ["-p", "-e", EXTENSION, "hello"], { PI_DAEMON_URL: "http://daemon.example:9876" });
  assert.deepEqual([run.exitCode, run.out, run.err], [0, "fine\n", ""]);
  assert.ok(run.tookMs < bare.tookMs + 1000 + 3000, `${run.tookMs} ms after ${bare.tookMs} ms`);
  return undefined;
});
