import assert from "node:assert/strict";
import { test } from "node:test";
import { createActions } from "../../src/system/actions.ts";

test("an action is found by its name until it is taken back", () => {
  const actions = createActions();
  const prune = async (): Promise<string> => "nothing to do";
  const takeBack = actions.offer("jobs.prune", prune);
  actions.offer("a.first", prune);
  assert.equal(actions.find("jobs.prune"), prune);
  assert.deepEqual(actions.names(), ["a.first", "jobs.prune"]);
  assert.throws(() => actions.offer("jobs.prune", prune), /the action jobs\.prune is offered twice/);
  takeBack();
  assert.equal(actions.find("jobs.prune"), undefined);
});
