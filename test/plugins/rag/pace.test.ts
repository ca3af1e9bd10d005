import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../../src/plugins/rag/pace.ts";

/** A clock that work moves on, and the work that was done in each turn of the loop. */
function loop() {
  let nowMs = 0;
  const turns = [0];
  let isOver = false;
  const count = (): void => {
    turns.push(0);
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const pace = new Pace({
    clock: { monotonicMs: () => nowMs },
    turn: () => new Promise((resolve) => void setImmediate(resolve)),
  });
  return {
    pace,
    turns,
    end: () => void (isOver = true),
    work(ms: number): void {
      nowMs += ms;
      turns[turns.length - 1]! += ms;
    },
  };
}

test("many that work at the same time hold the loop no longer than one", async () => {
  const { pace, turns, work, end } = loop();
  const worker = async (): Promise<void> => {
    for (let step = 0; step < 20; step++) {
      await pace.giveWay();
      work(2);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  end();
  assert.equal(
    turns.reduce((sum, ms) => sum + ms),
    8 * 20 * 2,
  );
  assert.ok(Math.max(...turns) <= 4, `at most ${Math.max(...turns)} ms`);
});

test("whoever gives way stands still while another holds", async () => {
  const { pace, work, end } = loop();
  const seen: string[] = [];
  const held = pace.hold(async () => {
    for (let step = 0; step < 3; step++) {
      await pace.turnWithin();
      work(5);
      seen.push("held");
    }
  });
  await Promise.all([1, 2].map(() => pace.giveWay().then(() => seen.push("free"))));
  await held;
  end();
  assert.deepEqual(seen, ["held", "held", "held", "free", "free"]);
});
