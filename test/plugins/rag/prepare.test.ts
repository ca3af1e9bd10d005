import assert from "node:assert/strict";
import { test } from "node:test";
import { readChunkTable } from "../../../src/plugins/rag/chunk-table.ts";
import { partsOf, wholeLinesOf } from "../../../src/plugins/rag/long-text.ts";
import { prepareDocument } from "../../../src/plugins/rag/prepare.ts";
import { preparedDocument } from "../../support/prepared.ts";

test("parts joined are the text; they end at lines, else at spaces, never within a character", () => {
  const texts = [
    "",
    "short",
    "a\n".repeat(50),
    "word ".repeat(40),
    "x".repeat(95),
    "😀".repeat(33),
    `${"y".repeat(15)}\n${"z".repeat(60)}`,
  ];
  for (const text of texts) {
    const parts = [...partsOf(text, 20)];
    assert.equal(parts.join(""), text);
    for (const part of parts) assert.ok(part.isWellFormed() && part.length <= 20, JSON.stringify(part));
  }
  assert.deepEqual([...partsOf("one two\nthree four", 12)], ["one two\n", "three four"]);
});

test("whole lines: what stands in one is not parted, however long it is", () => {
  assert.deepEqual([...wholeLinesOf("a b\nc d e f g h i\nj\nk", 6)], ["a b\n", "c d e f g h i\n", "j\nk"]);
  assert.deepEqual([...wholeLinesOf("no end of line", 6)], ["no end of line"]);
  assert.deepEqual([...wholeLinesOf("", 6)], [""]);
  assert.deepEqual([...wholeLinesOf("abcde\nfghij\n", 6)], ["abcde\n", "fghij\n"]);
});

test("secrets are found wherever they stand in a long text, with a turn of the loop in between", async () => {
  const lines = Array.from({ length: 9000 }, (_, at) => `line ${at} of the text; SECRET-${at}${at % 9 ? " x" : ""}\n`);
  let [longest, turns] = [0, 0];
  const services = {
    redact(piece: string): string {
      longest = Math.max(longest, piece.length);
      return piece.replaceAll(/SECRET-\d+$/gm, "-");
    },
    giveWay: async () => void turns++,
  };
  const document = await prepareDocument(services, await preparedDocument(""), { text: lines.join(""), path: "a.md" });
  assert.equal(document.text.toString().match(/; -$/gm)?.length, 1000);
  assert.ok(longest <= 131_072 && turns > 20, `${longest} characters at once, ${turns} turns`);
});

test("a key is not cut in two", () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${"abcd\n".repeat(5)}-----END PRIVATE KEY-----\n`;
  const text = `${"line\n".repeat(9)}${key}${"line\n".repeat(9)}`;
  const parts = [...partsOf(text, 80)];
  assert.equal(parts.join(""), text);
  assert.ok(
    parts.some((part) => part.includes(key)),
    JSON.stringify(parts),
  );
});

test("a long text has the places that it would have as one", async () => {
  const line = "Größe und Gewicht 😀 of a line that is neither long nor short\n";
  const text = line.repeat(40_000);
  let turns = 0;
  const services = {
    redact: (part: string) => part.replaceAll("Gewicht", "[redacted]"),
    giveWay: async () => void turns++,
  };
  const document = await prepareDocument(services, await preparedDocument(""), { text, path: "a.txt" });
  assert.ok(turns > 4, `${turns} turns`);
  assert.equal(document.text.toString(), text.replaceAll("Gewicht", "[redacted]"));
  assert.equal(document.lineCount, 40_000);
  let [endByte, endLine] = [0, 0];
  for (const chunk of readChunkTable(document.table)) {
    const piece = document.text.toString("utf8", chunk.startByte, chunk.endByte);
    assert.match(piece, /^Größe[^]*short$/);
    assert.ok(chunk.startByte >= endByte && chunk.startLine > endLine);
    assert.equal(chunk.endLine - chunk.startLine, piece.split("\n").length - 1);
    [endByte, endLine] = [chunk.endByte, chunk.endLine];
  }
  assert.equal(endLine, 40_000);
});
