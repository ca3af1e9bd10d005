import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { nodeDisk } from "../../src/system/disk.ts";
import { StateVersionError, StorageError } from "../../src/system/store.ts";
import { FakeDisk } from "../support/fake-disk.ts";
import { commitAll, countTo, openLedger } from "../support/ledger.ts";
import type { Entry } from "../support/ledger.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/temp-dir.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("commits", () => {
  test("of one turn become one write, are applied in order, and resolve together", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk);
    await commitAll(store, [1, 2]);
    const before = disk.writeCount;
    const applied: number[] = [];
    const note = (): void => void applied.push(store.state.ids.length);
    const commits = countTo(50).map((id) => store.commit({ id: id + 2 }).then(note));
    assert.equal(disk.writeCount, before, "nothing is written before the end of the turn");
    assert.equal(store.state.ids.length, 2, "nothing is applied before it is written");
    await Promise.all(commits);
    assert.equal(disk.writeCount, before + 1);
    assert.deepEqual(store.state.ids, countTo(52));
    assert.deepEqual(applied, Array(50).fill(52), "all of them were applied when the first resolved");
  });

  test("one a turn are written at once", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk);
    for (const id of countTo(3)) {
      const before = disk.writeCount;
      const commit = store.commit({ id });
      assert.equal(disk.writeCount, before + 1);
      await commit;
      await nextTurn();
    }
    assert.deepEqual(store.state.ids, countTo(3));
  });

  test("that arrive during a flush share the next one", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk, { settings: { durability: "sync" } });
    const before = disk.flushCount;
    const first = store.commit({ id: 1 });
    await nextTurn();
    const others = commitAll(store, [2, 3, 4, 5]);
    await Promise.all([first, others]);
    assert.equal(disk.flushCount, before + 2);
    assert.deepEqual(store.state.ids, countTo(5));
  });

  test("in sync mode are applied when they are on the medium, not before", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk, { settings: { durability: "sync" } });
    const before = disk.flushCount;
    let seen: number[] = [];
    disk.fault = (operation) => void (operation === "flush" && (seen = [...store.state.ids]));
    await store.commit({ id: 1 });
    assert.deepEqual(seen, [], "while the flush ran");
    assert.equal(disk.flushCount, before + 1);
    assert.deepEqual(store.state.ids, [1]);
  });

  test("follow the durability as it is set now", async () => {
    const disk = new FakeDisk();
    const { store, settings } = await openLedger(disk);
    const before = disk.flushCount;
    await commitAll(store, [1, 2]);
    assert.equal(disk.flushCount, before);
    settings.durability = "sync";
    await commitAll(store, [3, 4]);
    assert.equal(disk.flushCount, before + 1);
    settings.durability = "async";
    await commitAll(store, [5, 6]);
    assert.equal(disk.flushCount, before + 1);
    assert.deepEqual(store.state.ids, countTo(6));
  });

  test("in async mode are flushed within a second, and an idle store is not", async () => {
    const disk = new FakeDisk();
    const { store, clock } = await openLedger(disk);
    const before = disk.flushCount;
    clock.advance(10_000);
    await commitAll(store, [1]);
    clock.advance(999);
    await nextTurn();
    await nextTurn();
    assert.equal(disk.flushCount, before + 1);
    clock.advance(60_000);
    await nextTurn();
    assert.equal(disk.flushCount, before + 1);
  });

  test("that cannot be encoded, or are larger than a journal, touch nothing", async () => {
    const disk = new FakeDisk();
    const encode = ({ id }: Entry): Buffer[] => {
      if (id === 13) throw new TypeError("unlucky");
      return [Buffer.alloc(id, "x")];
    };
    const { store } = await openLedger(disk, { settings: { maxJournalBytes: 4096 }, definition: { encode } });
    await assert.rejects(store.commit({ id: 13 }), /unlucky/);
    const tooLarge = new RangeError("An event of 4108 bytes does not fit into a journal of 4096 bytes");
    await assert.rejects(store.commit({ id: 4096 }), tooLarge);
    await commitAll(store, [1, 4096 - 40 - 12]);
    assert.deepEqual(store.state.ids, [1, 4044]);
  });

  test("whose event throws in apply leave the rest whole, now and after a restart", async () => {
    const disk = new FakeDisk();
    const definition = {
      apply: (state: { ids: number[] }, { id }: Entry): void => {
        if (id === 2) throw new TypeError("a defect");
        state.ids.push(id);
      },
    };
    const { store, log } = await openLedger(disk, { definition });
    await commitAll(store, [1, 2, 3]);
    assert.deepEqual(store.state.ids, [1, 3]);
    assert.equal(log.lines.filter((line) => line.level === "error").length, 1);
    await store.close();
    const again = await openLedger(disk, { definition });
    assert.deepEqual(again.store.state.ids, [1, 3]);
    assert.equal(again.corruptions, 0);
  });
});

