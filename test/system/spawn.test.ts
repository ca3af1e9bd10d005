import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readStartMark } from "../../src/system/process-table.ts";
import { startShell } from "../support/spawn.ts";
import { tempDir } from "../support/temp-dir.ts";

describe("a program that ends by itself", () => {
  const rows = [
    { name: "its exit status", line: "exit 3", exitCode: 3, stdout: "", stderr: "" },
    { name: "its streams apart", line: "echo a; echo b >&2; echo c", exitCode: 0, stdout: "a\nc\n", stderr: "b\n" },
    { name: "the signal that ended it", line: "kill -USR1 $$", signal: "SIGUSR1", stdout: "", stderr: "" },
    { name: "empty input without stdin", line: "cat; echo end", exitCode: 0, stdout: "end\n", stderr: "" },
  ];
  for (const { name, line, ...expected } of rows) {
    test(name, async (t) => {
      const { end, exitCode, signal, stdout, stderr, error } = await startShell(t, line).done;
      assert.deepEqual({ end, error }, { end: "exited", error: undefined });
      const seen = { exitCode, signal, stdout: stdout.text, stderr: stderr.text };
      assert.deepEqual(seen, { exitCode: undefined, signal: undefined, ...expected });
    });
  }

  test("gets its input, and need not read it", async (t) => {
    const stdin = "0123456789".repeat(30_000);
    const read = await startShell(t, "wc -c", { stdin }).done;
    assert.equal(read.stdout.text.trim(), String(stdin.length));
    const unread = await startShell(t, "exec <&-; exit 0", { stdin }).done;
    assert.equal(unread.exitCode, 0);
  });

  test("finds exactly the environment that it was given, and the mark of its run", async (t) => {
    const env = { PATH: process.env["PATH"]!, ODD: "a=b\nc" };
    const { stdout } = await startShell(t, "", { argv: ["env", "-0"], env, runId: "run-7" }).done;
    const found = stdout.text.split("\0").filter(Boolean).sort();
    assert.deepEqual(found, [`ODD=${env.ODD}`, `PATH=${env.PATH}`, "PI_DAEMON_RUN_ID=run-7"].sort());
  });

  test("no shell reads its arguments", async (t) => {
    const argument = "$HOME `id` * ; echo x | \" '";
    const { stdout } = await startShell(t, "", { argv: ["printf", "%s", argument] }).done;
    assert.equal(stdout.text, argument);
  });

  test("runs where it was told to", async (t) => {
    const cwd = tempDir(t);
    assert.equal((await startShell(t, "pwd -P", { cwd }).done).stdout.text, `${cwd}\n`);
  });

  test("secrets are hidden in what is kept", async (t) => {
    const redact = (text: string): string => text.replaceAll("s3cret", "[redacted]");
    const { stdout, stderr } = await startShell(t, "echo my s3cret; echo s3cret >&2", { redact }).done;
    assert.deepEqual([stdout.text, stderr.text], ["my [redacted]\n", "[redacted]\n"]);
  });

  test("what a reader makes of the output is kept instead", async (t) => {
    const readStdout = (chunk: Uint8Array): string => new TextDecoder().decode(chunk).toUpperCase();
    const { stdout } = await startShell(t, "echo abc; echo def", { readStdout }).done;
    assert.equal(stdout.text, "ABC\nDEF\n");
  });

  test("exit comes before a deadline that passed while the daemon was busy", async (t) => {
    const child = startShell(t, "exit 0", { timeoutMs: 20 });
    const passedMs = performance.now() + 40;
    while (readStartMark(child.pid!) !== undefined || performance.now() < passedMs) continue;
    assert.equal((await child.done).end, "exited");
  });
});

describe("a program that cannot be started", () => {
  test("is an outcome with a sentence", async (t) => {
    const directory = tempDir(t);
    const plainFile = join(directory, "plain");
    writeFileSync(plainFile, "text", { mode: 0o644 });
    const script = join(directory, "script");
    writeFileSync(script, "#!/no/such/interpreter\n", { mode: 0o755 });
    const gone = join(directory, "gone");
    mkdirSync(join(directory, "folder"));
    const rows: readonly [Parameters<typeof startShell>[2], RegExp][] = [
      [{ argv: [] }, /^no program is given$/],
      [{ argv: ["no-such-program-here"] }, /^the program "no-such-program-here" was not found in PATH$/],
      [{ argv: [gone] }, /^the program ".*gone" does not exist, or its interpreter does not$/],
      [{ argv: [script] }, /^the program ".*script" does not exist, or its interpreter does not$/],
      [{ argv: [plainFile] }, /^the program ".*plain" may not be run: permission denied \(is it executable\?\)$/],
      [{ argv: [join(directory, "folder")] }, /permission denied/],
      [{ argv: ["echo", "a\0b"] }, /^argument 1 holds a NUL character \(at 1\), which no program can be given$/],
      [{ argv: ["echo", "x", "y".repeat(200_000)] }, /^argument 2 is 200000 bytes long; the system takes at most/],
      [{ argv: ["echo", "ü".repeat(70_000)] }, /^argument 1 is 140000 bytes long/],
      [{ argv: ["echo", ...Array<string>(60).fill("z".repeat(99_000))] }, /^the arguments and the environment of/],
      [{ env: { A: "b\0c" } }, /^the environment variable "A" holds a NUL character/],
      [{ env: { "A=B": "c" } }, /^the environment variable "A=B" cannot have that name$/],
      [{ env: { LONG: "v".repeat(200_000) } }, /^the environment variable "LONG" is 200005 bytes long/],
      [{ cwd: gone }, /^the working directory ".*gone" does not exist$/],
      [{ cwd: plainFile }, /^the working directory ".*plain" is not a directory$/],
      [{ cwd: "/a\0b" }, /^the working directory holds a NUL character$/],
    ];
    for (const [options, message] of rows) {
      const child = startShell(t, "exit 0", options);
      const { end, error, exitCode, isTransient } = await child.done;
      assert.deepEqual([end, exitCode, isTransient, child.pid], ["not-started", undefined, false, undefined]);
      assert.match(error!, message);
      child.terminate();
    }
  });

  test("the longest argument that the system takes is taken", async (t) => {
    const { exitCode, error } = await startShell(t, "", { argv: ["true", "y".repeat(131_071)] }).done;
    assert.deepEqual([exitCode, error], [0, undefined]);
  });
});
