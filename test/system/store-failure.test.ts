import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { StorageError } from "../../src/system/store.ts";
import { FakeDisk } from "../support/fake-disk.ts";
import type { DiskOperation } from "../support/fake-disk.ts";
import { commitAll, countTo, openLedger } from "../support/ledger.ts";
import type { LedgerHome } from "../support/ledger.ts";
import { seededRandom } from "../support/random.ts";

const JOURNAL = "/data/ledger.journal-00000001";
const SETTLE_TURNS = 20;

/** Moves the clock and lets what it started come to an end. */
async function advance(home: LedgerHome, ms: number): Promise<void> {
  home.clock.advance(ms);
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function failOn(disk: FakeDisk, code: string, operations: readonly DiskOperation[]): void {
  disk.fault = (operation) => (operations.includes(operation) ? code : undefined);
}

describe("a full disk", () => {
  test("refuses commits, keeps what it has, and takes them again once there is room", async () => {
    for (const durability of ["async", "sync"] as const) {
      const disk = new FakeDisk();
      const home = await openLedger(disk, { settings: { durability } });
      const { store } = home;
      await commitAll(store, [1, 2, 3]);
      disk.capacityBytes = disk.usedBytes() + 30;
      const before = disk.get(JOURNAL);
      await assert.rejects(commitAll(store, [4, 5]), (error: Error) => {
        assert.ok(error instanceof StorageError);
        assert.match(error.message, /^ledger: the journal cannot be written: ENOSPC/);
        return true;
      });
      assert.deepEqual(store.state.ids, [1, 2, 3]);
      assert.deepEqual(disk.get(JOURNAL), before, "the partial record is cut off");
      assert.match(home.health.at(-1)!, /ENOSPC/);

      const writes = disk.writeCount;
      await assert.rejects(store.commit({ id: 6 }), StorageError);
      assert.equal(disk.writeCount, writes, "the disk is not asked for every commit");
      await advance(home, 5_000);
      await assert.rejects(store.commit({ id: 7 }), StorageError);

      disk.capacityBytes = Number.MAX_SAFE_INTEGER;
      await advance(home, 5_000);
      assert.deepEqual(home.health.slice(-2).map(typeof_), ["string", "undefined"]);
      await commitAll(store, [8, 9]);
      const again = await openLedger(disk.kill());
      assert.deepEqual(again.store.state.ids, [1, 2, 3, 8, 9]);
      assert.equal(again.corruptions, 0);
    }
  });

  test("that cannot even cut off the partial record leaves it behind, unread", async () => {
    const disk = new FakeDisk();
    const home = await openLedger(disk);
    await commitAll(home.store, [1, 2]);
    disk.capacityBytes = disk.usedBytes() + 30;
    failOn(disk, "EIO", ["truncate"]);
    await assert.rejects(commitAll(home.store, [3, 4, 5]), StorageError);
    disk.fault = undefined;
    disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    await advance(home, 150);
    await commitAll(home.store, [6, 7]);
    assert.ok(disk.paths().length === 2 && disk.get(JOURNAL).includes("entry 3"), "it is in the first journal");
    const killedNow = await openLedger(disk.copy());
    assert.deepEqual(killedNow.store.state.ids, [1, 2, 6, 7]);
    await advance(home, 1_000);
    assert.ok(!disk.get(JOURNAL).includes("entry 3"), "the next flush has cut it off");
    const again = await openLedger(disk.kill());
    assert.deepEqual(again.store.state.ids, [1, 2, 6, 7]);
    assert.equal(again.corruptions, 0);
  });

  test("at the start opens what is there, and refuses commits until there is room", async () => {
    const disk = new FakeDisk();
    disk.capacityBytes = 10;
    const home = await openLedger(disk);
    assert.match(home.health.at(-1)!, /ENOSPC/);
    await assert.rejects(home.store.commit({ id: 1 }), StorageError);
    disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    await advance(home, 2_000);
    await home.store.commit({ id: 2 });
    assert.equal(home.health.at(-1), undefined);
    assert.deepEqual((await openLedger(disk.kill())).store.state.ids, [2]);
  });

  test("for the snapshot alone lets commits go on, and says so", async () => {
    const disk = new FakeDisk();
    const home = await openLedger(disk, { settings: { maxJournalBytes: 512 } });
    const codeFor = (operation: DiskOperation, path: string): string | undefined =>
      operation === "write" && path.includes("snapshot") ? "ENOSPC" : undefined;
    disk.fault = codeFor;
    for (const id of countTo(60)) await home.store.commit({ id });
    await advance(home, 100);
    assert.match(home.health.at(-1)!, /the snapshot cannot be written: .*ENOSPC/);
    assert.ok(disk.paths().every((path) => path.includes("journal") && disk.get(path).length <= 512));
    disk.fault = undefined;
    await advance(home, 40_000);
    assert.equal(home.health.at(-1), undefined, "without waiting for a commit");
    await home.store.commit({ id: 61 });
    assert.equal(disk.paths().filter((path) => path.includes("snapshot")).length, 1);
    assert.deepEqual((await openLedger(disk.kill())).store.state.ids, countTo(61));
  });
});

function typeof_(value: unknown): string {
  return typeof value;
}

describe("a read-only disk", () => {
  test("while running refuses commits, and takes them again when it is writable", async () => {
    const disk = new FakeDisk();
    const home = await openLedger(disk);
    await home.store.commit({ id: 1 });
    failOn(disk, "EROFS", ["create", "write", "truncate", "rename", "remove"]);
    await assert.rejects(home.store.commit({ id: 2 }), /EROFS/);
    await advance(home, 10_000);
    await assert.rejects(home.store.commit({ id: 3 }), /EROFS/);
    disk.fault = undefined;
    await advance(home, 2_000);
    await home.store.commit({ id: 4 });
    assert.deepEqual((await openLedger(disk.kill())).store.state.ids, [1, 4]);
  });

  test("at the start shows the state, cuts and sets aside nothing until it is writable", async () => {
    const disk = new FakeDisk();
    const first = await openLedger(disk);
    await commitAll(first.store, [1, 2, 3]);
    await first.store.close();
    disk.damage(JOURNAL, (bytes) => void bytes.fill(0, bytes.length - 5));
    const before = disk.get(JOURNAL);
    failOn(disk, "EROFS", ["create", "write", "truncate", "rename", "remove"]);
    const home = await openLedger(disk);
    assert.deepEqual(home.store.state.ids, [1, 2]);
    assert.match(home.health.at(-1)!, /EROFS/);
    assert.deepEqual(disk.paths(), [JOURNAL]);
    assert.deepEqual(disk.get(JOURNAL), before);
    disk.fault = undefined;
    await advance(home, 2_000);
    assert.equal(home.health.at(-1), undefined);
    await home.store.commit({ id: 4 });
    assert.ok(disk.paths().some((path) => path.startsWith(`${JOURNAL}.corrupt-`)));
    assert.deepEqual((await openLedger(disk.kill())).store.state.ids, [1, 2, 4]);
  });
});

describe("a failed flush", () => {
  test("in sync mode refuses its commits, and the state is written anew before others are taken", async () => {
    const disk = new FakeDisk();
    const home = await openLedger(disk, { settings: { durability: "sync" } });
    await commitAll(home.store, [1, 2]);
    failOn(disk, "EIO", ["flush"]);
    const failing = commitAll(home.store, [3, 4]);
    await assert.rejects(failing, /the journal cannot be flushed: EIO/);
    assert.deepEqual(home.store.state.ids, [1, 2]);
    assert.deepEqual((await openLedger(disk.copy())).store.state.ids, [1, 2], "nor after a kill at this moment");
    disk.fault = undefined;
    await assert.rejects(home.store.commit({ id: 5 }), StorageError);
    await advance(home, 1_000);
    assert.equal(home.health.at(-1), undefined);
    await commitAll(home.store, [6, 7]);
    const again = await openLedger(disk.cutPower(seededRandom(1)));
    assert.deepEqual(again.store.state.ids, [1, 2, 6, 7]);
    assert.equal(again.corruptions, 0);
  });

  test("in async mode puts what was acknowledged before it into new files", async () => {
    for (let seed = 1; seed < 20; seed++) {
      const disk = new FakeDisk();
      const home = await openLedger(disk);
      await commitAll(home.store, [1, 2, 3]);
      failOn(disk, "EIO", ["flush"]);
      await advance(home, 1_000);
      assert.match(home.health.at(-1)!, /the journal cannot be flushed: EIO/);
      await assert.rejects(home.store.commit({ id: 4 }), StorageError);
      await advance(home, 10_000);
      assert.match(home.health.at(-1)!, /EIO/, "still");
      disk.fault = undefined;
      await advance(home, 2_000);
      assert.equal(home.health.at(-1), undefined);
      assert.equal(disk.flushCount > 0, true);
      const again = await openLedger(disk.cutPower(seededRandom(seed)));
      assert.deepEqual(again.store.state.ids, [1, 2, 3], `seed ${seed}`);
    }
  });

  test("is not overlooked by a commit that is flushed at the same time", async () => {
    const disk = new FakeDisk();
    const home = await openLedger(disk);
    await home.store.commit({ id: 1 });
    let failures = 1;
    disk.fault = (operation) => (operation === "flush" && failures-- > 0 ? "EIO" : undefined);
    home.clock.advance(1_000);
    home.settings.durability = "sync";
    await assert.rejects(home.store.commit({ id: 2 }), /EIO/);
    await advance(home, 1_000);
    await home.store.commit({ id: 3 });
    assert.deepEqual((await openLedger(disk.cutPower(seededRandom(1)))).store.state.ids, [1, 3]);
  });

  test("during a snapshot waits for its end before the state is written anew", async () => {
    const disk = new FakeDisk();
    const home = await openLedger(disk);
    await commitAll(home.store, [1, 2, 3]);
    const held = Promise.withResolvers<void>();
    disk.hold = (path) => (path.endsWith(".snapshot-00000002.tmp") ? held.promise : undefined);
    const compaction = home.store.compact();
    await home.store.commit({ id: 4 });
    failOn(disk, "EIO", ["flush"]);
    await advance(home, 1_000);
    disk.fault = undefined;
    await advance(home, 1_000);
    assert.equal(disk.paths().filter((path) => path.endsWith(".tmp")).length, 1);
    assert.match(home.health.at(-1)!, /EIO/);
    held.resolve();
    await compaction;
    await advance(home, 1_000);
    assert.equal(home.health.at(-1), undefined);
    await home.store.commit({ id: 5 });
    assert.deepEqual((await openLedger(disk.kill())).store.state.ids, countTo(5));
  });

  test("of the directory counts as one", async () => {
    const disk = new FakeDisk();
    const home = await openLedger(disk, { settings: { durability: "sync", maxJournalBytes: 256 } });
    for (const id of countTo(10)) await home.store.commit({ id });
    failOn(disk, "EIO", ["flushDirectory"]);
    await assert.rejects(async () => {
      for (const id of countTo(20)) await home.store.commit({ id: id + 10 });
    }, /EIO/);
    disk.fault = undefined;
    await advance(home, 2_000);
    const { ids } = home.store.state;
    assert.deepEqual((await openLedger(disk.cutPower(seededRandom(3)))).store.state.ids, ids);
  });

  test("at the end is made good by new files, or told", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk);
    await commitAll(store, [1, 2]);
    let failures = 1;
    disk.fault = (operation) => (operation === "flush" && failures-- > 0 ? "EIO" : undefined);
    await store.close();
    assert.equal(disk.openCount, 0);
    const next = disk.cutPower(seededRandom(1));
    const home = await openLedger(next);
    assert.deepEqual(home.store.state.ids, [1, 2]);
    await home.store.commit({ id: 3 });
    failOn(next, "EIO", ["flush"]);
    await assert.rejects(home.store.close(), /EIO/);
    assert.equal(next.openCount, 0);
  });
});

