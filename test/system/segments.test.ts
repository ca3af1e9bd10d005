import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nodeDisk } from "../../src/system/disk.ts";
import { openSegments, type RecordPlace, SegmentDamageError, type Segments } from "../../src/system/segments.ts";
import { FakeDisk } from "../support/fake-disk.ts";
import { seededRandom } from "../support/random.ts";
import { silentLog } from "../support/silent-log.ts";
import { tempDir } from "../support/temp-dir.ts";

const PAYLOADS = ["first", "", "the third", "x".repeat(500)].map((text) => Buffer.from(text));
const PATH = "/d/segment-00000001";

function open(disk: FakeDisk): Segments {
  return openSegments({ disk, log: silentLog }, "/d");
}

function textsOf(segments: Segments, places: readonly RecordPlace[], number = 1): string[] {
  return places.map((place) => segments.read(number, place).toString());
}

test("what is written is read, by place or all in turn, also after a restart", async () => {
  const disk = new FakeDisk();
  const places = await open(disk).write(1, PAYLOADS);
  const again = open(disk.kill());
  assert.deepEqual(again.list(), [1]);
  assert.deepEqual(textsOf(again, places), PAYLOADS.map(String));
  assert.deepEqual([...again.readAll(1)].map(String), PAYLOADS.map(String));
  assert.equal(again.sizeOf(1), places.at(-1)!.offset + places.at(-1)!.sizeBytes);
  again.remove(1);
  assert.deepEqual(again.list(), []);
  assert.throws(() => again.read(1, places[0]!), SegmentDamageError);
});

test("on a real disk too, larger than a slice, and from many segments", async (t) => {
  const segments = openSegments({ disk: nodeDisk, log: silentLog }, tempDir(t));
  const large = Buffer.alloc(700_000, "abc");
  const places = await Promise.all(
    Array.from({ length: 40 }, (_, at) => segments.write(at + 1, [Buffer.from(`s${at}`), large])),
  );
  for (const [at, [first, second]] of places.entries()) {
    assert.equal(segments.read(at + 1, first!).toString(), `s${at}`);
    assert.ok(segments.read(at + 1, second!).equals(large));
  }
  segments.close();
});

describe("a machine that stops at any step", () => {
  const steps = async (): Promise<number> => {
    for (let count = 1; ; count++) {
      const disk = new FakeDisk();
      disk.stopsAfter = count;
      if (
        await open(disk)
          .write(1, PAYLOADS)
          .then(
            () => !disk.isDead,
            () => false,
          )
      )
        return count;
    }
  };
  test("leaves the segment whole or nothing of it", async () => {
    const count = await steps();
    assert.ok(count > 4, `${count} steps`);
    for (let stopsAfter = 1; stopsAfter < count; stopsAfter++) {
      const disk = new FakeDisk();
      disk.stopsAfter = stopsAfter;
      await open(disk)
        .write(1, PAYLOADS)
        .catch(() => undefined);
      for (const after of [disk.kill(), disk.cutPower(seededRandom(stopsAfter))]) {
        const segments = open(after);
        for (const number of segments.list())
          assert.deepEqual([...segments.readAll(number)].map(String), PAYLOADS.map(String));
        assert.deepEqual(
          after.paths().filter((path) => path.endsWith(".tmp")),
          [],
        );
      }
    }
  });

  test("keeps what was acknowledged, whatever the power cut takes", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = new FakeDisk();
      const places = await open(disk).write(1, PAYLOADS);
      assert.deepEqual(textsOf(open(disk.cutPower(seededRandom(seed))), places), PAYLOADS.map(String));
    }
  });
});

for (const operation of ["create", "write", "flush", "rename"] as const) {
  test(`a disk that fails at ${operation} is an error, and leaves nothing`, async () => {
    const disk = new FakeDisk();
    const segments = open(disk);
    disk.fault = (asked) => (asked === operation ? "EIO" : undefined);
    await assert.rejects(segments.write(1, PAYLOADS), /EIO/);
    disk.fault = undefined;
    assert.deepEqual(disk.paths(), []);
    assert.deepEqual(textsOf(segments, await segments.write(1, PAYLOADS)), PAYLOADS.map(String));
  });
}

test("every bit counts: no damage passes for what was written", async () => {
  const disk = new FakeDisk();
  const places = await open(disk).write(1, PAYLOADS);
  const bytes = disk.get(PATH);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1 << (at % 8);
    const copy = disk.copy();
    copy.put(PATH, damaged);
    assert.throws(() => [...open(copy).readAll(1)], SegmentDamageError, `byte ${at}`);
    assert.throws(() => textsOf(open(copy), places), SegmentDamageError, `byte ${at}`);
  }
});

test("cut off, missing, or another segment under its name: told by the path", async () => {
  const disk = new FakeDisk();
  const places = await open(disk).write(1, PAYLOADS);
  await open(disk).write(2, PAYLOADS);
  const cut = disk.copy();
  cut.put(PATH, disk.get(PATH).subarray(0, -1));
  assert.throws(() => open(cut).read(1, places.at(-1)!), /segment-00000001 ends before its time/);
  const exchanged = disk.copy();
  exchanged.put(PATH, disk.get("/d/segment-00000002"));
  assert.throws(() => open(exchanged).read(1, places[0]!), /does not match its checksum/);
  assert.throws(() => open(new FakeDisk()).read(1, places[0]!), /segment-00000001 is missing/);
});
