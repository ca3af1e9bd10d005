import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { RECORD_HEADER_BYTES, RecordBuffer, recordBytes } from "../../src/system/record.ts";
import { FOOTER_BYTES } from "../../src/system/snapshot.ts";
import { encodeHeader, FILE_HEADER_BYTES, newHeader } from "../../src/system/state-file.ts";
import { FakeDisk } from "../support/fake-disk.ts";
import { commitAll, countTo, openLedger } from "../support/ledger.ts";
import type { LedgerHome } from "../support/ledger.ts";
import { seededRandom } from "../support/random.ts";

const RECORDS = 12;
const JOURNAL = "/data/ledger.journal-00000001";
const CORRUPT = /\.corrupt-\d{8}T\d{6}\.\d{3}Z$/;

/**
 * A disk with one journal of {@link RECORDS} records, and where each of them ends. The last is long, so that what is
 * left of it when it is cut off can be longer than the record after it.
 */
async function oneJournal(): Promise<{ disk: FakeDisk; ends: number[] }> {
  const disk = new FakeDisk();
  const { store } = await openLedger(disk);
  const ends: number[] = [];
  for (const id of countTo(RECORDS)) {
    await store.commit({ id, paddingBytes: id === RECORDS ? 60 : 0 });
    ends.push(disk.get(JOURNAL).length);
  }
  await store.close();
  return { disk, ends };
}

/** Commits one more, and sees that all of it is there after a kill, and that this start has nothing to complain of. */
async function goesOn(home: LedgerHome, disk: FakeDisk): Promise<void> {
  const expected = [...home.store.state.ids, 99];
  await home.store.commit({ id: 99 });
  const again = await openLedger(disk.kill());
  assert.deepEqual(again.store.state.ids, expected);
  assert.equal(again.corruptions, 0);
}

function setAside(disk: FakeDisk): string[] {
  return disk
    .paths()
    .filter((path) => CORRUPT.test(path))
    .map((path) => path.replace(CORRUPT, ""));
}

describe("a journal", () => {
  test("cut at any byte has its whole records, and takes the next one", async () => {
    const { disk, ends } = await oneJournal();
    for (let length = 0; length <= disk.get(JOURNAL).length; length++) {
      const cut = disk.copy();
      cut.damage(JOURNAL, (bytes) => bytes.subarray(0, length));
      const home = await openLedger(cut);
      assert.deepEqual(home.store.state.ids, countTo(ends.filter((end) => end <= length).length), `cut at ${length}`);
      assert.equal(home.corruptions, 0);
      await goesOn(home, cut);
    }
  });

  test("with any flipped bit has the records before it, is set aside, and complains once", async () => {
    const { disk, ends } = await oneJournal();
    for (let bit = 0; bit < disk.get(JOURNAL).length * 8; bit += 3) {
      const position = bit >> 3;
      const damaged = disk.copy();
      damaged.damage(JOURNAL, (bytes) => void (bytes[position]! ^= 1 << (bit & 7)));
      const home = await openLedger(damaged);
      const whole = position < FILE_HEADER_BYTES ? 0 : ends.filter((end) => end <= position).length;
      assert.deepEqual(home.store.state.ids, countTo(whole), `bit ${bit}`);
      assert.equal(home.corruptions, 1);
      assert.ok(home.log.lines.some((line) => line.level === "error" && line.fields["path"] === JOURNAL));
      assert.deepEqual(setAside(damaged), [JOURNAL]);
      await goesOn(home, damaged);
    }
  });

  test("with a zeroed page anywhere has the records before it", async () => {
    const { disk, ends } = await oneJournal();
    const sizeBytes = disk.get(JOURNAL).length;
    for (let start = FILE_HEADER_BYTES; start < sizeBytes; start += 16) {
      const damaged = disk.copy();
      damaged.damage(JOURNAL, (bytes) => void bytes.fill(0, start, Math.min(start + 32, sizeBytes)));
      const home = await openLedger(damaged);
      assert.deepEqual(home.store.state.ids, countTo(ends.filter((end) => end <= start).length));
      assert.equal(home.corruptions, 1);
      await goesOn(home, damaged);
    }
  });

  test("with a record that no version wrote is damaged from there, though its checksum is good", async () => {
    const disk = new FakeDisk();
    const encode = ({ id }: { id: number }): Buffer[] => [Buffer.from(id === 3 ? "gibberish" : `entry ${id} `)];
    const writer = await openLedger(disk, { definition: { encode } });
    await commitAll(writer.store, countTo(5));
    const next = disk.kill();
    const home = await openLedger(next);
    assert.deepEqual(home.store.state.ids, [1, 2]);
    assert.equal(home.corruptions, 1);
    assert.deepEqual(setAside(next), [JOURNAL]);
    await goesOn(home, next);
  });

  test("that is missing between others ends what can be used, and the later ones are set aside", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk, { settings: { maxJournalBytes: 256 }, definition: { snapshot: failing } });
    for (const id of countTo(40)) await store.commit({ id });
    const next = disk.kill();
    const journals = next.paths();
    assert.ok(journals.length > 3);
    next.remove(journals[1]!);
    const home = await openLedger(next);
    assert.ok(home.store.state.ids.length > 0);
    assert.deepEqual(home.store.state.ids, countTo(home.store.state.ids.length));
    assert.deepEqual(setAside(next), journals.slice(2));
    await goesOn(home, next);
  });
});

