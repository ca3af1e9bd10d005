import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CutEnds, redact } from "../../src/core/redact.ts";
import { OutputBuffer } from "../../src/system/output-tail.ts";
import { forEachSeed } from "../support/random.ts";

function collect(keptBytes: number, chunks: readonly string[]): OutputBuffer {
  const buffer = new OutputBuffer(keptBytes);
  for (const chunk of chunks) buffer.push(Buffer.from(chunk, "latin1"));
  return buffer;
}

describe("what is kept of a stream", () => {
  const rows: readonly [string, number, readonly string[], string, number][] = [
    ["nothing", 8, [], "", 0],
    ["all of a stream that fits", 8, ["abc", "", "defgh"], "abcdefgh", 0],
    ["the beginning and the end of one that does not", 8, ["abcdefghijkl"], "ab\n[... 4 bytes cut ...]\nghijkl", 4],
    ["the same from many pieces", 8, [..."abcdefghijkl"], "ab\n[... 4 bytes cut ...]\nghijkl", 4],
    ["nothing of a stream that nobody wants", 0, ["abc"], "\n[... 3 bytes cut ...]\n", 3],
    ["whole characters at the cut", 8, ["a\xc3\xbc", "---\xe2\x82\xac", "12345"], "a\n[... 8 bytes cut ...]\n12345", 8],
  ];
  for (const [name, keptBytes, chunks, text, cutBytes] of rows) {
    test(name, () => {
      const sizeBytes = chunks.join("").length;
      assert.deepEqual(collect(keptBytes, chunks).read(), { text, sizeBytes, cutBytes });
    });
  }

  test("shows no half of a secret where it was cut", () => {
    const hide = (text: string, cut?: CutEnds): string => redact(text, ["canary-secret"], cut);
    for (let at = 0; at < 60; at++) {
      const whole = `${"x".repeat(at)}canary-secret${"y".repeat(60 - at)}`;
      const { text } = collect(40, [whole]).read(hide);
      assert.doesNotMatch(text, /cana|anar|nary|secr|ecre|cret/, `${at}: ${text}`);
    }
  });

  test("is what a slice of the whole says, in whatever pieces it comes", () => {
    forEachSeed(200, (random) => {
      const codes = Array.from({ length: random.int(0, 40_000) }, () => random.int(33, 126));
      const whole = Buffer.from(codes).toString();
      const chunks: string[] = [];
      for (let at = 0; at < whole.length;) {
        const size = random.int(1, random.pick([3, 500, 30_000]));
        chunks.push(whole.slice(at, at + size));
        at += size;
      }
      const keptBytes = random.int(4, 20_000);
      const headBytes = Math.floor(keptBytes / 4);
      const cutBytes = Math.max(0, whole.length - keptBytes);
      const end = whole.slice(headBytes + cutBytes);
      const text = cutBytes === 0 ? whole : `${whole.slice(0, headBytes)}\n[... ${cutBytes} bytes cut ...]\n${end}`;
      const buffer = collect(keptBytes, chunks);
      assert.deepEqual(buffer.read(), { text, sizeBytes: whole.length, cutBytes });
      const count = random.int(1, keptBytes - headBytes);
      assert.equal(buffer.readLast(count).toString(), whole.slice(-count));
    });
  });
});
