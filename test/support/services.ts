/**
 * The services of a plugin, without a daemon: what a test does not give is there and does nothing, or says that it was
 * not asked for.
 */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry } from "../../src/core/registry.ts";
import { hideSecrets, readDefinition } from "../../src/config.ts";
import type { Services } from "../../src/plugins/plugin.ts";
import { createActions } from "../../src/system/actions.ts";
import { matchPattern } from "../../src/system/match-pattern.ts";
import { createEventBus } from "../../src/system/event-bus.ts";
import { openSegments } from "../../src/system/segments.ts";
import { fakeClock } from "./fake-clock.ts";
import { FakeDisk } from "./fake-disk.ts";
import { silentLog } from "./silent-log.ts";

export function testServices(given: Partial<Services> = {}): Services {
  const unasked = (what: string) => (): never => assert.fail(`nobody asked for ${what}`);
  const references = { env: {}, home: "/home/tester", uid: undefined, base: "/etc/pi-daemon" };
  let ids = 0;
  return {
    clock: fakeClock(),
    log: silentLog,
    registry: new Registry(),
    gzip: unasked("gzip"),
    events: createEventBus(silentLog),
    actions: createActions(),
    host: { env: references.env, home: references.home, bootId: "boot-1" },
    definitions: {
      read: (schema, value) => readDefinition(schema, value, references),
      show: hideSecrets,
      readFolder: () => [],
    },
    secrets: () => [],
    files: {
      pathOf: (name) => `/files/${name}`,
      read: unasked("a file"),
      remove: async () => undefined,
      list: async () => [],
    },
    randomId: () => `id-${++ids}`,
    turn: () => nextTurn(),
    spawn: unasked("a program"),
    endOrphans: unasked("the end of orphans"),
    fetch: unasked("another server"),
    matchPattern,
    openCache: unasked("a cache"),
    openFolder: unasked("a folder"),
    findFolder: unasked("a folder"),
    projectIdOf: unasked("a project"),
    openStore: unasked("a store"),
    openSegments: (name) => openSegments({ disk: new FakeDisk(), log: silentLog }, `/${name}`),
    ...given,
  };
}
