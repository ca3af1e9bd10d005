import assert from "node:assert/strict";
import { test } from "node:test";
import { diagonalise } from "../../src/core/eigenvalues.ts";
import type { Eigensystem } from "../../src/core/eigenvalues.ts";
import { encodeLatent, LATENT_DIMENSIONS, trainLatent } from "../../src/core/latent.ts";
import type { LatentModel } from "../../src/core/latent.ts";
import { orthonormalise } from "../../src/core/subspace.ts";
import { termsOf } from "../../src/core/terms.ts";
import { forEachSeed, seededRandom } from "../support/random.ts";

const field = (text: string): { text: string; weight: number }[] => [{ text, weight: 1 }];

function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function train(texts: readonly string[]): LatentModel {
  return finish(trainLatent({ documentCount: texts.length, documentAt: (at) => field(texts[at]!) }));
}

function cosine(one: Float32Array, other: Float32Array): number {
  return (
    one.reduce((sum, component, at) => sum + component * other[at]!, 0) / (Math.hypot(...one) * Math.hypot(...other))
  );
}

test("eigenvalues: the matrix is what its parts make, and the vectors stand square", () => {
  forEachSeed(20, (random) => {
    const size = random.int(1, 12);
    const matrix = new Float64Array(size * size);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column <= row; column++) {
        matrix[row * size + column] = matrix[column * size + row] = random.int(-5, 5);
      }
    }
    const { values, vectors, order }: Eigensystem = finish(diagonalise(matrix.slice(), size));
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        let entry = 0;
        let product = 0;
        for (let at = 0; at < size; at++) {
          entry += vectors[row * size + at]! * values[at]! * vectors[column * size + at]!;
          product += vectors[at * size + row]! * vectors[at * size + column]!;
        }
        assert.ok(Math.abs(entry - matrix[row * size + column]!) < 1e-9, `entry ${row},${column}`);
        assert.ok(Math.abs(product - Number(row === column)) < 1e-9, `product ${row},${column}`);
      }
    }
    const sorted = order.map((at) => values[at]!);
    assert.deepEqual(
      sorted,
      sorted.toSorted((one, other) => other - one),
    );
  });
});

test("orthonormal columns: square to one another, dependent ones zero", () => {
  const random = seededRandom(2);
  const [termCount, width] = [40, 6];
  const columns = new Float64Array(termCount * width).map(() => random.next() - 0.5);
  for (let term = 0; term < termCount; term++)
    columns[term * width + 5] = columns[term * width]! - 2 * columns[term * width + 1]!;
  finish(orthonormalise(columns, width));
  for (let one = 0; one < width; one++) {
    for (let other = 0; other < width; other++) {
      let product = 0;
      for (let term = 0; term < termCount; term++)
        product += columns[term * width + one]! * columns[term * width + other]!;
      assert.ok(Math.abs(product - Number(one === other && one < 5)) < 1e-9, `columns ${one} and ${other}`);
    }
  }
});

/** Texts of four subjects, each with words of its own and a few of all. */
function subjectTexts(count: number): string[] {
  const random = seededRandom(8);
  return Array.from({ length: count }, (_, at) => {
    const own = Array.from({ length: 12 }, () => `subject${at % 4}word${random.int(0, 30)}`);
    return [...own, ...Array.from({ length: 4 }, () => `common${random.int(0, 10)}`)].join(" ");
  });
}

test("the directions are the first singular vectors of the weighted matrix", () => {
  const texts = subjectTexts(160);
  const model = train(texts);
  const terms = model.rows.size;
  const gram = new Float64Array(terms * terms);
  for (const text of texts) {
    const counts = new Map<number, number>();
    for (const term of termsOf(text)) {
      const row = model.rows.get(term);
      if (row !== undefined) counts.set(row, (counts.get(row) ?? 0) + 1);
    }
    const weights = [...counts].map(([row, count]) => [row, (1 + Math.log(count)) * model.idfs[row]!] as const);
    const length = Math.hypot(...weights.map(([, weight]) => weight));
    for (const [row, a] of weights)
      for (const [column, b] of weights) gram[row * terms + column]! += (a * b) / length ** 2;
  }
  const exact = finish(diagonalise(gram.slice(), terms));
  // The gap after the fourth value is wide, so these directions are well defined (up to their sign).
  for (let direction = 0; direction < 4; direction++) {
    let product = 0;
    for (let term = 0; term < terms; term++) {
      product +=
        model.basis[term * LATENT_DIMENSIONS + direction]! * exact.vectors[term * terms + exact.order[direction]!]!;
    }
    assert.ok(Math.abs(Math.abs(product) - 1) < 1e-4, `direction ${direction}: ${product}`);
  }
  // Further down, what counts is how much of the whole the 64 directions hold, against the best possible.
  let held = 0;
  for (let direction = 0; direction < LATENT_DIMENSIONS; direction++) {
    for (let row = 0; row < terms; row++) {
      const left = model.basis[row * LATENT_DIMENSIONS + direction]!;
      for (let column = 0; column < terms; column++) {
        held += left * gram[row * terms + column]! * model.basis[column * LATENT_DIMENSIONS + direction]!;
      }
    }
  }
  const best = exact.order.slice(0, LATENT_DIMENSIONS).reduce((sum, at) => sum + exact.values[at]!, 0);
  assert.ok(held > 0.99 * best && held < 1.000001 * best, `${held} of ${best}`);
});

test("texts of one subject are near without a word in common", () => {
  const model = train(subjectTexts(200));
  const one = encodeLatent(field("subject1word3 subject1word4 subject1word5"), model);
  const near = cosine(one, encodeLatent(field("subject1word20 subject1word21 subject1word22"), model));
  const far = cosine(one, encodeLatent(field("subject2word20 subject2word21 subject2word22"), model));
  assert.ok(near > 0.1 && far < 0.02, `same subject ${near}, another ${far}`);
});

test("the same documents give the same model", () => {
  const texts = subjectTexts(30);
  assert.deepEqual(train(texts), train(texts));
});

test("few documents, none, or none with words in common: fewer directions, never a number that is none", () => {
  for (const texts of [[], ["alone"], ["same words", "same words"], ["one two", "two three", "three one"]]) {
    const model = train(texts);
    assert.ok(model.basis.every(Number.isFinite));
    assert.ok(encodeLatent(field("same one unknown"), model).every(Number.isFinite));
    assert.deepEqual(encodeLatent(field("unknown"), model), new Float32Array(LATENT_DIMENSIONS));
  }
});

test("training gives up control often", () => {
  const texts = subjectTexts(400);
  const steps = trainLatent({ documentCount: texts.length, documentAt: (at) => field(texts[at]!) });
  let count = 0;
  while (!steps.next().done) count++;
  assert.ok(count > 40, `${count} slices`);
});
