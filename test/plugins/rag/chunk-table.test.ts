import assert from "node:assert/strict";
import { test } from "node:test";
import { readChunkTable, writeChunkTable } from "../../../src/plugins/rag/chunk-table.ts";
import { readChunks } from "../../support/prepared.ts";

test("chunks are read back as they were written", () => {
  const headings = ["Guide", "a\tb"];
  const chunks = [
    { startByte: 3, endByte: 40, startLine: 2, endLine: 3, headings, symbol: undefined },
    { startByte: 41, endByte: 90, startLine: 3, endLine: 9, headings, symbol: "Parser.next" },
    { startByte: 90, endByte: 91, startLine: 9, endLine: 9, headings: [], symbol: "Parser.next" },
  ];
  assert.deepEqual(readChunkTable(writeChunkTable(chunks)), chunks);
  assert.deepEqual(readChunkTable(writeChunkTable([])), []);
});

test("places are those of the bytes, whatever the characters", async () => {
  const text = "# Größe\n\nIn Europa: 5 €, 😀.\n\n## Zwei\n\n" + "Wörter und Zeichen. ".repeat(100);
  const chunks = await readChunks(text, "a.md");
  assert.ok(chunks.length > 2);
  const bytes = Buffer.from(text);
  for (const { startByte, endByte, startLine, endLine, text: expected } of chunks) {
    const piece = bytes.toString("utf8", startByte, endByte);
    assert.equal(piece, expected);
    assert.equal(bytes.toString("utf8", 0, startByte).split("\n").length, startLine);
    assert.equal(endLine - startLine, piece.split("\n").length - 1);
  }
});
