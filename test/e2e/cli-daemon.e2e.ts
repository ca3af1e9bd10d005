/** The command line from the first `start` to the last `stop`, with real daemons. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { createClient } from "../../src/client.ts";
import { readHolder } from "../../src/system/lock.ts";
import { processStartTime } from "../../src/system/process-identity.ts";
import { VERSION } from "../../src/system/version.ts";
import { commandLine, PROGRAM } from "../support/command-line.ts";

test("a day with the daemon", async (t) => {
  const cli = commandLine(t);
  const json = async (...words: string[]): Promise<{ code: number; data: Record<string, unknown> }> => {
    const { code, out } = await cli.call([...words, "--json"]);
    return { code, data: JSON.parse(out) as Record<string, unknown> };
  };

  await t.test("before it runs", async () => {
    assert.deepEqual(await cli.call(["status"]), {
      code: 3,
      out: "",
      err: 'pi-daemon: no daemon is running\n  start it with "pi-daemon start", or name another one with --url\n',
    });
    const data = { status: "not running", reason: "no daemon is running" };
    assert.deepEqual(await json("status"), { code: 3, data });
    assert.deepEqual(await cli.call(["stop"]), { code: 0, out: "pi-daemon is not running\n", err: "" });
    assert.equal((await cli.call(["send", "x"])).code, 3);
    assert.equal((await cli.call(["logs"])).code, 1);
    assert.match((await cli.call(["token"])).err, /there is no token yet/);
    assert.match((await cli.call(["token", "--rotate"])).out, /^[0-9a-f]{64}\n$/);
  });

  await t.test("start: URL, pid and log are told, and it answers", async () => {
    const { code, out, err } = await cli.run("start");
    assert.deepEqual([code, err], [0, ""]);
    const { pid, url } = readHolder(cli.dataDir)!;
    const facts = `  URL  ${url}\n  pid  ${pid}\n  log  ${join(cli.home, ".pi/daemon/logs/daemon.log")}\n`;
    assert.equal(out, `pi-daemon ${VERSION} is running\n${facts}`);
    assert.equal((await createClient({ url: url! }).health()).status, "ok");
  });

  await t.test("start again: it says so", async () => {
    const { pid, url } = readHolder(cli.dataDir)!;
    const out = `pi-daemon is already running: pid ${pid}, URL ${url}\n`;
    assert.deepEqual(await cli.call(["start"]), { code: 0, out, err: "" });
  });

  await t.test("status", async () => {
    const { pid, url } = readHolder(cli.dataDir)!;
    const { code, out } = await cli.call(["status"]);
    assert.equal(code, 0);
    const facts = [/^pi-daemon is running$/m, /version +\d+\.\d+\.\d+$/m, /plugins .*metrics/, /uptime +\d/];
    for (const fact of facts) assert.match(out, fact);
    const { data } = await json("status");
    assert.deepEqual([data["status"], data["pid"], data["url"]], ["ok", pid, url]);
    const { url: socketless } = readHolder(cli.dataDir)!;
    assert.equal((await cli.call(["status", "--url", socketless!])).code, 0);
  });

  await t.test("send, and see it in the table", async () => {
    for (const words of [
      "my_total --increment 3 -l host=nas",
      "my_total -l host=nas",
      "level --set 5",
      "level --delta -1.5",
      "took_seconds --observe 0.2",
    ]) {
      assert.deepEqual(await cli.call(["send", ...words.split(" ")]), { code: 0, out: "", err: "" });
    }
    const { out } = await cli.call(["metrics"]);
    assert.match(out, /^NAME +TYPE +LABELS +VALUE$/m);
    assert.match(out, /^my_total +counter +host=nas +4$/m);
    assert.match(out, /^level +gauge +3\.5$/m);
    assert.match(out, /^took_seconds +histogram +count=1 sum=0\.2 p50=/m);
    assert.doesNotMatch(out, /^pi_daemon_/m);
    assert.match((await cli.call(["metrics", "--all"])).out, /^pi_daemon_uptime_seconds +gauge/m);
    assert.match((await cli.call(["metrics", "pi_daemon"])).out, /^pi_daemon_uptime_seconds +gauge/m);
    const rows = JSON.parse((await cli.call(["metrics", "my_", "--json"])).out) as unknown;
    assert.deepEqual(rows, [{ name: "my_total", type: "counter", labels: { host: "nas" }, value: 4 }]);
    assert.match((await cli.call(["metrics", "nothing_"])).out, /^no metric has a name that begins with "nothing_"/);
  });

  await t.test("what the daemon refuses is said, with the place", async () => {
    const { code, err } = await cli.call(["send", "9x", "--set", "1"]);
    assert.equal(code, 1);
    assert.match(err, /^pi-daemon: name: [^\n]+\n$/);
  });

  await t.test("reload: what changed, what waits, and what is wrong", async () => {
    cli.writeConfig({ server: { port: 0 }, logging: { level: "debug", format: "text" } });
    assert.deepEqual(await cli.call(["reload"]), {
      code: 0,
      out:
        "reloaded; 1 setting changed: logging.level\n" +
        "only a restart brings into force: logging.format (pi-daemon restart)\n",
      err: "",
    });
    cli.writeConfig({ server: { prot: 0 }, logging: { level: "loud" } });
    const { code, err } = await cli.call(["reload"]);
    assert.equal(code, 78);
    assert.match(err, /the old config stays in force:\n {2}server\.prot: .+\n {2}logging\.level: .+\n$/);
    assert.equal((await cli.call(["status"])).code, 0, "it can be reached though its config is bad now");
    cli.writeConfig({ server: { port: 0 } });
    assert.equal((await cli.call(["reload"])).code, 0);
  });

  await t.test("logs, for a person and as they stand", async () => {
    const { code, out } = await cli.call(["logs", "-n", "1000"]);
    assert.equal(code, 0);
    assert.match(out, /^\d{4}-\S+Z INFO +listening url=http/m);
    const raw = (await cli.call(["logs", "-n", "1", "--json"])).out;
    assert.equal(typeof (JSON.parse(raw) as { message: unknown }).message, "string");
    assert.equal((await cli.call(["logs", "-n", "many"])).code, 2);
  });

  await t.test("logs -f shows a line that comes", async () => {
    const stop = new AbortController();
    const shown: string[] = [];
    let pauses = 0;
    const pause = async (): Promise<void> => {
      if (pauses++ === 0) appendFileSync(join(cli.home, ".pi/daemon/logs/daemon.log"), "fresh\n");
      else stop.abort();
    };
    const noColours = { outHasColours: false, errHasColours: false };
    const terminal = { ...noColours, out: (text: string) => void shown.push(text), err: () => {}, columns: undefined };
    await cli.call(["logs", "-f", "-n", "0"], { pause, signal: stop.signal, terminal });
    assert.deepEqual(shown, ["fresh"]);
  });

  await t.test("the token, and a new one", async () => {
    cli.writeConfig({ server: { port: 0 }, auth: { enabled: true } });
    assert.equal((await cli.call(["reload"])).code, 0);
    const first = (await cli.call(["token"])).out.trim();
    assert.equal(first, readFileSync(join(cli.dataDir, "token"), "utf8").trim());
    assert.match(first, /^[0-9a-f]{64}$/);
    const { code, out, err } = await cli.call(["token", "--rotate"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.notEqual(out.trim(), first);
    assert.equal(statSync(join(cli.dataDir, "token")).mode & 0o777, 0o600);
    const { url } = readHolder(cli.dataDir)!;
    const sendWith = (token: string) => cli.call(["send", "my_total", "--url", url!, "--token", token]);
    assert.deepEqual([(await sendWith(first)).code, (await sendWith(out.trim())).code], [1, 0]);
    cli.writeConfig({ server: { port: 0 }, auth: { token: "a-token-of-the-config" } });
    assert.equal((await cli.call(["token"])).out, "a-token-of-the-config\n");
    assert.match((await cli.call(["token", "--rotate"])).err, /the token is set by the config/);
    cli.writeConfig({ server: { port: 0 } });
  });

  await t.test("doctor finds all well", async () => {
    const { code, out } = await cli.call(["doctor"]);
    assert.equal(code, 0, out);
    assert.match(out, /^ok {4}daemon +running, pid \d+/m);
  });

  await t.test("restart: another process, the same metrics", async () => {
    const before = readHolder(cli.dataDir)!;
    const { code, out } = await cli.run("restart");
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^pi-daemon \\(pid ${before.pid}\\) stopped in .+\npi-daemon \\S+ is running\n`));
    assert.notEqual(readHolder(cli.dataDir)!.pid, before.pid);
    assert.match((await cli.call(["metrics", "my_"])).out, /^my_total +counter +1$/m);
  });

  await t.test("stop", async () => {
    const { pid } = readHolder(cli.dataDir)!;
    const { code, out } = await cli.call(["stop"]);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^pi-daemon \\(pid ${pid}\\) stopped in `));
    assert.equal(processStartTime(pid), undefined);
    assert.ok(!existsSync(join(cli.dataDir, "daemon.pid")));
  });
});

describe("a daemon that cannot start says why", () => {
  test("a bad config, each problem, exit code 78", async (t) => {
    const cli = commandLine(t);
    cli.writeConfig({ server: { port: "x" }, auht: {} });
    for (const words of [["start"], ["restart"], ["config", "check"], ["config", "show"], ["token"]]) {
      const { code, err } = await cli.call(words);
      assert.equal(code, 78, words.join(" "));
      assert.match(err, /config\.json has 2 problems:\n {2}.*server\.port.*\n/s);
      assert.match(err, /auht: .*did you mean "auth"/);
    }
    assert.equal((await cli.run("start", "--foreground")).code, 78);
  });

  test("a log that cannot be made: where, and doctor is named", async (t) => {
    const cli = commandLine(t);
    writeFileSync(join(cli.home, ".pi/daemon/logs"), "a file where a folder is to be");
    const { code, err } = await cli.run("start");
    assert.equal(code, 1);
    assert.match(err, /^pi-daemon: Cannot write to .*daemon\.log: .*\n {2}"pi-daemon doctor" looks for causes\n$/);
  });

  test("a port that is taken: the last lines of the log, and doctor names it", async (t) => {
    const cli = commandLine(t);
    const other = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    t.after(() => other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    cli.writeConfig({ server: { port } });
    const { code, out, err } = await cli.run("start");
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^pi-daemon: the daemon could not start \(exit code 1\); its log ends with:\n/);
    assert.match(err, new RegExp(`ERROR pi-daemon cannot start .*${port}`));
    assert.match(err, /the whole log: \S+daemon\.log/);
    const doctor = await cli.call(["doctor"]);
    assert.equal(doctor.code, 1);
    const finding = `^fail +port +127\\.0\\.0\\.1:${port} is taken by another program\n +-> find it with: ss`;
    assert.match(doctor.out, new RegExp(finding, "m"));
  });
});

test("without its socket the daemon starts all the same, and that is told", async (t) => {
  const cli = commandLine(t);
  const dataDir = join(cli.home, "d".repeat(120));
  cli.writeConfig({ server: { port: 0 }, dataDir });
  const { code, err } = await cli.run("start");
  const { out } = await cli.call(["doctor"]);
  await cli.call(["stop"]);
  assert.equal(code, 0);
  assert.match(err, /^warning: the daemon's Unix socket is not available/);
  assert.match(out, /^warn +daemon +its Unix socket is not available[^]*a shorter dataDir/m);
});

test("two starts at once: one daemon, and both name it", async (t) => {
  const cli = commandLine(t);
  const runs = await Promise.all([cli.run("start", "--json"), cli.run("start", "--json")]);
  const told = runs.map(({ code, out, err }) => {
    const { status, pid } = JSON.parse(out) as { status: string; pid: number };
    return { code, err, status, pid };
  });
  const { pid } = readHolder(cli.dataDir)!;
  assert.deepEqual(
    told.map((each) => [each.code, each.err, each.pid]),
    [
      [0, "", pid],
      [0, "", pid],
    ],
  );
  assert.deepEqual(told.map(({ status }) => status).sort(), ["already running", "started"]);
});

test("in the foreground: logs to standard error, reloads, drains, and a second signal ends it at once", async (t) => {
  const cli = commandLine(t);
  const words = [...PROGRAM.slice(1), "start", "--foreground"];
  const child = spawn(PROGRAM[0]!, words, { env: cli.env, stdio: ["ignore", "inherit", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const messages: string[] = [];
  let look = (): void => {};
  createInterface(child.stderr).on("line", (line) => {
    messages.push((JSON.parse(line) as { message: string }).message);
    look();
  });
  const untilLogged = (message: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => void (messages.includes(message) && resolve());
      look();
    });

  await untilLogged("listening");
  child.kill("SIGHUP");
  await untilLogged("reloaded the config");
  // A request that is never completed keeps the drain waiting.
  const client = connect(Number(new URL(readHolder(cli.dataDir)!.url!).port), "127.0.0.1");
  t.after(() => client.destroy());
  client.on("error", () => {});
  const head = ["POST /api/metrics HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 9"];
  client.write(head.join("\r\n") + "\r\n\r\n{");
  await cli.call(["status"]);
  child.kill("SIGTERM");
  await untilLogged("stopping");
  child.kill("SIGTERM");
  assert.equal(await ended, 1);
  assert.equal(messages.at(-1), "stopping at once");
  assert.equal(readHolder(cli.dataDir), undefined);
});

test("an output that cannot be written is a failure", (t) => {
  if (!existsSync("/dev/full")) return t.skip("this system has no /dev/full");
  const words = ["-c", '"$@" version > /dev/full', "sh", ...PROGRAM];
  const { status, stderr } = spawnSync("/bin/sh", words, { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /^pi-daemon: Cannot write to standard output: ENOSPC/);
  return undefined;
});

test("a reader that goes away ends the command quietly", () => {
  const words = ["-c", '"$@" help | head -n 1', "sh", ...PROGRAM];
  const { status, stderr } = spawnSync("/bin/sh", words, { encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
});
