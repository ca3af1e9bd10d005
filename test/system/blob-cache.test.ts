import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type BlobCache, openBlobCache } from "../../src/system/blob-cache.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/temp-dir.ts";

const keyOf = (number: number): string => number.toString(16).padStart(32, "0");
const valueOf = (number: number): Buffer => Buffer.from(`value ${number}`.repeat((number % 5) + 1));

async function fill(t: TestContext, count: number): Promise<string> {
  const path = join(tempDir(t), "x.cache");
  const cache = await openBlobCache(path, 1e9);
  for (let number = 0; number < count; number++) assert.equal(await cache.put(keyOf(number), valueOf(number)), true);
  await cache.close();
  return path;
}

async function intact(cache: BlobCache, upTo: number): Promise<number[]> {
  const found = [];
  for (let number = 0; number < upTo; number++) {
    const value = await cache.get(keyOf(number));
    if (value === undefined) continue;
    assert.deepEqual(value, valueOf(number));
    found.push(number);
  }
  return found;
}

test("what was put is there, also after opening it again; the last value of a key counts", async (t) => {
  const path = await fill(t, 20);
  const cache = await openBlobCache(path, 1e9);
  assert.equal(cache.count, 20);
  assert.equal((await intact(cache, 25)).length, 20);
  await cache.put(keyOf(3), Buffer.from("another"));
  await cache.put(keyOf(4), new Uint8Array(0));
  assert.equal(String(await cache.get(keyOf(3))), "another");
  await cache.close();
  const again = await openBlobCache(path, 1e9);
  assert.equal(String(await again.get(keyOf(3))), "another");
  assert.equal((await again.get(keyOf(4)))?.length, 0);
  assert.equal(await again.get(keyOf(99)), undefined);
  await again.close();
  assert.equal(await again.get(keyOf(3)), undefined, "nothing comes from a closed cache");
  assert.equal(await again.put(keyOf(3), new Uint8Array(1)), false);
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a file that was cut at any byte holds all whole values before the cut, and takes new ones", async (t) => {
  const whole = readFileSync(await fill(t, 6));
  const path = join(tempDir(t), "cut.cache");
  for (let cut = 0; cut <= whole.length; cut++) {
    writeFileSync(path, whole.subarray(0, cut));
    const cache = await openBlobCache(path, 1e9);
    const found = await intact(cache, 6);
    assert.deepEqual(
      found,
      found.map((_, index) => index),
      "the first ones",
    );
    if (cut === whole.length) assert.equal(found.length, 6);
    await cache.put(keyOf(5), valueOf(5));
    await cache.close();
    const again = await openBlobCache(path, 1e9);
    assert.deepEqual(await intact(again, 6), [...found.filter((number) => number !== 5), 5]);
    await again.close();
  }
});

test("damaged bytes cost values, never a wrong one", async (t) => {
  const whole = readFileSync(await fill(t, 8));
  const random = seededRandom(5);
  const path = join(tempDir(t), "bad.cache");
  for (let round = 0; round < 200; round++) {
    const bytes = Buffer.from(whole);
    for (let flips = random.int(1, 3); flips > 0; flips--)
      bytes[random.int(0, bytes.length - 1)]! ^= 1 << random.int(0, 7);
    writeFileSync(path, bytes);
    const cache = await openBlobCache(path, 1e9);
    await intact(cache, 8);
    await cache.close();
  }
  writeFileSync(path, "something else entirely");
  const cache = await openBlobCache(path, 1e9);
  assert.equal(cache.count, 0);
  await cache.close();
});

test("it stays within its bounds, and compaction makes room", async (t) => {
  const path = join(tempDir(t), "x.cache");
  const cache = await openBlobCache(path, 1_000);
  const outcomes = [];
  for (let number = 0; number < 30; number++) outcomes.push(await cache.put(keyOf(number), Buffer.alloc(72)));
  assert.equal(outcomes.filter(Boolean).length, 9);
  assert.ok(statSync(path).size <= 1_000);
  const [last] = await Promise.all([
    cache.get(keyOf(8)),
    cache.compact((key) => key >= keyOf(6)),
    cache.put(keyOf(40), Buffer.alloc(72, 7)),
  ]);
  assert.equal(last?.length, 72);
  assert.deepEqual(
    [cache.count, cache.has(keyOf(5)), cache.has(keyOf(6)), cache.has(keyOf(40))],
    [4, false, true, true],
  );
  assert.deepEqual(await cache.get(keyOf(40)), Buffer.alloc(72, 7));
  assert.equal(cache.sizeBytes, statSync(path).size);
  await cache.close();
  assert.equal(existsSync(`${path}.new`), false);
  const again = await openBlobCache(path, 1_000);
  assert.equal(again.count, 4);
  await again.close();
  appendFileSync(path, "torn");
  truncateSync(path, statSync(path).size - 1);
  const torn = await openBlobCache(path, 1_000);
  assert.equal(torn.count, 4);
  await torn.close();
});

test("keys tell parts apart", async (t) => {
  const cache = await openBlobCache(join(tempDir(t), "x.cache"), 1_000);
  const keys = [
    cache.keyOf("ab", "c"),
    cache.keyOf("a", "bc"),
    cache.keyOf("abc"),
    cache.keyOf("abc", ""),
    cache.keyOf(),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(cache.keyOf("ab", "c"), cache.keyOf(Buffer.from("ab"), "c"));
  assert.ok(keys.every((key) => /^[0-9a-f]{32}$/.test(key)));
  await cache.close();
});

test("where there can be no file, nothing is kept, and it is said why", async (t) => {
  const cache = await openBlobCache(tempDir(t), 1_000);
  assert.match(cache.problem!, /cannot be used as a cache: EISDIR/);
  assert.equal(await cache.put(keyOf(1), new Uint8Array(1)), false);
  assert.equal(await cache.get(keyOf(1)), undefined);
  assert.match(cache.keyOf("a"), /^[0-9a-f]{32}$/);
  await cache.close();
});

test("a key that is none is refused", async (t) => {
  const cache = await openBlobCache(join(tempDir(t), "x.cache"), 1_000);
  for (const key of ["", "abc", "z".repeat(32), `${keyOf(1)}00`])
    await assert.rejects(cache.put(key, new Uint8Array(1)), RangeError);
  assert.equal(await cache.put(keyOf(1), new Uint8Array(1)), true, "and the cache goes on");
  await cache.close();
});