test("a journal that begins before its snapshot ends is not applied twice", async () => {
  const disk = new FakeDisk();
  const { store } = await openLedger(disk);
  await commitAll(store, [1, 2, 3]);
  await store.compact();
  await store.close();
  const records = new RecordBuffer();
  for (const number of [2, 3, 4, 5]) {
    const pieces = [Buffer.from(`entry ${number} `)];
    records.add(pieces, recordBytes(pieces), number);
  }
  const header = encodeHeader(newHeader("journal", { generation: 2, sequence: 2, stateVersion: 1 }));
  disk.put("/data/ledger.journal-00000002", Buffer.concat([header, records.bytes.subarray(0, records.length)]));
  assert.deepEqual((await openLedger(disk)).store.state.ids, countTo(5));
});

function failing(): never {
  throw new Error("no snapshot this time");
}

/** Two snapshots, with journals after each. */
async function twoSnapshots(): Promise<FakeDisk> {
  const disk = new FakeDisk();
  const { store } = await openLedger(disk);
  await commitAll(store, countTo(20));
  await store.compact();
  await commitAll(store, [21, 22, 23]);
  await store.compact();
  await commitAll(store, [24, 25, 26]);
  await store.close();
  return disk;
}

const NEWEST = "/data/ledger.snapshot-00000003";
const PREVIOUS = "/data/ledger.snapshot-00000002";

describe("a snapshot", () => {
  test("damaged in any way falls back to the previous one and the journals: nothing is lost", async () => {
    const disk = await twoSnapshots();
    const sizeBytes = disk.get(NEWEST).length;
    for (let position = 0; position < sizeBytes; position++) {
      for (const damage of [
        (bytes: Buffer): Buffer => bytes.subarray(0, position),
        (bytes: Buffer): void => void (bytes[position]! ^= 1 << (position & 7)),
      ]) {
        const damaged = disk.copy();
        damaged.damage(NEWEST, damage);
        const home = await openLedger(damaged);
        assert.deepEqual(home.store.state.ids, countTo(26), `at ${position}`);
        assert.equal(home.corruptions, 1);
        assert.deepEqual(setAside(damaged), [NEWEST]);
        await goesOn(home, damaged);
      }
    }
  });

  test("that has lost bytes before its end falls back too", async () => {
    const disk = await twoSnapshots();
    const sizeBytes = disk.get(NEWEST).length;
    // Of its last piece, up to all of it: "17,18 ... 23".
    for (let lost = 1; lost <= RECORD_HEADER_BYTES + "17,18,19,20,21,22,23".length; lost++) {
      const damaged = disk.copy();
      damaged.damage(NEWEST, (bytes) =>
        Buffer.concat([bytes.subarray(0, sizeBytes - FOOTER_BYTES - lost), bytes.subarray(sizeBytes - FOOTER_BYTES)]),
      );
      const home = await openLedger(damaged);
      assert.deepEqual(home.store.state.ids, countTo(26), `${lost} lost`);
      assert.equal(home.corruptions, 1);
    }
  });

  test("that restore cannot read falls back too", async () => {
    const disk = await twoSnapshots();
    let calls = 0;
    const restore = (): { ids: number[] } => {
      if (calls++ === 0) throw new RangeError("not a ledger");
      return { ids: countTo(20) };
    };
    const home = await openLedger(disk, { definition: { restore } });
    assert.deepEqual(home.store.state.ids, countTo(26));
    assert.deepEqual(setAside(disk), [NEWEST]);
  });

  test("missing altogether, both of them: all is said, and all is kept aside", async () => {
    const disk = await twoSnapshots();
    for (const path of [NEWEST, PREVIOUS]) disk.damage(path, (bytes) => bytes.subarray(0, 50));
    const files = disk.paths();
    const home = await openLedger(disk);
    assert.deepEqual(home.store.state.ids, []);
    assert.equal(home.corruptions, 4);
    assert.equal(home.log.lines.filter((line) => line.level === "error").length, 4);
    assert.deepEqual(setAside(disk), files);
    await goesOn(home, disk);
  });

  test("of the first generation falls back to the very beginning", async () => {
    const disk = new FakeDisk();
    const { store } = await openLedger(disk);
    await commitAll(store, countTo(5));
    await store.compact();
    await store.commit({ id: 6 });
    await store.close();
    disk.damage(PREVIOUS, (bytes) => void bytes.fill(0, 60));
    const home = await openLedger(disk);
    assert.deepEqual(home.store.state.ids, countTo(6));
    assert.deepEqual(setAside(disk), [PREVIOUS]);
    await goesOn(home, disk);
  });

  test("with damage in the journal after it, too, has what is before the damage", async () => {
    const disk = await twoSnapshots();
    disk.damage(NEWEST, (bytes) => void bytes.fill(0, 60));
    disk.damage("/data/ledger.journal-00000002", (bytes) => void bytes.fill(0, 70, 80));
    const home = await openLedger(disk);
    assert.deepEqual(home.store.state.ids, countTo(21));
    assert.equal(home.corruptions, 3, "the snapshot, the journal, and the journal that has lost its predecessor");
    await goesOn(home, disk);
  });
});

