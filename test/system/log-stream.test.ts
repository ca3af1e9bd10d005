import { spawn } from "node:child_process";
import { once } from "node:events";
import { Writable } from "node:stream";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { createStreamSink } from "../../src/system/log-stream.ts";
import { createLog } from "../../src/system/log.ts";
import { fakeClock } from "../support/fake-clock.ts";

/** A stream whose reader takes one line each time it is told to. */
function slowReader(): { stream: Writable; lines: string[]; take: () => void; refuse: (error: Error) => void } {
  const lines: string[] = [];
  let done: ((error?: Error) => void) | undefined;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      lines.push(chunk.toString());
      done = callback;
    },
  });
  const answer = (error?: Error): void => {
    const callback = done;
    done = undefined;
    callback?.(error);
  };
  return { stream, lines, take: () => answer(), refuse: (error) => answer(error) };
}

test("a stalled reader costs a bounded queue; what was lost is counted and told when lines flow again", async () => {
  const { stream, lines, take } = slowReader();
  const clock = fakeClock();
  const sink = createStreamSink(stream, { clock, maxQueuedBytes: 1000 });
  const log = createLog({ level: "info", format: "text", sink, clock });
  for (let index = 0; index < 100; index++) log.info(`line ${index}`.padEnd(70, "."));
  assert.ok(stream.writableLength <= 1000, `${stream.writableLength} bytes wait`);
  assert.equal(stream.writableLength, 9 * 102);
  assert.equal(log.droppedLines(), 91);
  for (let index = 0; index < 20; index++) {
    take();
    await new Promise((resolve) => process.nextTick(resolve));
  }
  assert.equal(stream.writableLength, 0);
  assert.equal(lines.length, 10);
  assert.match(lines[9]!, /WARN {2}log lines were lost because they could not be written count=91\n$/);
  log.info("after");
  assert.match(lines[10]!, /INFO {2}after\n$/);
  assert.equal(log.droppedLines(), 91);
});

test("lines are refused until half of the queue has gone", async () => {
  const { stream, take } = slowReader();
  const sink = createStreamSink(stream, { clock: fakeClock(), maxQueuedBytes: 100 });
  const line = "x".repeat(24) + "\n";
  assert.deepEqual(
    Array.from({ length: 6 }, () => sink.write(line)),
    [true, true, true, true, false, false],
  );
  let resumed = 0;
  sink.onFlow(() => resumed++);
  const takeOne = async (): Promise<void> => {
    take();
    await new Promise((resolve) => process.nextTick(resolve));
  };
  await takeOne();
  assert.equal(sink.write(line), false);
  assert.equal(resumed, 0);
  await takeOne();
  assert.equal(resumed, 1);
  assert.equal(sink.write(line), true);
});

test("a broken stream loses lines and nothing else", async () => {
  const { stream, refuse } = slowReader();
  const sink = createStreamSink(stream, { clock: fakeClock() });
  assert.equal(sink.write("one\n"), true);
  refuse(Object.assign(new Error("broken pipe"), { code: "EPIPE" }));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sink.write("two\n"), false);
  await sink.close();
});

test("a stream that throws while writing is broken", () => {
  const stream = new Writable();
  stream.write = () => {
    throw new Error("no");
  };
  const sink = createStreamSink(stream, { clock: fakeClock() });
  assert.equal(sink.write("one\n"), false);
  assert.equal(sink.write("two\n"), false);
});

test("closing waits for the reader", async () => {
  const { stream, lines, take } = slowReader();
  const sink = createStreamSink(stream, { clock: fakeClock() });
  await sink.close();
  sink.write("one\n");
  let isClosed = false;
  const closing = sink.close().then(() => (isClosed = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isClosed, false);
  take();
  await closing;
  assert.deepEqual(lines, ["one\n"]);
});

test("closing gives up on a reader that does not read", async () => {
  const { stream } = slowReader();
  const clock = fakeClock();
  const sink = createStreamSink(stream, { clock, closeTimeoutMs: 500 });
  sink.write("one\n");
  const closing = sink.close();
  clock.advance(500);
  await closing;
});

const CHILD = fileURLToPath(new URL("../support/log-child.ts", import.meta.url));

function startChild(t: TestContext) {
  const options = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...options, CHILD], { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  return child;
}

test("a process whose standard error nobody reads lives on, bounded, and reports when it is read again", async (t) => {
  const child = startChild(t);
  const [said] = (await once(child.stdout, "data")) as [string];
  const [, lost, waiting] = /^lost (\d+), waiting (\d+)\n$/.exec(said) ?? assert.fail(said);
  assert.ok(Number(lost) > 0);
  assert.ok(Number(waiting) <= 65_536, `${waiting} bytes wait`);
  let text = "";
  for await (const chunk of child.stderr) {
    text += chunk;
    if (text.includes("log lines were lost") && text.endsWith("\n")) break;
  }
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const report = lines.at(-1)!;
  assert.deepEqual(
    { ...report, time: "" },
    {
      time: "",
      level: "warn",
      message: "log lines were lost because they could not be written",
      count: Number(lost),
    },
  );
  child.stdin.end();
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("a process whose standard error is a closed pipe lives on", async (t) => {
  const child = startChild(t);
  child.stderr.destroy();
  const [said] = (await once(child.stdout, "data")) as [string];
  assert.match(said, /^lost \d+/);
  child.stdin.end();
  assert.deepEqual(await once(child, "exit"), [0, null]);
});
