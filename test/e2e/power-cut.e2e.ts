/**
 * The store on a real ext4 that is shut down in the midst of commits, with nothing flushed, and mounted again. With the
 * fdatasync left out the same test finds commits missing, so it can fail.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { join } from "node:path";

import { nodeDisk } from "../../src/system/disk.ts";
import type { Disk } from "../../src/system/disk.ts";
import { systemClock } from "../../src/system/clock.ts";
import { StorageError } from "../../src/system/store.ts";
import type { StorageSettings } from "../../src/system/store.ts";
import { openLedger } from "../support/ledger.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { ext4, mountMissing } from "../support/mount.ts";

const COMMITTERS = 8;
const ROUNDS = 6;
const skip = mountMissing("ext4");
const settings: StorageSettings = { durability: "sync", maxJournalBytes: 64 << 10 };
const clock = systemClock as FakeClock;

const withoutFlush: Disk = { ...nodeDisk, flush: async () => undefined };

/**
 * Commits until the power is cut, after about `count` acknowledgements; answers what was acknowledged, and what else
 * was sent.
 */
async function commitUntilCut(
  disk: Disk,
  directory: string,
  until: { firstId: number; count: number; cut: () => void },
): Promise<{ acknowledged: number[]; sent: number }> {
  const { store } = await openLedger(disk, { directory, settings, clock });
  const acknowledged: number[] = [];
  let nextId = until.firstId;
  let isCut = false;
  const committer = async (): Promise<void> => {
    for (;;) {
      const id = nextId++;
      await store.commit({ id, paddingBytes: 300 });
      acknowledged.push(id);
      if (acknowledged.length >= until.count && !isCut) {
        isCut = true;
        until.cut();
      }
    }
  };
  await Promise.all(Array.from({ length: COMMITTERS }, () => committer().catch(ignoreRefusal)));
  // The file system is gone, and the store can only say so; its files are closed all the same.
  await store.close().catch(() => undefined);
  return { acknowledged, sent: nextId - until.firstId };
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof StorageError)) throw error;
}

async function lostAfterPowerCuts(t: TestContext, disk: Disk): Promise<number> {
  const machine = ext4(t);
  const directory = join(machine.path, "data", "ledger");
  let known: number[] = [];
  let lost = 0;
  let nextId = 1;
  for (let round = 0; round < ROUNDS; round++) {
    const until = { firstId: nextId, count: 50 + 97 * round, cut: machine.cutPower };
    const { acknowledged, sent } = await commitUntilCut(disk, directory, until);
    nextId += sent;
    machine.restart();
    const { store, corruptions } = await openLedger(nodeDisk, { directory, settings, clock });
    const found = new Set(store.state.ids);
    lost += [...known, ...acknowledged].filter((id) => !found.has(id)).length;
    assert.equal(found.size, store.state.ids.length, "nothing twice");
    assert.ok(
      store.state.ids.every((id) => id < nextId),
      "nothing that was not sent",
    );
    if (disk === nodeDisk) assert.equal(corruptions, 0);
    known = [...store.state.ids];
    await store.close();
  }
  t.diagnostic(`${ROUNDS} power cuts, ${nextId - 1} commits sent, ${known.length} kept, ${lost} acknowledged and lost`);
  return lost;
}

test("a power cut loses nothing that was acknowledged in sync mode", { skip }, async (t) => {
  assert.equal(await lostAfterPowerCuts(t, nodeDisk), 0);
});

test("the same without fdatasync loses commits: the power cut is real", { skip }, async (t) => {
  assert.ok((await lostAfterPowerCuts(t, withoutFlush)) > 0);
});
