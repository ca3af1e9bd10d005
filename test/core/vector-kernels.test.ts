import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, FLOAT_LISTING, INT8_LISTING } from "../../src/core/vector-kernels.ts";
import { assembleWat } from "../support/assemble-wat.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

for (const [name, listing] of Object.entries({ INT8_LISTING, FLOAT_LISTING })) {
  test(`${name}: the text assembles to the bytes beside it`, () => {
    assert.equal(hex(bytesOf(listing)), hex(assembleWat(listing)));
  });

  test(`${name}: a changed byte, and a changed instruction, are noticed`, () => {
    const otherByte = listing.replace("fd 00 04 20", "fd 00 04 30");
    assert.notEqual(hex(bytesOf(otherByte)), hex(assembleWat(otherByte)));
    const otherText = listing.replace("offset=32", "offset=48");
    assert.notEqual(hex(bytesOf(otherText)), hex(assembleWat(otherText)));
  });

  test(`${name}: under 350 bytes`, () => assert.ok(bytesOf(listing).length < 350));
}
