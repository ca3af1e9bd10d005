import assert from "node:assert/strict";
import { test } from "node:test";
import { IdSet } from "../../src/core/id-set.ts";
import { compareHits } from "../../src/core/top-k.ts";
import type { Hit } from "../../src/core/top-k.ts";
import type { VectorFormat } from "../../src/core/vector-formats.ts";
import { SLICE_ROWS } from "../../src/core/vector-rows.ts";
import type { KernelChoice } from "../../src/core/vector-rows.ts";
import { VectorIndex } from "../../src/core/vectors.ts";
import { forEachSeed, seededRandom } from "../support/random.ts";
import type { Random } from "../support/random.ts";

const FORMATS: readonly VectorFormat[] = ["int8", "float", "both"];
const KERNELS: readonly KernelChoice[] = ["simd", "scalar"];

function randomVector(random: Random, dimensions: number): Float32Array {
  return Float32Array.from({ length: dimensions }, () => random.next() + random.next() + random.next() - 1.5);
}

function toUnit(vector: Float32Array): Float64Array {
  const length = Math.hypot(...vector) || 1;
  return Float64Array.from(vector, (component) => component / length);
}

/** Cosines in double precision, of the vectors as 32-bit floats hold them. */
function searchAll(vectors: ReadonlyMap<number, Float32Array>, query: Float32Array, k: number): Hit[] {
  const unit = toUnit(query);
  const hits = [...vectors].map(([id, vector]) => {
    const row = Float32Array.from(toUnit(vector));
    return { id, score: row.reduce((sum, component, at) => sum + component * unit[at]!, 0) };
  });
  return hits.sort(compareHits).slice(0, k);
}

