/** The `jobs` commands against a real daemon, and what they refuse before they ask one. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { readArguments } from "../../src/cli/arguments.ts";
import { CommandError } from "../../src/cli/command.ts";
import { jobCommands } from "../../src/cli/jobs.ts";
import { readNewDefinition } from "../../src/cli/jobs-change.ts";
import { commandLine } from "../support/command-line.ts";
import { startProgram } from "../support/program.ts";

test("a life of a job", async (t) => {
  const cli = commandLine(t);
  assert.equal((await cli.call(["jobs", "list"])).code, 3, "no daemon runs");
  await startProgram(t, cli.configPath, { env: cli.env });
  const json = async (...words: string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await cli.call([...words, "--json"])).out) as Record<string, unknown>;

  await t.test("none yet", async () => {
    assert.match((await cli.call(["jobs", "list"])).out, /^there are no jobs yet; make one: pi-daemon jobs add/);
  });

  await t.test("add: it is told when it runs; a second of that name is refused", async () => {
    const words = [
      "jobs",
      "add",
      "hello",
      "--schedule",
      "0 9 1 1 *",
      "--tz",
      "Europe/Berlin",
      "-e",
      "WORD=canary-word",
      "--tag",
      "demo",
      "--",
      "sh",
      "-c",
      "echo hi; echo $WORD; echo bad >&2",
    ];
    const { code, out, err } = await cli.call(words);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^hello is made; next run: in .* \(At 09:00.*, Europe\/Berlin\)\n$/);
    const again = await cli.call(words);
    assert.deepEqual(
      [again.code, again.err],
      [1, 'pi-daemon: there is a job "hello" already, of the API: PUT (jobs edit) replaces it\n'],
    );
  });

  await t.test("run --wait: its output without secrets, how it went, and an exit code that says so", async () => {
    const { code, out, err } = await cli.call(["jobs", "run", "hello", "--wait"]);
    assert.deepEqual([code, err], [0, "bad\n"]);
    assert.match(out, /^hi\n\[redacted\]\nrun 1 of hello: ok after \d+ ms\n$/);
    assert.equal((await cli.call(["jobs", "add", "fails", "--", "sh", "-c", "exit 3"])).code, 0);
    const failed = await cli.call(["jobs", "run", "fails", "--wait"]);
    assert.equal(failed.code, 1);
    assert.match(failed.out, /^run 2 of fails: failed after .*3/);
    assert.match(
      (await cli.call(["jobs", "run", "fails"])).out,
      /^run 3 of fails is running; see: pi-daemon jobs output fails 3 -f\n$/,
    );
  });

  await t.test("list, show, runs, next, output", async () => {
    const { out: list } = await cli.call(["jobs", "list"]);
    assert.match(list, /^NAME +WHEN +NEXT RUN +LAST RUN +TOOK$/m);
    assert.match(list, /^fails +- +when asked +(failed .* ago|running) /m);
    assert.match(list, /^hello +At 09:00, on day 1 of the month, in January +in \d+d .* +ok .* ago +\d+ ms$/m);
    assert.doesNotMatch((await cli.call(["jobs", "list", "--tag", "demo"])).out, /fails/);
    const { out: shown } = await cli.call(["jobs", "show", "hello"]);
    assert.match(shown, /^when +At 09:00, on day 1 of the month, in January \(0 9 1 1 \*, Europe\/Berlin\)$/m);
    assert.match(shown, /"WORD": "\[redacted\]"/);
    assert.match((await cli.call(["jobs", "runs", "fails", "--state", "failed"])).out, /^ +2 +failed .*manual .*/m);
    assert.match(
      (await cli.call(["jobs", "next", "hello", "--count", "1"])).out,
      /-01-01 09:00:00 \+01:00 +\d+-01-01 08:00:00/,
    );
    const { out: output } = await cli.call(["jobs", "output", "hello", "1", "-f"]);
    assert.match(output, /hi\n/);
    assert.doesNotMatch(list + shown + output, /canary/);
    assert.match((await cli.call(["jobs", "output", "hello", "--stream", "stderr"])).out, /^bad\n$/);
    assert.equal((await cli.call(["jobs", "output", "nobody"])).code, 1);
  });

  await t.test("pause, resume, cancel", async () => {
    assert.match((await cli.call(["jobs", "pause", "hello", "--note", "holidays"])).out, /^hello is paused/);
    assert.match((await cli.call(["jobs", "list"])).out, /^hello .* paused /m);
    assert.match((await cli.call(["jobs", "show", "hello"])).out, /^paused +since .* holidays$/m);
    assert.match((await cli.call(["jobs", "resume", "hello"])).out, /^hello is resumed; next run: in /);
    await cli.call(["jobs", "add", "sleeps", "--shell", "sleep 100"]);
    await cli.call(["jobs", "run", "sleeps"]);
    assert.equal((await cli.call(["jobs", "cancel", "sleeps"])).out, "1 run told to end\n");
    assert.equal((await cli.call(["jobs", "cancel", "hello"])).out, "nothing was running\n");
  });

  await t.test("edit: by a file, and in an editor; hidden values stay", async () => {
    const path = join(cli.home, "job.json");
    const { definition } = await json("jobs", "show", "hello");
    writeFileSync(path, JSON.stringify({ ...(definition as object), schedule: "@daily" }));
    assert.match(
      (await cli.call(["jobs", "edit", "hello", "--file", path])).out,
      /^hello is changed; .*At 00:00 every day/,
    );
    const editor = join(cli.home, "editor");
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/@daily/@hourly/" "$1"\n');
    chmodSync(editor, 0o755);
    assert.match(
      (await cli.call(["jobs", "edit", "hello"], { env: { ...cli.env, EDITOR: editor } })).out,
      /^hello is changed; .*Every hour/,
    );
    assert.match(
      (await cli.call(["jobs", "edit", "hello"], { env: { ...cli.env, EDITOR: editor } })).out,
      /^nothing was changed/,
    );
    assert.equal((await cli.call(["jobs", "edit", "hello"], { env: { ...cli.env, VISUAL: "false" } })).code, 1);
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/@hourly/@hurly/" "$1"\n');
    const refused = await cli.call(["jobs", "edit", "hello"], { env: { ...cli.env, EDITOR: editor } });
    const [, kept] = /^what you wrote is kept; correct it with: jobs edit NAME --file (.*)$/m.exec(refused.err) ?? [];
    assert.match(refused.err, /unknown word "@hurly"/);
    assert.match(readFileSync(kept!, "utf8"), /@hurly/);
    rmSync(dirname(kept!), { recursive: true });
    assert.match((await cli.call(["jobs", "run", "hello", "--wait"])).out, /\[redacted\]/, "the variable is as it was");
  });

  await t.test("remove", async () => {
    assert.equal((await cli.call(["jobs", "remove", "hello"])).out, "hello is removed\n");
    const { code, err } = await cli.call(["jobs", "remove", "hello"]);
    assert.deepEqual([code, err], [1, 'pi-daemon: there is no job "hello"\n']);
  });

  await t.test("output on a terminal: nothing in it is acted on; in a pipe it is as it was", async () => {
    const red = ["jobs", "add", "red", "--", "printf", "a\\033[31m\tred\\n"];
    assert.equal((await cli.call(red)).code, 0);
    const shown: string[] = [];
    const keep = (text: string): void => void shown.push(text);
    const terminal = { out: keep, err: keep, outHasColours: false, errHasColours: false, columns: 80 };
    for (const words of [["run", "red", "--wait"], ["output", "red"]]) {
      await cli.call(["jobs", ...words], { terminal });
      assert.match(shown[0]!, /a\\u001b\[31m\tred$/);
      shown.length = 0;
    }
    assert.ok((await cli.call(["jobs", "output", "red"])).out.endsWith("a\u001b[31m\tred\n"));
    assert.equal((await cli.call(["jobs", "remove", "red"])).code, 0);
  });

  await t.test("a job of the config is run from here, and changed there", async () => {
    cli.writeConfig({ server: { port: 0 }, jobs: { jobs: [{ name: "fixed", command: ["true"] }] } });
    assert.equal((await cli.call(["reload"])).code, 0);
    assert.equal((await cli.call(["jobs", "run", "fixed", "--wait"])).code, 0);
    assert.match(
      (await cli.call(["jobs", "remove", "fixed"])).err,
      /stands in the config: change it there, then reload/,
    );
    const folder = join(dirname(cli.configPath), "jobs.d");
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, "x.json"), '{"name":"x"}', { mode: 0o600 });
    const { code, out, err } = await cli.call(["reload"]);
    assert.deepEqual([code, out], [0, "reloaded; no setting of the config had changed\n"]);
    assert.match(err, /^warning: .*x\.json: expected exactly one of command, shell, http, agent, internal, got none/);
    const edited = await cli.call(["jobs", "edit", "fixed"], { env: { ...cli.env, EDITOR: "touch /nobody/edits" } });
    assert.deepEqual(
      [edited.code, edited.err],
      [1, 'pi-daemon: the job "fixed" stands in the config\n  change it there, then: reload\n'],
    );
  });
});

