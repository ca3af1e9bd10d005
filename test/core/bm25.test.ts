import assert from "node:assert/strict";
import { test } from "node:test";
import { LexicalIndex } from "../../src/core/bm25.ts";
import type { Field } from "../../src/core/bm25.ts";
import { LARGEST_ID } from "../../src/core/id-set.ts";
import { parseQuery } from "../../src/core/query.ts";
import { SEGMENT_ROWS } from "../../src/core/segment.ts";
import { termsOf } from "../../src/core/terms.ts";
import { compareHits } from "../../src/core/top-k.ts";
import type { Hit } from "../../src/core/top-k.ts";
import { forEachSeed, seededRandom } from "../support/random.ts";
import type { Random } from "../support/random.ts";

type Corpus = Map<number, readonly Field[]>;

/** BM25 as it stands in the book: every document, every term, nothing kept. */
function scoreAll(corpus: Corpus, query: string): Hit[] {
  const documents = [...corpus].map(([id, fields]) => {
    const terms = fields.flatMap(({ text, weight }) =>
      termsOf(text).flatMap((term) => new Array<string>(weight).fill(term)),
    );
    return { id, terms };
  });
  const averageLength = documents.reduce((sum, { terms }) => sum + terms.length, 0) / documents.length;
  const hits = documents.map(({ id, terms }) => {
    let score = 0;
    for (const term of termsOf(query)) {
      const count = terms.filter((other) => other === term).length;
      const frequency = documents.filter((other) => other.terms.includes(term)).length;
      const idf = Math.log(1 + (documents.length - frequency + 0.5) / (frequency + 0.5));
      score += (idf * count * 2.5) / (count + 1.5 * (0.25 + (0.75 * terms.length) / averageLength));
    }
    return { id, score };
  });
  return hits.filter(({ score }) => score > 0).sort(compareHits);
}

/** Words whose frequencies fall as those of a language do. */
function randomText(random: Random, length: number): string {
  return Array.from({ length }, () => `w${Math.floor(40 ** random.next())}`).join(" ");
}

function randomFields(random: Random): Field[] {
  return [
    { text: randomText(random, random.int(0, 3)), weight: 2 },
    { text: randomText(random, random.int(0, 25)), weight: 1 },
  ];
}

function assertSameHits(actual: readonly Hit[], expected: readonly Hit[]): void {
  assert.deepEqual(
    actual.map(({ id }) => id),
    expected.map(({ id }) => id),
  );
  actual.forEach((hit, at) =>
    assert.ok(Math.abs(hit.score - expected[at]!.score) < 1e-9, `score ${hit.score} of ${hit.id}`),
  );
}

function indexOf(texts: readonly string[]): LexicalIndex {
  const index = new LexicalIndex();
  texts.forEach((text, id) => index.add(id, [{ text, weight: 1 }]));
  return index;
}

function idsOf(index: LexicalIndex, query: string): number[] {
  return index.search(parseQuery(query), { k: 100 }).map(({ id }) => id);
}

/** Whatever the ranking. */
function matchesOf(index: LexicalIndex, query: string): number[] {
  return idsOf(index, query).sort((one, other) => one - other);
}

test("after any adding and removing, hits and scores are those of the book", () => {
  forEachSeed(40, (random) => {
    const index = new LexicalIndex();
    const corpus: Corpus = new Map();
    for (let step = 0; step < 60; step++) {
      const id = random.int(0, 30);
      if (corpus.has(id)) {
        assert.equal(index.remove(id), true);
        corpus.delete(id);
      } else {
        const fields = randomFields(random);
        index.add(id, fields);
        corpus.set(id, fields);
      }
      if (step % 6 !== 5) continue;
      const query = randomText(random, random.int(1, 6));
      const k = random.int(1, 40);
      assertSameHits(index.search({ text: query }, { k }), scoreAll(corpus, query).slice(0, k));
      assert.equal(index.size, corpus.size);
    }
  });
});

test("what was removed leaves no trace: the index answers like a fresh one", () => {
  forEachSeed(10, (random) => {
    const used = new LexicalIndex();
    const fresh = new LexicalIndex();
    for (let id = 0; id < 200; id++) {
      const fields = randomFields(random);
      used.add(id, randomFields(random));
      used.remove(id);
      used.add(id, fields);
      fresh.add(id, fields);
    }
    for (const query of ["w1 w2 w3", "w7", "w20 w30 w3*", '"w1 w2"']) {
      const options = { k: 50 };
      assert.deepEqual(used.search(parseQuery(query), options), fresh.search(parseQuery(query), options), query);
    }
    assert.equal(used.averageLength, fresh.averageLength);
  });
});

