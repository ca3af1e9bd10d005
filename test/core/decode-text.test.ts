import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeText } from "../../src/core/decode-text.ts";

test("text, and what is none", () => {
  assert.equal(decodeText(Buffer.from("h\u00e9llo\n")), "h\u00e9llo\n");
  assert.equal(decodeText(Buffer.from("\uFEFFabc")), "abc");
  assert.equal(decodeText(Buffer.from([0x61, 0xff, 0xc3, 0x62, 0xe2, 0x82])), "a\uFFFD\uFFFDb\uFFFD");
  assert.equal(decodeText(Buffer.from("a\0b")), undefined);
  assert.equal(decodeText(Buffer.from("\ufefft\0e\0x\0t\0", "utf16le")), undefined, "UTF-16 has zero bytes");
  assert.equal(decodeText(Buffer.concat([Buffer.alloc(8_192, "a"), Buffer.from([0])]))?.length, 8_193);
  assert.equal(decodeText(Buffer.alloc(0)), "");
});