describe("a closed store", () => {
  test("has flushed what was pending, and refuses more", async () => {
    for (const durability of ["async", "sync"] as const) {
      const disk = new FakeDisk();
      const { store } = await openLedger(disk, { settings: { durability } });
      const pending = commitAll(store, [1, 2, 3]);
      const closing = store.close();
      await assert.rejects(store.commit({ id: 4 }), StorageError);
      await assert.rejects(store.compact(), StorageError);
      await pending;
      await closing;
      assert.equal(store.close(), closing);
      assert.equal(disk.openCount, 0);
      const after = disk.cutPower({ next: () => 0, int: (low) => low, pick: (items) => items[0]! });
      assert.deepEqual((await openLedger(after)).store.state.ids, [1, 2, 3]);
    }
  });

  test("has broken off its snapshot, and leaves nothing of it", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk);
    await commitAll(store, countTo(100));
    const compaction = assert.rejects(store.compact(), StorageError);
    await store.close();
    await compaction;
    assert.deepEqual(disk.paths(), ["/data/ledger.journal-00000001", "/data/ledger.journal-00000002"]);
    assert.deepEqual((await openLedger(disk)).store.state.ids, countTo(100));
  });
});

describe("compaction", () => {
  test("on request writes what was committed before it, and keeps two snapshots and their journals", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk);
    for (const round of [0, 1, 2, 3]) {
      await commitAll(store, [round * 2 + 1, round * 2 + 2]);
      await store.compact();
    }
    assert.deepEqual(
      disk.paths().map((path) => path.slice("/data/ledger.".length)),
      ["journal-00000004", "journal-00000005", "snapshot-00000004", "snapshot-00000005"],
    );
    const again = await openLedger(disk.kill());
    assert.deepEqual(again.store.state.ids, countTo(8));
  });

  test("goes on while commits arrive, and has the state of the moment when it began", async () => {
    for (const durability of ["async", "sync"] as const) {
      const disk = new FakeDisk();
      const { store } = await openLedger(disk, { settings: { durability } });
      await commitAll(store, countTo(100));
      const first = store.commit({ id: 101 });
      const compaction = store.compact();
      await Promise.all([first, store.commit({ id: 102 }), compaction, store.commit({ id: 103 })]);
      await store.commit({ id: 104 });
      assert.deepEqual((await openLedger(disk.kill())).store.state.ids, countTo(104));
    }
  });

  test("that has ended survives a power cut under its name", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new FakeDisk();
      const { store } = await openLedger(disk);
      await commitAll(store, [1, 2]);
      await store.compact();
      const next = disk.cutPower(seededRandom(seed));
      assert.ok(next.paths().includes("/data/ledger.snapshot-00000002"), `seed ${seed}`);
      assert.deepEqual((await openLedger(next)).store.state.ids, [1, 2]);
    }
  });

  test("requests during one share the one after it", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk);
    await Promise.all([store.compact(), store.compact(), store.compact(), store.compact()]);
    assert.equal(disk.paths().at(-1), "/data/ledger.snapshot-00000003");
  });

  for (const durability of ["async", "sync"] as const) {
    test(`keeps every journal below its limit, whatever comes (${durability})`, async () => {
      const disk = new FakeDisk();
      const settings = { durability, maxJournalBytes: 4096 };
      const { store } = await openLedger(disk, { settings });
      let largest = 0;
      for (let id = 1; id <= 1000;) {
        const ids = Array.from({ length: 1 + (id % 90) }, () => id++);
        await Promise.all(ids.map((each) => store.commit({ id: each, paddingBytes: each % 200 })));
        const journals = disk.paths().filter((path) => path.includes("journal"));
        largest = Math.max(largest, ...journals.map((path) => disk.get(path).length));
      }
      assert.ok(largest <= 4096 && largest > 3000, String(largest));
      assert.ok(disk.paths().some((path) => path.includes("snapshot")));
      const { ids } = store.state;
      await store.close();
      assert.deepEqual((await openLedger(disk, { settings })).store.state.ids, ids);
    });
  }
});