test("over several segments, pruning changes nothing: not an id, not a bit of a score", () => {
  const random = seededRandom(5);
  const index = new LexicalIndex();
  const ids = new Set<number>();
  for (let id = 0; id < 2 * SEGMENT_ROWS + 500; id++) {
    index.add(id, [{ text: randomText(random, random.int(5, 40)), weight: 1 }]);
    ids.add(id);
  }
  for (let step = 0; step < 1500; step++) {
    const id = random.int(0, 2 * SEGMENT_ROWS);
    if (ids.delete(id)) index.remove(id);
  }
  for (const query of ["w1 w2", "w39 w1 w2 w3", "w30 w31 w32 w33", "w1", "w38 w39 w1 w1 w5"]) {
    const all = index.search({ text: query }, { k: ids.size });
    for (const k of [1, 10, 100])
      assert.deepEqual(index.search({ text: query }, { k }), all.slice(0, k), `${query}, ${k} best`);
    const filter = new Set([...ids].filter((id) => id % 7 === 0));
    assert.deepEqual(
      index.search({ text: query }, { k: 20, filter }),
      all.filter(({ id }) => filter.has(id)).slice(0, 20),
      query,
    );
  }
});

test("equal documents come in the order of their ids, however they came in", () => {
  const index = new LexicalIndex();
  for (const id of [9, 3, 7, 1]) index.add(id, [{ text: "the same words", weight: 1 }]);
  assert.deepEqual(idsOf(index, "words "), [1, 3, 7, 9]);
  assert.deepEqual(
    index.search({ text: "words" }, { k: 2 }).map(({ id }) => id),
    [1, 3],
  );
});

test("phrases: in a row, any word where the phrase has a stop word, identifiers by their parts", () => {
  const index = indexOf([
    "the state of the art in search",
    "state art",
    "art of the state",
    "call readFileSync(path) here",
    "read the file sync",
    "state of an art",
  ]);
  assert.deepEqual(matchesOf(index, '"state of the art"'), [0, 5]);
  assert.deepEqual(matchesOf(index, '"state art"'), [1]);
  assert.deepEqual(matchesOf(index, '"read file sync"'), [3]);
  assert.deepEqual(matchesOf(index, '"readFileSync path"'), [3]);
  assert.deepEqual(matchesOf(index, '"state unheard"'), []);
  assert.deepEqual(matchesOf(index, 'search "art"'), [0, 1, 2, 5]);
});

test("a phrase does not run from one field into the next", () => {
  const index = new LexicalIndex();
  index.add(1, [
    { text: "daily cron", weight: 2 },
    { text: "jobs run", weight: 1 },
  ]);
  assert.deepEqual(matchesOf(index, '"cron jobs"'), []);
  assert.deepEqual(matchesOf(index, '"daily cron" jobs'), [1]);
});

test("exclusions: words, identifiers, phrases", () => {
  const index = indexOf(["cron jobs daily", "cron jobs", "cron readFile", "cron file read"]);
  assert.deepEqual(matchesOf(index, "cron -daily "), [1, 2, 3]);
  assert.deepEqual(matchesOf(index, "cron -jobs "), [2, 3]);
  assert.deepEqual(matchesOf(index, "cron -readFile "), [0, 1, 3]);
  assert.deepEqual(matchesOf(index, 'cron -"jobs daily" '), [1, 2, 3]);
  assert.deepEqual(matchesOf(index, "-cron "), []);
});

test("the last word may be unfinished, where it is no word of its own or a star says so", () => {
  const index = indexOf(["configuration file", "configure it", "confide in me", "the con"]);
  assert.deepEqual(matchesOf(index, "config"), [0, 1]);
  assert.deepEqual(matchesOf(index, "configurat"), [0, 1]);
  assert.deepEqual(matchesOf(index, "config "), []);
  assert.deepEqual(matchesOf(index, "con"), [3]);
  assert.deepEqual(matchesOf(index, "con*"), [0, 1, 2, 3]);
});

test("k1 and b at work: fields weigh, long documents pay", () => {
  const index = new LexicalIndex();
  index.add(1, [
    { text: "backup", weight: 2 },
    { text: "how it is done", weight: 1 },
  ]);
  index.add(2, [
    { text: "how", weight: 2 },
    { text: "backup it is done", weight: 1 },
  ]);
  index.add(3, [
    { text: "how", weight: 2 },
    { text: `backup ${"more words ".repeat(50)}`, weight: 1 },
  ]);
  assert.deepEqual(idsOf(index, "backup "), [1, 2, 3]);
});

