/** Which daemon a command speaks to, and to whom the token is shown. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { processStartTime, readBootId } from "../../src/system/process-identity.ts";
import { type CommandLine, commandLine } from "../support/command-line.ts";

/** Answers everything as a daemon in good health, and notes the `Authorization` of each request. */
async function fakeDaemon(t: TestContext, listenAt: string | number = 0) {
  const shown: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    shown.push(request.headers.authorization);
    const health = { status: "ok", uptime: 1, version: "9.9.9" };
    response.end(JSON.stringify({ ...health, pid: 1, memory: {}, plugins: {}, series: 0, nodeVersion: "v22" }));
  });
  server.listen(typeof listenAt === "string" ? { path: listenAt } : { port: listenAt, host: "127.0.0.1" });
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const address = server.address() as AddressInfo | string;
  return { shown, url: typeof address === "string" ? "" : `http://127.0.0.1:${address.port}` };
}

/** Writes the lock file of a daemon that is this very process. */
function pretendToRun(cli: CommandLine, more: object): void {
  mkdirSync(cli.dataDir, { recursive: true, mode: 0o700 });
  const identity = { pid: process.pid, startTime: processStartTime(process.pid), bootId: readBootId() };
  writeFileSync(join(cli.dataDir, "daemon.pid"), JSON.stringify({ ...identity, ...more }) + "\n", { mode: 0o600 });
  writeFileSync(join(cli.dataDir, "token"), "token-of-the-file\n", { mode: 0o600 });
}

function clear(cli: CommandLine): void {
  writeFileSync(join(cli.dataDir, "daemon.pid"), "");
}

describe("the token", () => {
  test("is sent to the address that was given, from each place it may come from", async (t) => {
    const cli = commandLine(t);
    const { shown, url } = await fakeDaemon(t);
    const file = join(cli.home, "t");
    writeFileSync(file, "from-file\n");
    await cli.call(["status", "--url", url, "--token", "from-flag"]);
    await cli.call(["status", "--url", url, "--token-file", file]);
    await cli.call(["status", "--url", url], { env: { ...cli.env, PI_DAEMON_TOKEN: "from-env" } });
    await cli.call(["status"], { env: { ...cli.env, PI_DAEMON_URL: url, PI_DAEMON_TOKEN: "from-env" } });
    const each = ["Bearer from-flag", "Bearer from-file", "Bearer from-env", "Bearer from-env"];
    assert.deepEqual(
      shown,
      each.flatMap((header) => [header, header]),
    );
  });

  test("of the token file or the config never goes over TCP by itself", async (t) => {
    const cli = commandLine(t);
    const { shown, url } = await fakeDaemon(t);
    cli.writeConfig({ auth: { enabled: true, token: "token-of-the-config-file" } });
    pretendToRun(cli, { url });
    const { code } = await cli.call(["status"]);
    await cli.call(["status", "--url", url]);
    clear(cli);
    assert.equal(code, 0);
    assert.deepEqual(new Set(shown), new Set([undefined]));
  });

  test("without an address is refused, since nobody is named to whom it should go", async (t) => {
    const cli = commandLine(t);
    const { code, err } = await cli.call(["status", "--token", "x"]);
    assert.equal(code, 2);
    assert.match(err, /only sent to an address that is named too\n {2}add --url URL/);
  });

  test("in the environment alone does not keep a command from using the socket", async (t) => {
    const cli = commandLine(t);
    const socketPath = join(cli.home, "s");
    const { shown } = await fakeDaemon(t, socketPath);
    pretendToRun(cli, { url: "http://127.0.0.1:1", socketPath });
    const { code } = await cli.call(["status"], { env: { ...cli.env, PI_DAEMON_TOKEN: "x" } });
    clear(cli);
    assert.equal(code, 0);
    assert.deepEqual(new Set(shown), new Set([undefined]));
  });

  for (const [words, message] of [
    [["--token", "a", "--token-file", "b"], /both --token and --token-file/],
    [["--token-file", "/no/such/file"], /Cannot read the token from \/no\/such\/file/],
    [["--token-file", "/dev/null"], /is empty/],
  ] as const) {
    test(words.join(" "), async (t) => {
      const { code, err } = await commandLine(t).call(["status", "--url", "http://127.0.0.1:1", ...words]);
      assert.notEqual(code, 0);
      assert.match(err, message);
    });
  }

  test("that would cross the network unencrypted is warned of", async (t) => {
    const { err } = await commandLine(t).call(["status", "--url", "http://pi-daemon.invalid", "--token", "x"]);
    assert.match(err, /^warning: the token goes to pi-daemon\.invalid unencrypted/);
  });
});

describe("which daemon", () => {
  test("one that holds the lock and does not answer is running, but not well", async (t) => {
    const cli = commandLine(t);
    pretendToRun(cli, { url: "http://127.0.0.1:1" });
    const { code, err } = await cli.call(["status"]);
    clear(cli);
    assert.equal(code, 1);
    assert.ok(err.includes(`the daemon (pid ${process.pid}) runs, but does not answer (connection refused)`), err);
  });

  test("one that is starting", async (t) => {
    const cli = commandLine(t);
    pretendToRun(cli, {});
    const { code, err } = await cli.call(["send", "x"]);
    clear(cli);
    assert.equal(code, 1);
    assert.match(err, /is starting or stopping and takes no requests/);
  });

  test("one whose config is bad now is looked for where the bad config says", async (t) => {
    const cli = commandLine(t);
    const { url } = await fakeDaemon(t);
    pretendToRun({ ...cli, dataDir: join(cli.home, "elsewhere") }, { url });
    cli.writeConfig({ dataDir: "~/elsewhere", oh: 1 });
    const { code, out, err } = await cli.call(["status"]);
    assert.equal(code, 0);
    assert.match(out, /version +9\.9\.9 \(this program is /);
    assert.match(err, /^warning: the config \S+ is bad \(oh: .+\); looking for the daemon in \S+elsewhere\n$/);
  });

  test("a config that was named and is not there ends the command", async (t) => {
    const { code } = await commandLine(t).call(["stop", "--config", "/no/such/config.json"]);
    assert.equal(code, 78);
  });

  for (const words of [["start"], ["stop"], ["restart"], ["logs"], ["token"]]) {
    test(`--url does not fit ${words.join(" ")}`, async (t) => {
      const { code, err } = await commandLine(t).call([...words, "--url", "http://127.0.0.1:9876"]);
      assert.equal(code, 2);
      assert.match(err, /--url does not say which daemon to /);
    });
  }
});
