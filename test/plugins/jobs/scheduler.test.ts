import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DueHeap } from "../../../src/plugins/jobs/due-heap.ts";
import {
  type ClockStep,
  LONGEST_SLEEP_MS,
  type Scheduler,
  startScheduler,
} from "../../../src/plugins/jobs/scheduler.ts";
import { type FakeClock, fakeClock } from "../../support/fake-clock.ts";
import { forEachSeed } from "../../support/random.ts";

describe("the heap", () => {
  test("gives what a sorted list gives, with names set again and removed", () => {
    forEachSeed(30, (random) => {
      const heap = new DueHeap();
      let list: { name: string; dueMs: number }[] = [];
      for (let step = 0; step < 400; step++) {
        const name = `n${random.int(0, 60)}`;
        const choice = random.next();
        if (choice < 0.6) {
          const dueMs = random.int(0, 50);
          heap.set(name, dueMs);
          list = [...list.filter((each) => each.name !== name), { name, dueMs }];
        } else if (choice < 0.75) {
          heap.remove(name);
          list = list.filter((each) => each.name !== name);
        } else {
          const nowMs = random.int(0, 50);
          const sorted = [...list].sort((a, b) => a.dueMs - b.dueMs);
          const expected = sorted[0] !== undefined && sorted[0].dueMs <= nowMs ? sorted[0].name : undefined;
          assert.equal(heap.takeDue(nowMs), expected);
          list = list.filter((each) => each.name !== expected);
        }
        assert.equal(heap.size, list.length);
        assert.equal(heap.peek(), list.length === 0 ? undefined : Math.min(...list.map(({ dueMs }) => dueMs)));
        assert.equal(heap.dueOf(name), list.find((each) => each.name === name)?.dueMs);
        assert.equal(heap.countDueBefore(25), list.filter(({ dueMs }) => dueMs < 25).length);
      }
    });
  });

  test("names set again and again do not pile up", () => {
    const heap = new DueHeap();
    for (let round = 0; round < 100_000; round++) heap.set(`n${round % 10}`, round);
    assert.equal(heap.size, 10);
    assert.equal(heap.peek(), 99_990);
  });
});

interface Stand {
  readonly clock: FakeClock;
  readonly scheduler: Scheduler;
  readonly due: [name: string, atMs: number][];
  readonly steps: ClockStep[];
}

const NOW = 1_700_000_000_000;

function start(onDue?: (name: string, stand: Stand) => void): Stand {
  const clock = fakeClock(NOW);
  const due: Stand["due"] = [];
  const steps: ClockStep[] = [];
  const stand: Stand = {
    clock,
    due,
    steps,
    scheduler: startScheduler({
      clock,
      onDue(name, nowMs) {
        due.push([name, nowMs - NOW]);
        onDue?.(name, stand);
      },
      onStep: (step) => void steps.push(step),
    }),
  };
  return stand;
}

describe("the scheduler", () => {
  test("calls at the instant, in order; what is set while it calls is not forgotten", () => {
    const stand = start((name, { scheduler }) => name === "a" && scheduler.set("d", NOW + 1_500));
    stand.scheduler.set("b", NOW + 2_000);
    stand.scheduler.set("a", NOW + 1_000);
    stand.scheduler.set("c", NOW + 2_000);
    stand.clock.advance(10_000);
    assert.deepEqual(stand.due, [
      ["a", 1_000],
      ["d", 1_500],
      ["b", 2_000],
      ["c", 2_000],
    ]);
    assert.deepEqual([stand.scheduler.size, stand.steps], [0, []]);
  });

  test("what is past is called at once; what is removed or set later is not", () => {
    const stand = start();
    stand.scheduler.set("past", NOW - 86_400_000);
    stand.scheduler.set("gone", NOW + 10);
    stand.scheduler.set("later", NOW + 10);
    stand.scheduler.remove("gone");
    stand.scheduler.set("later", NOW + 60_000);
    assert.equal(stand.scheduler.countOverdue(60_000), 1);
    stand.clock.advance(1_000);
    assert.deepEqual(stand.due, [["past", 0]]);
    assert.equal(stand.scheduler.dueOf("later"), NOW + 60_000);
  });

  test("an instant centuries away is not called early", () => {
    const stand = start();
    stand.scheduler.set("a", NOW + 2 ** 40);
    stand.clock.advance(60_000);
    assert.deepEqual(stand.due, []);
  });

  for (const byMs of [40_000, -3_600_000, 86_400_000 * 400]) {
    test(`a clock that steps by ${byMs / 1000} s is noticed within ${LONGEST_SLEEP_MS / 1000} s, once`, () => {
      const stand = start();
      stand.clock.advance(12_000);
      stand.clock.stepWall(byMs);
      stand.clock.advance(LONGEST_SLEEP_MS);
      assert.deepEqual(
        stand.steps.map((step) => step.byMs),
        [byMs],
      );
      stand.clock.advance(60_000);
      assert.equal(stand.steps.length, 1);
    });
  }

  test("what fell due during a step is called within 5 s; a clock that drifts is no step", () => {
    const stand = start();
    stand.scheduler.set("a", NOW + 50_000);
    stand.clock.advance(2_000);
    stand.clock.stepWall(120_000);
    stand.clock.advance(LONGEST_SLEEP_MS);
    assert.equal(stand.due.length, 1);
    for (let minute = 0; minute < 100; minute++) {
      stand.clock.stepWall(30);
      stand.clock.advance(60_000);
    }
    assert.equal(stand.steps.length, 1);
  });

  test("much that is due at once leaves turns to others, and all of it is called", () => {
    const stand = start();
    for (let index = 0; index < 10_000; index++) stand.scheduler.set(`n${index}`, NOW + 100);
    let turns = 0;
    const count = (): void => {
      turns++;
      if (stand.due.length < 10_000) stand.clock.after(0, count);
    };
    stand.clock.after(100, count);
    stand.clock.advance(100);
    assert.equal(stand.due.length, 10_000);
    assert.ok(turns >= 5, `only ${turns} turns`);
    assert.deepEqual(stand.due.map(([name]) => name).slice(0, 3), ["n0", "n1", "n2"]);
  });

  test("stopped, it calls nothing", () => {
    const stand = start();
    stand.scheduler.set("a", NOW + 100);
    stand.scheduler.stop();
    stand.scheduler.set("b", NOW + 100);
    stand.clock.advance(1_000);
    assert.deepEqual(stand.due, []);
  });
});