describe("versions", () => {
  test("a newer one is refused, and nothing is touched", async () => {
    const disk = new FakeDisk();
    const newer = await openLedger(disk, { definition: { version: 3 } });
    await commitAll(newer.store, [1, 2]);
    await newer.store.compact();
    await newer.store.commit({ id: 3 });
    const next = disk.kill();
    // A torn tail would be cut off by a start that is not refused.
    next.put("/data/ledger.journal-00000009", Buffer.from("torn"));
    const before = next.paths().map((path) => [path, next.get(path).toString("hex")]);
    await assert.rejects(openLedger(next, { definition: { version: 2 } }), (error: Error) => {
      assert.ok(error instanceof StateVersionError);
      assert.match(error.message, /written by a newer pi-daemon \(state version 3, and this one knows 2\)/);
      return true;
    });
    assert.deepEqual(
      next.paths().map((path) => [path, next.get(path).toString("hex")]),
      before,
    );
  });

  test("an older one is read, told to restore, and not appended to", async () => {
    const disk = new FakeDisk();
    const older = await openLedger(disk);
    await commitAll(older.store, [1, 2]);
    await older.store.compact();
    await older.store.commit({ id: 3 });
    await older.store.close();
    const versions: number[] = [];
    const restore = (_pieces: Iterable<Buffer>, version: number): { ids: number[] } => {
      versions.push(version);
      return { ids: [1, 2] };
    };
    const newer = await openLedger(disk, { definition: { version: 2, restore } });
    assert.deepEqual(newer.store.state.ids, [1, 2, 3]);
    assert.deepEqual(versions, [1]);
    await newer.store.commit({ id: 4 });
    await newer.store.close();
    await assert.rejects(openLedger(disk), StateVersionError);
    assert.deepEqual((await openLedger(disk, { definition: { version: 2 } })).store.state.ids, countTo(4));
  });
});

test("two stores share a directory without seeing each other, and files of others are left alone", async () => {
  const disk = new FakeDisk();
  disk.put("/data/ledger.journal-00000001.corrupt-20250101T000000.000Z", Buffer.from("old"));
  disk.put("/data/ledgers.journal-00000001", Buffer.from("of another store"));
  disk.put("/data/ledger.snapshot-00000007.tmp", Buffer.from("left behind"));
  const { store } = await openLedger(disk);
  await store.commit({ id: 1 });
  await store.compact();
  assert.deepEqual(disk.paths(), [
    "/data/ledger.journal-00000001",
    "/data/ledger.journal-00000001.corrupt-20250101T000000.000Z",
    "/data/ledger.journal-00000002",
    "/data/ledger.snapshot-00000002",
    "/data/ledgers.journal-00000001",
  ]);
});

test("on a real disk: files are private, and everything comes back", async (t) => {
  const directory = join(tempDir(t), "deep", "data");
  const umask = process.umask(0);
  t.after(() => void process.umask(umask));
  const { store } = await openLedger(nodeDisk, { directory });
  await commitAll(store, countTo(1000));
  await store.compact();
  await commitAll(store, [1001, 1002]);
  await store.close();
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, "ledger.snapshot-00000002")).mode & 0o777, 0o600);
  assert.equal(statSync(join(directory, "ledger.journal-00000002")).mode & 0o777, 0o600);
  assert.equal(readFileSync(join(directory, "ledger.journal-00000002")).length, 40 + 2 * (12 + "entry 1001 ".length));
  const again = await openLedger(nodeDisk, { directory });
  assert.deepEqual(again.store.state.ids, countTo(1002));
  await again.store.close();
});

test("a directory that cannot be had is one clear sentence", async (t) => {
  const directory = join(tempDir(t), "file", "data");
  nodeDisk.close(nodeDisk.open(join(directory, ".."), "create"));
  await assert.rejects(openLedger(nodeDisk, { directory }), (error: Error) => {
    assert.ok(error instanceof StorageError);
    assert.match(error.message, /^Cannot open the ledger store in .*file\/data: ENOTDIR/);
    return true;
  });
});
