import assert from "node:assert/strict";
import { test } from "node:test";
import { ActiveRun } from "../../../src/plugins/jobs/active-run.ts";
import { Places } from "../../../src/plugins/jobs/places.ts";
import { Turns } from "../../../src/plugins/jobs/turns.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { settle } from "../../support/jobs.ts";

const runs = (count: number): ActiveRun[] =>
  Array.from({ length: count }, (_, id) => new ActiveRun(id, "", {} as never));

test("a run begins at once; of many, so many in each turn, in order", () => {
  const clock = fakeClock();
  const begun: number[] = [];
  const turns = new Turns({ clock, isDeciding: () => false, begin: ({ id }) => void begun.push(id) });
  for (const run of runs(350)) turns.add(run);
  assert.equal(begun.length, 100);
  let others = 0;
  clock.after(0, () => void (others = begun.length));
  clock.advance(0);
  assert.ok(others < 350, "others had their turn before all of them had begun");
  assert.deepEqual(
    begun,
    runs(350).map(({ id }) => id),
  );
});

test("runs that take long to begin are fewer in each turn", () => {
  let nowMs = 0;
  const turnsToCome: (() => void)[] = [];
  const after = (_delayMs: number, run: () => void) => {
    turnsToCome.push(run);
    return { cancel: () => undefined };
  };
  const clock = { ...fakeClock(), monotonicMs: () => nowMs, after };
  const turns = new Turns({ clock, isDeciding: () => false, begin: () => void (nowMs += 2) });
  for (const run of runs(13)) turns.add(run);
  const spent = [nowMs];
  for (let turn = turnsToCome.shift(); turn; turn = turnsToCome.shift()) spent.push((turn(), nowMs));
  assert.deepEqual(spent, [10, 20, 26, 26]);
});

test("while slots wait to be decided, runs wait too, but not for ever", () => {
  const clock = fakeClock();
  const begun: number[] = [];
  let isDeciding = true;
  const turns = new Turns({ clock, isDeciding: () => isDeciding, begin: ({ id }) => void begun.push(id) });
  turns.add(runs(1)[0]!);
  assert.deepEqual(begun, []);
  isDeciding = false;
  clock.advance(0);
  assert.deepEqual(begun, [0]);
  isDeciding = true;
  turns.add(runs(1)[0]!);
  clock.holdUp(250);
  clock.advance(0);
  assert.deepEqual(begun, [0, 0], "a scheduler that never catches up does not keep runs from beginning");
});

test("places: first come, first served; fewer are taken back only as they come free", async () => {
  const places = new Places(2);
  const [a, b, c, d] = runs(4) as [ActiveRun, ActiveRun, ActiveRun, ActiveRun];
  assert.deepEqual([places.tryTake(a), places.tryTake(b), places.tryTake(c)], [true, true, false]);
  void places.take(c);
  void places.take(d);
  places.setCount(1);
  places.free(a);
  await settle();
  assert.deepEqual([c.hasPlace, places.tryTake(a)], [false, false], "one place, and b has it");
  places.free(b);
  assert.deepEqual([c.hasPlace, d.hasPlace, places.waiting], [true, false, 1]);
  d.cancel("cancelled");
  await settle();
  assert.equal(places.waiting, 0, "one that is cancelled waits no longer");
  places.free(c);
  places.free(c);
  assert.deepEqual([places.tryTake(a), places.tryTake(b)], [true, false], "a place is given back once");
});