function assertNear(actual: readonly Hit[], expected: readonly Hit[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((hit, at) => {
    const difference = Math.abs(hit.score - expected[at]!.score);
    assert.ok(difference <= tolerance, `hit ${at}: ${hit.score} for ${expected[at]!.score}`);
  });
}

/**
 * The same vectors in each format and kernel; "both" and "float" must find what the oracle finds, "int8" something as
 * near.
 */
for (const format of FORMATS) {
  for (const kernel of KERNELS) {
    test(`${format} by ${kernel}: any adding, removing and filtering agrees with comparing all`, () => {
      forEachSeed(15, (random) => {
        const dimensions = random.pick([1, 3, 31, 32, 33, 64, 100]);
        const index = new VectorIndex({ dimensions, format, kernel });
        const vectors = new Map<number, Float32Array>();
        for (let step = 0; step < 300; step++) {
          const id = random.int(0, 120);
          if (vectors.delete(id)) {
            assert.equal(index.remove(id), true);
          } else {
            const vector = randomVector(random, dimensions);
            index.add(id, vector);
            vectors.set(id, vector);
          }
        }
        const query = randomVector(random, dimensions);
        const filter = new IdSet([...vectors.keys()].filter(() => random.next() < 0.4));
        const passing = new Map([...vectors].filter(([id]) => filter.has(id)));
        const tolerance = format === "int8" ? 0.02 : 1e-12;
        const k = random.int(1, 30);
        const hits = index.search(query, { k });
        assertNear(hits, searchAll(vectors, query, k), tolerance);
        const filtered = index.search(query, { k, filter });
        assertNear(filtered, searchAll(passing, query, k), tolerance);
        for (const { id } of filtered) assert.ok(filter.has(id));
        const costly = { has: (id: number) => filter.has(id), isCostly: true } as const;
        assert.deepEqual(index.search(query, { k, filter: costly }), filtered);
        if (format !== "int8")
          assert.deepEqual(
            hits.map(({ id }) => id),
            searchAll(vectors, query, k).map(({ id }) => id),
          );
        assert.equal(index.size, vectors.size);
        assert.equal(index.kernel, kernel);
      });
    });
  }
}

test("over many slices, near ties and equal rows, all kernels give the same ids and the same scores", () => {
  const random = seededRandom(11);
  const dimensions = 48;
  const base = randomVector(random, dimensions);
  const vectors = Array.from({ length: 2 * SLICE_ROWS + 77 }, (_, id) => {
    if (id % 3 === 0) return base.map((component) => component + (random.next() - 0.5) * 0.02);
    return id % 3 === 1 ? base : randomVector(random, dimensions);
  });
  const results = new Map<string, Hit[]>();
  for (const format of FORMATS) {
    for (const kernel of KERNELS) {
      const index = new VectorIndex({ dimensions, format, kernel });
      vectors.forEach((vector, id) => index.add(id, vector));
      results.set(`${format} ${kernel}`, index.search(vectors[0]!, { k: 40 }));
    }
  }
  const oracle = searchAll(new Map(vectors.entries()), vectors[0]!, 40);
  for (const kernel of KERNELS) {
    for (const format of ["float", "both"]) {
      const hits = results.get(`${format} ${kernel}`)!;
      assert.deepEqual(
        hits.map(({ id }) => id),
        oracle.map(({ id }) => id),
        `${format} ${kernel}`,
      );
      assert.deepEqual(hits, results.get("float scalar"), `${format} ${kernel}`);
    }
  }
  assert.deepEqual(results.get("int8 simd"), results.get("int8 scalar"));
});

test("the largest sums of an int8 row with an int16 query stay within 32 bits", () => {
  for (const dimensions of [512, 4096]) {
    const ones = new Float32Array(dimensions).fill(1);
    for (const kernel of KERNELS) {
      const index = new VectorIndex({ dimensions, format: "int8", kernel });
      index.add(1, ones);
      index.add(
        2,
        ones.map((component) => -component),
      );
      const hits = index.search(ones, { k: 2 });
      assert.deepEqual(
        hits.map(({ id }) => id),
        [1, 2],
      );
      assertNear(
        hits,
        [
          { id: 1, score: 1 },
          { id: 2, score: -1 },
        ],
        1e-4,
      );
    }
  }
});

test("a sparse filter and a dense one find the same as searching and sifting", () => {
  const random = seededRandom(3);
  const index = new VectorIndex({ dimensions: 40, format: "both" });
  for (let id = 0; id < SLICE_ROWS + 500; id++) index.add(id, randomVector(random, 40));
  const query = randomVector(random, 40);
  const all = index.search(query, { k: index.size });
  for (const every of [2, 50, 3000, 10_000]) {
    const filter = new IdSet(all.map(({ id }) => id).filter((id) => id % every === 1));
    assert.deepEqual(
      index.search(query, { k: 12, filter }),
      all.filter(({ id }) => filter.has(id)).slice(0, 12),
      `every ${every}th`,
    );
  }
});

test("a search in slices gives up control between them, and survives rows that move meanwhile", () => {
  const random = seededRandom(4);
  const index = new VectorIndex({ dimensions: 8, format: "both" });
  const count = 3 * SLICE_ROWS;
  for (let id = 0; id < count; id++) index.add(id, randomVector(random, 8));
  const query = randomVector(random, 8);
  const quiet = index.searchInSlices(query, { k: 5 });
  assert.deepEqual([quiet.next().done, quiet.next().done], [false, false]);
  const undisturbed = quiet.next();
  assert.deepEqual(undisturbed.value, index.search(query, { k: 5 }));

  const disturbed = index.searchInSlices(query, { k: 5 });
  disturbed.next();
  for (let id = 0; id < count; id++) if (id % 3 !== 0) index.remove(id);
  let step = disturbed.next();
  while (!step.done) step = disturbed.next();
  assert.deepEqual(step.value, index.search(query, { k: 5 }));
  assert.equal(index.size, SLICE_ROWS);
});

test("a vector of zeros is kept, and like nothing", () => {
  for (const format of FORMATS) {
    const index = new VectorIndex({ dimensions: 3, format });
    index.add(1, [0, 0, 0]);
    index.add(2, [1e-30, 0, 0]);
    assertNear(
      index.search([5e30, 0, 0], { k: 2 }),
      [
        { id: 2, score: 1 },
        { id: 1, score: 0 },
      ],
      1e-4,
    );
    assertNear(
      index.search([0, 0, 0], { k: 2 }),
      [
        { id: 1, score: 0 },
        { id: 2, score: 0 },
      ],
      0,
    );
  }
});

test("refuses wrong lengths, numbers that are none, taken ids; and stays as it was", () => {
  const index = new VectorIndex({ dimensions: 2, format: "float" });
  index.add(1, [1, 0]);
  assert.throws(() => index.add(1, [0, 1]), /vector 1: it is in the index already/);
  assert.throws(() => index.add(2, [1]), /a vector of 1 components: this index holds 2/);
  assert.throws(() => index.add(2, [1, Number.NaN]), /no finite number/);
  assert.throws(() => index.search([1, Infinity], { k: 1 }), /no finite number/);
  assert.throws(() => index.add(-1, [1, 1]), RangeError);
  assert.throws(() => new VectorIndex({ dimensions: 0, format: "float" }), RangeError);
  assert.equal(index.remove(2), false);
  assert.equal(index.size, 1);
  assert.deepEqual(index.search([2, 0], { k: 3 }), [{ id: 1, score: 1 }]);
});

test("where there is no WebAssembly, the plain loop steps in, unless SIMD was asked for", (t) => {
  const api = Object.getOwnPropertyDescriptor(globalThis, "WebAssembly")!;
  t.after(() => Object.defineProperty(globalThis, "WebAssembly", api));
  Reflect.deleteProperty(globalThis, "WebAssembly");
  const index = new VectorIndex({ dimensions: 2, format: "float" });
  assert.equal(index.kernel, "scalar");
  index.add(1, [3, 4]);
  assert.deepEqual(
    index.search([3, 4], { k: 1 }).map(({ id }) => id),
    [1],
  );
  assert.throws(() => new VectorIndex({ dimensions: 2, format: "float", kernel: "simd" }), /no WebAssembly/);
});