test("explain: the parts of a score add up to it", () => {
  const index = indexOf(["cron jobs daily", "cron cron", "other"]);
  const query = { text: "daily cron jobs" };
  const [hit] = index.search(query, { k: 1 });
  const parts = index.explain(query, hit!.id);
  assert.deepEqual(
    parts.map(({ term }) => term),
    ["daili", "cron", "job"],
  );
  assert.equal(
    parts.reduce((sum, { score }) => sum + score, 0),
    hit!.score,
  );
  assert.deepEqual(index.explain(query, 77), []);
  assert.equal(index.documentCount("cron"), 2);
});

test("an empty index, empty documents and empty queries find nothing", () => {
  const index = new LexicalIndex();
  assert.deepEqual(idsOf(index, "anything"), []);
  index.add(0, []);
  index.add(1, [{ text: "the of and", weight: 1 }]);
  assert.deepEqual(idsOf(index, "the of"), []);
  assert.deepEqual(idsOf(index, ""), []);
  assert.equal(index.averageLength, 0);
});

test("refuses ids and weights that it cannot keep, and what it has already", () => {
  const index = indexOf(["present"]);
  const add = (id: number, weight = 1): unknown => index.add(id, [{ text: "word", weight }]);
  assert.throws(() => add(0), /document 0: it is in the index already/);
  for (const id of [-1, 1.5, LARGEST_ID + 1]) assert.throws(() => add(id), RangeError);
  for (const weight of [0, 1.5, 256]) assert.throws(() => add(5, weight), RangeError);
  assert.equal(index.remove(5), false);
  assert.equal(index.size, 1);
  assert.deepEqual(idsOf(index, "present "), [0]);
});

test("a count past 255 still counts, as 255", () => {
  const index = indexOf([`${"echo ".repeat(300)}`, "echo once", "else"]);
  assert.deepEqual(idsOf(index, "echo "), [0, 1]);
});

test("names that mean something to JavaScript are words like others", () => {
  const index = indexOf(["__proto__ and constructor", "hasOwnProperty", "nothing"]);
  assert.deepEqual(idsOf(index, "__proto__ "), [0]);
  assert.deepEqual(idsOf(index, "hasOwnProperty "), [1]);
});

test("a constraint tells of each document what a search for its phrases and exclusions would", () => {
  forEachSeed(40, (random) => {
    const index = new LexicalIndex();
    const words = ["alpha", "beta", "gamma", "readFile", "the", "delta"];
    const sentence = (most: number): string =>
      Array.from({ length: random.int(1, most) }, () => random.pick(words)).join(" ");
    for (let id = 0; id < 60; id++) index.add(id, [{ text: `every ${sentence(12)}`, weight: 1 }]);
    for (let id = 0; id < 60; id += 7) index.remove(id);
    const phrases = random.next() < 0.7 ? [sentence(3)] : [];
    const excluded = random.next() < 0.7 ? [sentence(2)] : [];
    const { has } = index.constrain({ phrases, excluded });
    const found = new Set(index.search({ text: "every", phrases, excluded }, { k: 100 }).map(({ id }) => id));
    for (let id = 0; id < 70; id++) assert.equal(has(id), found.has(id), `${id}: "${phrases}" -"${excluded}"`);
  });
  const index = new LexicalIndex();
  index.add(1, [{ text: "alpha", weight: 1 }]);
  assert.equal(index.constrain({ phrases: ["never seen"] }).has(1), false);
  assert.equal(index.constrain({ phrases: ["the"] }).has(1), true);
});

test("its size counts what it holds: more with documents, less when they have gone", () => {
  const index = new LexicalIndex();
  const empty = index.sizeBytes;
  const random = seededRandom(7);
  for (let id = 0; id < 2 * SEGMENT_ROWS; id++) index.add(id, [{ text: randomText(random, 40), weight: 1 }]);
  const full = index.sizeBytes;
  const written = [...index.snapshot()].reduce((sum, piece) => sum + piece.length, 0);
  assert.ok(full > written && full < 2 * written + 1_000_000, `${full} of memory, ${written} written`);
  for (let id = 0; id < 2 * SEGMENT_ROWS; id++) index.remove(id);
  assert.ok(index.sizeBytes < full / 2, `${index.sizeBytes} of ${full}`);
  assert.ok(empty < 10_000, `${empty}`);
});