/** Commits, compactions, a restart: everything that changes the disk. Adds to `acknowledged` as it goes. */
async function scenario(disk: FakeDisk, durability: "async" | "sync", acknowledged: number[]): Promise<void> {
  const settings = { durability, maxJournalBytes: 600 };
  const { store } = await openLedger(disk, { settings });
  const commit = async (ids: number[]): Promise<void> => {
    await Promise.all(ids.map((id) => store.commit({ id }).then(() => acknowledged.push(id))));
  };
  await commit(countTo(5));
  await store.compact();
  await commit([6]);
  for (const id of [7, 8, 9]) await commit([id]);
  const compaction = store.compact();
  await Promise.all([commit([10, 11]), compaction]);
  await commit([12, 13]);
  await store.compact();
  await commit([14]);
  await store.close();
}

/** Lets the turns that a stopped machine still takes pass: what waits for it waits for ever. */
async function orStopped(work: Promise<void>, disk: FakeDisk): Promise<void> {
  let isOver = false;
  work.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  while (!isOver && !disk.isDead) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

describe("a machine that stops at any step", () => {
  for (const durability of ["async", "sync"] as const) {
    for (const ending of ["kill", "power cut"] as const) {
      test(`comes back (${durability}, ${ending})`, async () => {
        const random = seededRandom(7);
        let step = 1;
        for (; ; step++) {
          const disk = new FakeDisk();
          disk.stopsAfter = step;
          const acknowledged: number[] = [];
          await orStopped(scenario(disk, durability, acknowledged), disk);
          if (!disk.isDead) break;
          const next = ending === "kill" ? disk.kill() : disk.cutPower(random);
          const home = await openLedger(next);
          const found = home.store.state.ids;
          assert.deepEqual(found, countTo(found.length), `step ${step}: a prefix`);
          if (durability === "sync" || ending === "kill") {
            assert.ok(found.length >= acknowledged.length, `step ${step}: ${found.length} of ${acknowledged.length}`);
          }
          if (ending === "kill") assert.equal(home.corruptions, 0, `step ${step}: no damage by a kill`);
          await goesOn(home, next);
        }
        assert.ok(step > 40, `only ${step} steps`);
      });
    }
  }

  test("while it repairs damage finds the same again", async () => {
    const original = await twoSnapshots();
    original.damage("/data/ledger.journal-00000003", (bytes) => void bytes.fill(0, 70, 80));
    let step = 1;
    for (; ; step++) {
      const disk = original.copy();
      disk.stopsAfter = step;
      await orStopped(
        openLedger(disk).then(() => undefined),
        disk,
      );
      if (!disk.isDead) break;
      const next = disk.cutPower(seededRandom(step));
      const home = await openLedger(next);
      assert.deepEqual(home.store.state.ids, countTo(24), `step ${step}`);
      // The power cut may take back the new name; by then nothing depends on the file any more.
      assert.ok(setAside(next).length <= 1);
      await goesOn(home, next);
    }
    assert.ok(step > 5, `only ${step} steps`);
  });
});