describe("refused before anything is asked", () => {
  const add = jobCommands.find(({ name }) => name === "jobs add")!;
  for (const [words, message] of [
    [[], '"jobs add" needs NAME'],
    [["a"], "there is nothing to run"],
    [["a", "--shell", "x", "--get", "http://x"], "--shell and --get are both given"],
    [["a", "--shell", "x", "--", "y"], "COMMAND and --shell are both given"],
    [["a", "--shell", "x", "--schedule", "0 25 * * *"], "hour: 25 is out of range 0-23\n  0 25 * * *\n    ^^"],
    [["a", "--shell", "x", "--timeout", "soon"], 'Cannot parse duration "soon"'],
    [["a", "--shell", "x", "--retries", "many"], '--retries must be a whole number from 0 to 100, not "many"'],
    [["a", "--agent", "x", "--max-cost", "free"], "--max-cost must be a number of dollars"],
    [["a", "--shell", "x", "--model", "m"], "--model goes with --agent"],
    [["a", "--get", "http://x", "--cwd", "/"], "--cwd means nothing to a request"],
    [["a", "--shell", "x", "-e", "WORD"], "a variable is written NAME=VALUE"],
    [["a", "--file", "x.json"], "--file holds the whole definition"],
  ] as const) {
    test(words.join(" ") || "nothing", () => {
      assert.throws(
        () => readNewDefinition(readArguments(add, [...words])),
        (error) => error instanceof CommandError && error.message.startsWith(message),
      );
    });
  }

  test("what the options stand for", () => {
    const words = [
      "a",
      "-s",
      "@daily",
      "--cwd",
      "/x",
      "-e",
      "A=b=c",
      "--timeout",
      "1m30s",
      "--retries",
      "2",
      "--overlap",
      "queue",
      "--catch-up",
      "none",
      "--tag",
      "x",
      "--",
      "ls",
      "-l",
    ];
    assert.deepEqual(readNewDefinition(readArguments(add, words)), {
      name: "a",
      schedule: "@daily",
      command: ["ls", "-l"],
      cwd: "/x",
      env: { A: "b=c" },
      timeoutMs: 90_000,
      retries: 2,
      overlap: "queue",
      catchUp: "none",
      tags: ["x"],
    });
    assert.deepEqual(
      readNewDefinition(
        readArguments(add, ["a", "--agent", "Tidy", "--model", "p/m", "--max-cost", "0.5", "--cwd", "/x"]),
      ),
      {
        name: "a",
        agent: { prompt: "Tidy", model: "p/m", cwd: "/x", maxCostUsd: 0.5 },
      },
    );
    assert.deepEqual(readNewDefinition(readArguments(add, ["a", "--get", "http://x"])), {
      name: "a",
      http: { url: "http://x" },
    });
  });
});
