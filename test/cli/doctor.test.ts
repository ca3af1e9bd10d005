import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import type { Finding } from "../../src/cli/doctor-checks.ts";
import { type CommandLine, commandLine } from "../support/command-line.ts";

async function findings(cli: CommandLine): Promise<{ code: number; of: (subject: string) => Finding[] }> {
  const { code, out } = await cli.call(["doctor", "--json"]);
  const all = JSON.parse(out) as Finding[];
  return { code, of: (subject) => all.filter((finding) => finding.subject === subject) };
}

function withData(t: TestContext): CommandLine {
  const cli = commandLine(t);
  mkdirSync(cli.dataDir, { mode: 0o700 });
  writeFileSync(join(cli.dataDir, "token"), "x\n", { mode: 0o600 });
  return cli;
}

describe("doctor", () => {
  test("before the first start all is well", async (t) => {
    const { code, out } = await commandLine(t).call(["doctor"]);
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /^(warn|fail)/m);
    assert.match(out, /^all is well$/m);
  });

  test("a bad config: each problem, and the rest is looked at all the same", async (t) => {
    const cli = withData(t);
    cli.writeConfig({ a: 1, b: 2 });
    const { code, of } = await findings(cli);
    assert.equal(code, 1);
    const expected = ["fail", `correct it in ${cli.configPath}`];
    assert.deepEqual(
      of("config").map(({ result, advice }) => [result, advice]),
      [expected, expected],
    );
    assert.deepEqual(
      of("data").map(({ message }) => message),
      [cli.dataDir],
    );
  });

  test("a warning of the config is no failure", async (t) => {
    const cli = withData(t);
    cli.writeConfig({ server: { port: 0 }, auth: { token: "short" } });
    const { code, of } = await findings(cli);
    assert.equal(code, 0);
    assert.deepEqual(
      of("config").map(({ result }) => result),
      ["ok", "warn"],
    );
    assert.match(of("token")[0]!.message, /set by the config/);
  });

  test("a data directory and a token that others can read", async (t) => {
    const cli = withData(t);
    chmodSync(cli.dataDir, 0o755);
    chmodSync(join(cli.dataDir, "token"), 0o644);
    const { code, of } = await findings(cli);
    assert.equal(code, 1);
    assert.deepEqual([of("data")[0]!.result, of("data")[0]!.advice], ["warn", `chmod 700 ${cli.dataDir}`]);
    assert.deepEqual([of("token")[0]!.result, /--rotate/.test(of("token")[0]!.advice!)], ["fail", true]);
  });

  test("a file in the place of the data directory", async (t) => {
    const cli = commandLine(t);
    writeFileSync(cli.dataDir, "");
    assert.match((await findings(cli)).of("data")[0]!.message, /is no directory$/);
  });

  test("data and a log that cannot be made where the config wants them", async (t) => {
    const cli = commandLine(t);
    const file = join(cli.home, "file");
    writeFileSync(file, "");
    cli.writeConfig({
      server: { port: 0 },
      dataDir: join(file, "data"),
      logging: { file: join(file, "logs", "daemon.log") },
    });
    const { code, of } = await findings(cli);
    assert.equal(code, 1);
    assert.equal(of("data")[0]!.message, `the directory ${file}/data cannot be made: ${file} is no directory`);
    assert.equal(of("log")[0]!.message, `the log ${file}/logs/daemon.log cannot be made: ${file} is no directory`);
  });

  test("damaged files that were set aside", async (t) => {
    const cli = withData(t);
    mkdirSync(join(cli.dataDir, "metrics"));
    writeFileSync(join(cli.dataDir, "metrics", "snapshot-1.corrupt-20240101"), "");
    const [finding] = (await findings(cli)).of("state");
    assert.equal(finding!.result, "warn");
    assert.match(finding!.message, /^1 damaged file set aside in .+: metrics\/snapshot-1\.corrupt-20240101$/);
  });

  for (const [name, packages, expected] of [
    ["a bare name, which pi ignores", ["pi-daemon"], "warn"],
    ["a bare name in an object", [{ source: "pi-daemon" }], "warn"],
    ["the name as npm's", ["npm:pi-daemon"], "ok"],
    ["a path", ["/opt/pi-daemon"], "ok"],
    ["other packages", ["npm:other", 3, null], undefined],
    ["no list", "pi-daemon", undefined],
  ] as const) {
    test(`the settings of pi with ${name}`, async (t) => {
      const cli = commandLine(t);
      mkdirSync(join(cli.home, ".pi", "agent"));
      writeFileSync(join(cli.home, ".pi", "agent", "settings.json"), JSON.stringify({ packages }));
      const [finding] = (await findings(cli)).of("pi");
      assert.equal(finding?.result, expected);
      if (expected === "warn") assert.match(finding!.advice!, /"npm:pi-daemon"/);
    });
  }

  test("a service whose program has moved", async (t) => {
    const cli = withData(t);
    const unit = join(cli.home, ".config/systemd/user/pi-daemon.service");
    mkdirSync(dirname(unit), { recursive: true });
    const write = (program: string): void =>
      writeFileSync(unit, `# pi-daemon as a service of your own\nExecStart=${program} /dev/null start --foreground\n`);
    const ofUnit = async () => (await findings(cli)).of("service").filter(({ message }) => message.startsWith(unit));
    write(process.execPath);
    assert.deepEqual(
      (await ofUnit()).map(({ result }) => result),
      ["ok"],
    );
    write("/gone/node");
    const [finding] = await ofUnit();
    assert.deepEqual([finding!.result, finding!.message], ["fail", `${unit} runs /gone/node, which is not there`]);
    assert.match(finding!.advice!, /service install --user$/);
    writeFileSync(unit, "[Service]\nExecStart=/gone/node start --foreground\n");
    assert.deepEqual(await ofUnit(), [], "those of others are none of our business");
  });
});
