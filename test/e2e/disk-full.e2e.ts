/** The store on a small tmpfs that fills up while commits and snapshots go on, and is given room again. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { systemClock } from "../../src/system/clock.ts";
import { nodeDisk } from "../../src/system/disk.ts";
import { StorageError } from "../../src/system/store.ts";
import type { Store } from "../../src/system/store.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { openLedger } from "../support/ledger.ts";
import type { Entry, Ledger } from "../support/ledger.ts";
import { mountMissing, tmpfs } from "../support/mount.ts";

const SIZE_BYTES = 1 << 20;
const skip = mountMissing("tmpfs");
const clock = systemClock as FakeClock;

/** Commits one entry after the other until one is refused; answers what was kept. */
async function fill(store: Store<Ledger, Entry>, firstId: number): Promise<number[]> {
  const kept: number[] = [];
  for (let id = firstId; ; id++) {
    try {
      await store.commit({ id, paddingBytes: 2000 });
    } catch (error) {
      assert.ok(error instanceof StorageError);
      assert.match(error.message, /ENOSPC/);
      return kept;
    }
    kept.push(id);
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
}

for (const durability of ["async", "sync"] as const) {
  test(`a full disk refuses commits and keeps the rest, room makes it well (${durability})`, { skip }, async (t) => {
    const directory = tmpfs(t, SIZE_BYTES);
    const filler = join(directory, "filler");
    writeFileSync(filler, Buffer.alloc(SIZE_BYTES / 2));
    const settings = { durability, maxJournalBytes: 400_000 };
    const home = await openLedger(nodeDisk, { directory: join(directory, "data"), settings, clock });
    const kept = await fill(home.store, 1);
    assert.ok(kept.length > 20, String(kept.length));
    assert.deepEqual(home.store.state.ids, kept);
    assert.match(home.health.at(-1)!, /ENOSPC/);

    rmSync(filler);
    await until(() => home.health.at(-1) === undefined);
    const more = await fill(home.store, 1_000_000);
    assert.ok(more.length > 20, String(more.length));
    const expected = [...kept, ...more];
    assert.deepEqual(home.store.state.ids, expected);
    await home.store.close();

    const again = await openLedger(nodeDisk, { directory: join(directory, "data"), settings, clock });
    assert.deepEqual(again.store.state.ids, expected);
    assert.equal(again.corruptions, 0);
    await again.store.close();
    t.diagnostic(`${kept.length} entries kept in half the disk, ${more.length} more in all of it`);
  });
}

test("a disk full at the start shows what is there, and takes commits once there is room", { skip }, async (t) => {
  const directory = tmpfs(t, SIZE_BYTES);
  const filler = join(directory, "filler");
  const data = join(directory, "data");
  const first = await openLedger(nodeDisk, { directory: data, clock });
  await first.store.commit({ id: 1 });
  await first.store.close();
  assert.throws(() => writeFileSync(filler, Buffer.alloc(SIZE_BYTES)), /ENOSPC/);

  const home = await openLedger(nodeDisk, { directory: data, clock });
  assert.deepEqual(home.store.state.ids, [1]);
  await assert.rejects(home.store.commit({ id: 2, paddingBytes: 8192 }), StorageError);
  rmSync(filler);
  await until(() => home.health.at(-1) === undefined);
  await home.store.commit({ id: 3, paddingBytes: 8192 });
  await home.store.close();
  const again = await openLedger(nodeDisk, { directory: data, clock });
  assert.deepEqual(again.store.state.ids, [1, 3]);
  await again.store.close();
});
