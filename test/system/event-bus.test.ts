import assert from "node:assert/strict";
import { test } from "node:test";
import { createEventBus } from "../../src/system/event-bus.ts";
import { recordingLog } from "../support/recording-log.ts";

interface Heard {
  "tea.ready": { cups: number };
}

test("listeners are told in order until they stop listening", () => {
  const bus = createEventBus<Heard>(recordingLog());
  const heard: string[] = [];
  const stop = bus.on("tea.ready", ({ cups }) => void heard.push(`first ${cups}`));
  bus.on("tea.ready", ({ cups }) => void heard.push(`second ${cups}`));
  bus.emit("tea.ready", { cups: 2 });
  stop();
  bus.emit("tea.ready", { cups: 3 });
  assert.deepEqual(heard, ["first 2", "second 2", "second 3"]);
});

test("one that throws is logged and keeps nobody else from hearing", () => {
  const log = recordingLog();
  const bus = createEventBus<Heard>(log);
  let heard = 0;
  bus.on("tea.ready", () => assert.fail("too hot"));
  bus.on("tea.ready", ({ cups }) => void (heard = cups));
  bus.emit("tea.ready", { cups: 1 });
  assert.equal(heard, 1);
  assert.equal(log.lines.length, 1);
  assert.match(String(log.lines[0]!.fields["error"]), /too hot/);
});
