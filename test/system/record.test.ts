import assert from "node:assert/strict";
import { test } from "node:test";

import { RECORD_HEADER_BYTES, RecordBuffer, recordBytes, RecordReader } from "../../src/system/record.ts";
import { FakeDisk } from "../support/fake-disk.ts";
import { forEachSeed } from "../support/random.ts";

const FIRST_NUMBER = 7;

/** The records of these payloads, as bytes. */
function encode(payloads: readonly (readonly Uint8Array[])[], firstNumber = FIRST_NUMBER): Buffer {
  const buffer = new RecordBuffer();
  payloads.forEach((pieces, index) => buffer.add(pieces, recordBytes(pieces), firstNumber + index));
  return Buffer.from(buffer.bytes.subarray(0, buffer.length));
}

function read(bytes: Buffer): { payloads: string[]; reader: RecordReader } {
  const disk = new FakeDisk();
  disk.put("/file", bytes);
  const reader = new RecordReader(disk, disk.open("/file", "read"), {
    start: 0,
    end: bytes.length,
    firstNumber: FIRST_NUMBER,
  });
  const payloads: string[] = [];
  for (let payload = reader.next(); payload; payload = reader.next()) payloads.push(payload.toString("latin1"));
  return { payloads, reader };
}

const words = ["one", "", "three", "four and more", "5"];
const sample = encode(words.map((word) => [Buffer.from(word)]));
/** Where each record ends. */
const ends = words.reduce<number[]>((all, word) => [...all, (all.at(-1) ?? 0) + RECORD_HEADER_BYTES + word.length], []);

test("records come back, whatever pieces they were made of", () => {
  assert.deepEqual(read(sample).payloads, words);
  assert.deepEqual(read(encode([[Buffer.from("a"), Buffer.from("bc"), Buffer.alloc(0)]])).payloads, ["abc"]);
});

test("a record has the same bytes as one of a single piece", () => {
  assert.deepEqual(encode([[Buffer.from("a"), Buffer.from("bc")]]), encode([[Buffer.from("abc")]]));
});

test("cut anywhere, the whole records are there and the rest is told apart as torn", () => {
  for (let length = 0; length <= sample.length; length++) {
    const whole = ends.filter((end) => end <= length).length;
    const { payloads, reader } = read(sample.subarray(0, length));
    assert.deepEqual(payloads, words.slice(0, whole));
    assert.equal(reader.position, ends[whole - 1] ?? 0);
    assert.equal(reader.end.kind, length === (ends[whole - 1] ?? 0) ? "whole" : "torn", `cut at ${length}`);
  }
});

test("any flipped bit is damage, never a torn end and never a record", () => {
  for (let bit = 0; bit < sample.length * 8; bit++) {
    const bytes = Buffer.from(sample);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const whole = ends.filter((end) => end <= bit >> 3).length;
    const { payloads, reader } = read(bytes);
    assert.deepEqual(payloads, words.slice(0, whole));
    assert.equal(reader.end.kind, "damaged", `bit ${bit}`);
  }
});

test("zeros are damage", () => {
  assert.equal(read(Buffer.concat([sample, Buffer.alloc(64)])).reader.end.kind, "damaged");
});

test("a good record in the place of another is damage", () => {
  const other = encode(
    words.map((word) => [Buffer.from(word)]),
    FIRST_NUMBER + 1,
  );
  assert.deepEqual(read(other).payloads, []);
  const twice = Buffer.concat([sample, sample.subarray(0, ends[0])]);
  const { payloads, reader } = read(twice);
  assert.deepEqual(payloads, words);
  assert.equal(reader.end.kind, "damaged");
});

test("a file that cannot be read is damaged from there", () => {
  const disk = new FakeDisk();
  disk.put("/file", sample);
  disk.fault = (operation) => (operation === "read" ? "EIO" : undefined);
  const region = { start: 0, end: sample.length, firstNumber: FIRST_NUMBER };
  const reader = new RecordReader(disk, disk.open("/file", "read"), region);
  assert.equal(reader.next(), undefined);
  assert.match(JSON.stringify(reader.end), /cannot be read \(EIO/);
});

test("payloads of all sizes come back over the ends of blocks", () => {
  forEachSeed(3, (random) => {
    const sizes = Array.from({ length: 24 }, () => random.pick([0, 1, 50, 70_000, 1 << 20]));
    const payloads = sizes.map((sizeBytes) => Buffer.alloc(sizeBytes, random.int(0, 255)));
    const { payloads: found, reader } = read(encode(payloads.map((payload) => [payload])));
    assert.equal(reader.end.kind, "whole");
    assert.ok(payloads.every((payload, index) => payload.toString("latin1") === found[index]));
  });
});

test("an empty piece does not begin the checksum anew, not even one without memory", async () => {
  const empty = Buffer.from("");
  // After this zlib is handed a null pointer for it.
  await crypto.subtle.digest("SHA-256", empty);
  assert.deepEqual(read(encode([[Buffer.from("a"), empty], [empty], [Buffer.from("b")]])).payloads, ["a", "", "b"]);
});
