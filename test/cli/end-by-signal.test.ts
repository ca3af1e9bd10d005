import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Surroundings } from "../../src/cli/command.ts";
import { endBySignal } from "../../src/cli/end-by-signal.ts";
import type { Log } from "../../src/system/log.ts";
import { fakeClock } from "../support/fake-clock.ts";

/** A daemon that starts and stops when the test says so, and notes what happens to it. */
function arrange() {
  const clock = fakeClock();
  const handlers = new Map<string, () => void>();
  const starting = Promise.withResolvers<{ stop(): Promise<void>; reload(): Promise<never> }>();
  const stopping = Promise.withResolvers<void>();
  const events: string[] = [];
  let isTerminalLost = false;
  const note = (message: string): void => void events.push(message);
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const host = {
    on: (event: string, run: () => void) => void handlers.set(event, run),
    hasLostTerminal: () => isTerminalLost,
  } as unknown as Surroundings["host"];
  const daemon = {
    stop: () => (note("daemon.stop"), stopping.promise),
    reload: () => (note("daemon.reload"), Promise.reject(new Error("disk"))),
  };
  const ended = endBySignal({ host, clock }, starting.promise, log);
  return {
    clock,
    events,
    ended,
    starting,
    stopping,
    started: () => starting.resolve(daemon),
    signal: (name: string) => handlers.get(name)!(),
    loseTerminal: () => void (isTerminalLost = true),
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

describe("signals to a daemon in the foreground", () => {
  test("SIGTERM: in order, exit code 0", async () => {
    const { started, signal, stopping, ended, events } = arrange();
    started();
    signal("SIGTERM");
    stopping.resolve();
    assert.equal(await ended, 0);
    assert.deepEqual(events, ["stopping", "daemon.stop", "stopped"]);
  });

  test("while it starts: it is stopped as soon as it has started", async () => {
    const { started, signal, stopping, ended, events, settle } = arrange();
    signal("SIGINT");
    await settle();
    assert.deepEqual(events, ["stopping"]);
    started();
    stopping.resolve();
    assert.equal(await ended, 0);
    assert.deepEqual(events, ["stopping", "daemon.stop", "stopped"]);
  });

  test("a second SIGTERM: at once", async () => {
    const { started, signal, ended } = arrange();
    started();
    signal("SIGTERM");
    signal("SIGTERM");
    assert.equal(await ended, 1);
  });

  test("a SIGINT that comes twice is one, a later one is a second", async () => {
    const { started, signal, ended, events, clock, settle } = arrange();
    started();
    signal("SIGINT");
    clock.advance(99);
    signal("SIGINT");
    await settle();
    assert.deepEqual(events, ["stopping", "daemon.stop"]);
    clock.advance(1);
    signal("SIGINT");
    assert.equal(await ended, 1);
    assert.deepEqual(events, ["stopping", "daemon.stop", "stopping at once"]);
  });

  test("a daemon that fails to stop: exit code 1", async () => {
    const { started, signal, stopping, ended, events } = arrange();
    started();
    signal("SIGTERM");
    stopping.reject(new Error("disk"));
    assert.equal(await ended, 1);
    assert.equal(events.at(-1), "did not stop well");
  });

  test("SIGHUP: a reload, and its failure is logged", async () => {
    const { started, signal, events, settle } = arrange();
    started();
    signal("SIGHUP");
    await settle();
    assert.deepEqual(events, ["daemon.reload", "cannot reload the config"]);
  });

  test("SIGHUP of a terminal that has gone: it ends in order", async () => {
    const { started, signal, loseTerminal, stopping, ended, events } = arrange();
    started();
    loseTerminal();
    signal("SIGHUP");
    stopping.resolve();
    assert.equal(await ended, 0);
    assert.deepEqual(events, ["stopping", "daemon.stop", "stopped"]);
  });
});
