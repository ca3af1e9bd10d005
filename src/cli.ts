#!/usr/bin/env node
/**
 * Turns the process into a command line: the only file that writes to the terminal or sets an exit code.
 *
 * Not: any import before the version check, so that an old Node says what is wrong and not where it stumbled.
 */
const OLDEST_NODE = [22, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) {
  void start();
} else {
  const wanted = `needs Node ${OLDEST_NODE.join(".")} or newer, and this is ${process.version}`;
  process.stderr.write(`pi-daemon: ${wanted}; install a newer one\n`);
  process.exitCode = 1;
}

async function start(): Promise<void> {
  const [{ runCommandLine, systemClock }, { homedir }, { isatty }] = await Promise.all([
    import("./cli/main.ts"),
    import("node:os"),
    import("node:tty"),
  ]);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // The reader of `pi-daemon logs | head` has had enough: that is no failure.
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(`pi-daemon: Cannot write to standard output: ${error.message}\n`);
    process.exit(1);
  });
  process.stderr.on("error", () => {});
  const wantsColours = !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  process.exitCode = await runCommandLine(process.argv.slice(2), {
    terminal: {
      out: (text) => void process.stdout.write(text + "\n"),
      err: (text) => void process.stderr.write(text + "\n"),
      outHasColours: wantsColours && process.stdout.isTTY,
      errHasColours: wantsColours && process.stderr.isTTY,
      ...(process.stderr.isTTY && process.env["TERM"] !== "dumb"
        ? { showStatus: (line: string) => void process.stderr.write(`\r${line}\u001b[K`) }
        : {}),
      columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    },
    clock: systemClock,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    // Nothing here aborts it: Ctrl-C and a reader that has gone end the whole process.
    signal: new AbortController().signal,
    env: process.env,
    home: homedir(),
    uid: process.getuid?.(),
    program: [process.execPath, ...process.execArgv, import.meta.filename],
    host: {
      stderr: process.stderr,
      on: (event, run) => void process.on(event, run),
      tellParent(message) {
        process.send?.(message);
        process.disconnect?.();
      },
      hasLostTerminal: () => process.stderr.isTTY && !isatty(2),
      exitNow: (code) => process.exit(code),
    },
  });
}