test("commits that wait behind a failing one are refused with it, and a later one is not out of order", async () => {
  const disk = new FakeDisk();
  const home = await openLedger(disk, { settings: { durability: "sync" } });
  await home.store.commit({ id: 1 });
  failOn(disk, "EIO", ["flush"]);
  const outcomes: string[] = [];
  const note = (id: number): Promise<unknown> =>
    home.store.commit({ id }).then(
      () => outcomes.push(`kept ${id}`),
      () => outcomes.push(`refused ${id}`),
    );
  const first = note(2);
  await new Promise((resolve) => setImmediate(resolve));
  const second = note(3);
  await Promise.all([first, second]);
  disk.fault = undefined;
  await advance(home, 1_000);
  await note(4);
  assert.deepEqual(outcomes, ["refused 2", "refused 3", "kept 4"]);
  assert.deepEqual((await openLedger(disk.kill())).store.state.ids, [1, 4]);
});

test("a disk that fails for long is not littered with attempts", async () => {
  const disk = new FakeDisk();
  const home = await openLedger(disk, { settings: { maxJournalBytes: 300 } });
  for (const id of countTo(30)) await home.store.commit({ id });
  failOn(disk, "EIO", ["flush", "rename"]);
  for (let second = 0; second < 100; second++) await advance(home, 1_000);
  assert.ok(disk.paths().length < 10, disk.paths().join(" "));
  disk.fault = undefined;
  await advance(home, 2_000);
  assert.equal(home.health.at(-1), undefined);
  assert.deepEqual((await openLedger(disk.cutPower(seededRandom(1)))).store.state.ids, countTo(30));
});
