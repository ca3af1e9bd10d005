/** Plugins that start and stop: order, failures, and stops that take too long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../src/config.ts";
import { anything } from "../src/core/validate.ts";
import { PluginSet } from "../src/plugin-set.ts";
import type { Plugin, PluginFactory } from "../src/plugins/plugin.ts";
import { fakeClock } from "./support/fake-clock.ts";
import { testServices } from "./support/services.ts";

type Stop = () => Promise<void>;

function idlePlugin(stop: Stop): Plugin {
  return { routes: [], reconfigure: () => undefined, problems: () => [], stats: () => ({}), stop };
}

function factory(name: string, create: () => Promise<Plugin>): PluginFactory<never> {
  return { name, schema: anything() as PluginFactory<never>["schema"], create };
}

function configOf(plugins: Record<string, boolean>): Config {
  return { plugins } as unknown as Config;
}

function setOf(factories: readonly PluginFactory<never>[]): { set: PluginSet; clock: ReturnType<typeof fakeClock> } {
  const clock = fakeClock();
  const { openStore, openSegments, files, openCache, ...shared } = testServices({ clock });
  const own = { openStore, openSegments, files, openCache };
  return { set: new PluginSet(factories, shared, () => own), clock };
}

test("start in the order of the table, stop in the reverse order", async () => {
  const steps: string[] = [];
  const factories = ["a", "b", "c"].map((name) =>
    factory(name, async () => {
      steps.push(`start ${name}`);
      return idlePlugin(async () => void steps.push(`stop ${name}`));
    }),
  );
  const { set } = setOf(factories);
  await set.follow(configOf({ a: true, b: false, c: true }));
  await set.stopAll();
  assert.deepEqual(steps, ["start a", "start c", "stop c", "stop a"]);
});

test("a plugin that cannot start is told of, until it can", async () => {
  let isBroken = true;
  const broken = factory("a", async () => {
    if (isBroken) throw new Error("no room");
    return idlePlugin(async () => undefined);
  });
  const { set } = setOf([broken]);
  await assert.rejects(set.follow(configOf({ a: true })), /^Error: no room$/);
  assert.deepEqual(set.problems(), ["the a plugin is switched on and could not start: no room"]);
  isBroken = false;
  await set.follow(configOf({ a: true }));
  assert.deepEqual(set.problems(), []);
});

test("one that does not stop well does not keep the others from stopping", async () => {
  let isStopped = false;
  const { set } = setOf([
    factory("a", async () => idlePlugin(async () => void (isStopped = true))),
    factory("b", async () => idlePlugin(() => Promise.reject(new Error("the disk is full")))),
  ]);
  await set.follow(configOf({ a: true, b: true }));
  await set.stopAll();
  assert.ok(isStopped);
});

test("one that is slow to stop is gone on without, and cannot start again until it has stopped", async () => {
  const slow = Promise.withResolvers<void>();
  let starts = 0;
  const { set, clock } = setOf([
    factory("a", async () => {
      starts++;
      return idlePlugin(() => slow.promise);
    }),
  ]);
  await set.follow(configOf({ a: true }));
  const off = set.follow(configOf({ a: false }));
  clock.advance(5_000);
  await off;
  await assert.rejects(set.follow(configOf({ a: true })), /has not stopped yet/);
  assert.equal(starts, 1);
  slow.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  await set.follow(configOf({ a: true }));
  assert.equal(starts, 2);
});
