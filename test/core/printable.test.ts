import { test } from "node:test";
import assert from "node:assert/strict";
import { escapeUnprintable, quote, shorten } from "../../src/core/printable.ts";

test("control characters, separators and direction marks are escaped, other text is left alone", () => {
  assert.equal(escapeUnprintable("a\r\n\tb\u001b[31m"), "a\\r\\n\\tb\\u001b[31m");
  assert.equal(escapeUnprintable("\u0000\u007f\u009b"), "\\u0000\\u007f\\u009b");
  assert.equal(escapeUnprintable("\u2028\u202e\u2066\ufeff"), "\\u2028\\u202e\\u2066\\ufeff");
  assert.equal(escapeUnprintable('Grüße, "世界" 🙂 \\'), 'Grüße, "世界" 🙂 \\');
});

test("a quoted text reads back with JSON.parse, whatever character it holds", () => {
  for (let code = 0; code <= 0xffff; code++) {
    const text = `x${String.fromCharCode(code)}y`;
    const quoted = quote(text);
    if (JSON.parse(quoted) !== text || /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/.test(quoted)) assert.fail(quoted);
  }
});

test("a text is shortened without cutting a pair in half", () => {
  assert.equal(shorten("abcdef", 6), "abcdef");
  assert.equal(shorten("abcdefg", 6), "abcdef…");
  assert.equal(shorten("abc🙂def", 4), "abc…");
  assert.equal(shorten("abc🙂def", 5), "abc🙂…");
});
