import assert from "node:assert/strict";
import { test } from "node:test";
import { chunkText } from "../../src/core/chunk.ts";
import type { Chunk } from "../../src/core/chunk.ts";
import { forEachSeed } from "../support/random.ts";

/** What holds for every text: order, coverage, lines, sizes. */
function assertSound(text: string, chunks: readonly Chunk[], largest: number): void {
  let last = 0;
  for (const chunk of chunks) {
    assert.ok(chunk.start >= last, `chunk at ${chunk.start} after ${last}`);
    assert.equal(text.slice(last, chunk.start).trim(), "", "nothing but blank space between chunks");
    assert.equal(chunk.text, text.slice(chunk.start, chunk.end));
    assert.notEqual(chunk.text.trim(), "");
    assert.equal(chunk.startLine, text.slice(0, chunk.start).split("\n").length);
    assert.equal(chunk.endLine, text.slice(0, chunk.end - 1).split("\n").length);
    assert.ok(chunk.text.length <= largest, `${chunk.text.length} characters`);
    last = chunk.end;
  }
  assert.equal(text.slice(last).trim(), "");
}

test("any text, as any kind of file, is covered in order", () => {
  const pieces = [
    "# Title\n",
    "## Part\n",
    "```sh\n# no heading\n",
    "```\n",
    "\n",
    "\n\n",
    "word ",
    "A sentence. ",
    "Setext\n===\n",
    "Other\n---\n",
    "---\n",
    "function name() {\n",
    "  return 1;\n}\n",
    "class A:\n",
    "    def b(self):\n",
    "// comment\n",
    "\t",
    "\r\n",
    "😀",
    "\ud800",
    "x".repeat(500),
    "語".repeat(300),
    "- item\n",
    "| a | b |\n",
    "pub fn go() {}\n",
    "int main(void) {\n",
  ];
  forEachSeed(150, (random) => {
    const text = Array.from({ length: random.int(0, 120) }, () => random.pick(pieces)).join("");
    for (const name of [
      "a.md",
      "a.ts",
      "a.py",
      "a.rs",
      "a.c",
      "a.go",
      "A.java",
      "a.sh",
      "a.json",
      "a.txt",
      "LICENSE",
    ]) {
      const isCode = !/md$|txt$|LICENSE/.test(name);
      assertSound(text, chunkText(text, name), isCode ? 2400 : 1200);
    }
  });
});

const PARAGRAPH = "Words that fill a line of some length, so that paragraphs have a size. ".repeat(5).trim();

const GUIDE = `---
title: front
---
# Guide

Short words.

## Install

${PARAGRAPH}

${PARAGRAPH}

### On Linux ###

\`\`\`sh
# not a heading
${"apt-get install something\n".repeat(20)}\`\`\`

Setext part
-----------

${PARAGRAPH}

${PARAGRAPH}

${PARAGRAPH}

${PARAGRAPH}

# [Last](https://example.org) \`part\`

The end.
`;

test("Markdown: one chunk for each heading, with the path to it", () => {
  const chunks = chunkText(GUIDE, "guide.md");
  assertSound(GUIDE, chunks, 1200);
  assert.deepEqual(
    chunks.map(({ headings, startLine, endLine }) => `${startLine}-${endLine} ${headings.join(" > ")}`),
    [
      "1-12 Guide",
      "14-38 Guide > Install > On Linux",
      "40-43 Guide > Setext part",
      "45-49 Guide > Setext part",
      "51-53 Last part",
    ],
  );
});

test("Markdown: a fence is not torn where there is another place to cut", () => {
  const fence = `\`\`\`js\n${"let a = 1;\n\n".repeat(60)}\`\`\``;
  const text = ["# A", PARAGRAPH, PARAGRAPH, fence, PARAGRAPH, PARAGRAPH].join("\n\n");
  const chunks = chunkText(text, "a.md");
  assertSound(text, chunks, 1200);
  for (const chunk of chunks) assert.equal((chunk.text.match(/```/g) ?? []).length % 2, 0, chunk.text);
});

test("Markdown: small neighbours share a chunk, under what their headings share", () => {
  const text = "# Top\n\n## One\n\nfirst\n\n## Two\n\nsecond\n\n# Next\n\nthird\n";
  const chunks = chunkText(text, "a.md");
  assert.deepEqual(
    chunks.map(({ headings, startLine, endLine }) => [startLine, endLine, ...headings]),
    [[1, 13, "Top"]],
  );
});

test("plain text: paragraphs together up to 1200 characters, a long one cut at its sentences", () => {
  const text = `${`${PARAGRAPH}\n\n`.repeat(6)}${"A sentence of words. ".repeat(150)}`;
  const chunks = chunkText(text, "notes.txt");
  assertSound(text, chunks, 1200);
  for (const { text: part } of chunks) assert.match(part, /\.$/);
  for (const { text: part } of chunks.slice(0, -1)) assert.ok(part.length >= 600, `${part.length}`);
});

test("a cut never parts a surrogate pair", () => {
  for (const { text } of chunkText("😀".repeat(3000), "a.txt")) assert.equal(text.length % 2, 0);
});

/** A function of twelve lines in each language, and the names that the chunks of three of them must carry. */
const PROGRAMS: readonly (readonly [
  file: string,
  declare: (name: string) => string,
  symbol: (name: string) => string,
])[] = [
  [
    "a.ts",
    (name) => `/** Doc of ${name}. */\nexport async function ${name}(value: number): Promise<void> {`,
    (name) => name,
  ],
  ["b.js", (name) => `const ${name} = async (value) => {`, (name) => name],
  ["c.js", (name) => `exports.${name} = function (value) {`, (name) => `exports.${name}`],
  ["d.py", (name) => `@cached\nasync def ${name}(self):`, (name) => name],
  ["e.go", (name) => `// ${name} does it.\nfunc (s *Server) ${name}(value int) error {`, (name) => name],
  ["f.rs", (name) => `#[inline]\npub(crate) async fn ${name}<T>(value: T) -> u8 {`, (name) => name],
  ["G.java", (name) => `@Override\npublic static <T> List<T> ${name}(T value) {`, (name) => name],
  ["h.c", (name) => `/* ${name} */\nstatic const char *${name}(int value)`, (name) => name],
  ["i.cpp", (name) => `void Engine::${name}(int value) {`, (name) => name],
  ["j.sh", (name) => `# ${name} it\n${name}() {`, (name) => name],
];
for (const [file, declare, symbolOf] of PROGRAMS) {
  test(`code: ${file} is cut at its declarations, comments with them`, () => {
    const names = ["first", "second", "third"];
    const text = names.map((name) => `${declare(name)}\n${"  step(value)\n".repeat(28)}\n`).join("\n");
    const chunks = chunkText(text, file);
    assertSound(text, chunks, 2400);
    assert.deepEqual(
      chunks.map(({ symbol }) => symbol),
      names.map(symbolOf),
    );
    for (const { text: part } of chunks)
      assert.ok(part.startsWith(declare(part.match(/first|second|third/)![0])), part);
  });
}

test("code: a symbol carries the names around it", () => {
  const body = "    step()\n".repeat(27);
  const deeper = `    ${body.replaceAll("\n", "\n    ")}`;
  const python = `class Outer:\n    def one(self):\n${deeper}\n    def two(self):\n${deeper}\n`;
  assert.deepEqual(
    chunkText(python, "a.py").map(({ symbol }) => symbol),
    ["Outer", "Outer.two"],
  );
  const methods = [`  next(): Token {\n${body}  }`, `  async *peek<T>(count: number): T {\n${body}  }`];
  const script = `export class Parser {\n${methods.join("\n\n")}\n}\n`;
  assert.deepEqual(
    chunkText(script, "a.ts").map(({ symbol }) => symbol),
    ["Parser", "Parser.peek"],
  );
});

test("code: up to 40 lines, small declarations together, long ones in pieces", () => {
  const small = Array.from({ length: 60 }, (_, at) => `function f${at}() {\n  return ${at};\n}\n`).join("\n");
  const long = `function long() {\n${"  if (a) {\n    b();\n  }\n\n".repeat(60)}}\n`;
  for (const text of [small, long, small + long]) {
    const chunks = chunkText(text, "a.js");
    assertSound(text, chunks, 2400);
    for (const { startLine, endLine } of chunks.slice(0, -1)) {
      const lines = endLine - startLine + 1;
      assert.ok(lines >= 15 && lines <= 40, `${lines} lines`);
    }
  }
  assert.ok(chunkText(long, "a.js").every(({ symbol }) => symbol === "long"));
});

test("a single line of 50 MB", () => {
  for (const [name, sizeMb] of [
    ["a.txt", 50],
    ["a.md", 5],
    ["a.min.js", 5],
  ] as const) {
    const chunks = chunkText("word ".repeat(200_000 * sizeMb), name);
    assert.ok(chunks.length > 833 * sizeMb && chunks.length < 1251 * sizeMb, `${chunks.length} chunks`);
    assert.ok(chunks.every(({ startLine, endLine, text }) => startLine === 1 && endLine === 1 && text.length <= 1200));
  }
});

test("twice the text takes about twice the time", () => {
  const hostile = [
    "#".repeat(300) + "\n",
    "[".repeat(2000) + "\n",
    "```\n",
    "a\n---\n",
    `${"(".repeat(500)}\n`,
    `impl<${"<".repeat(300)}\n`,
  ];
  for (const piece of hostile) {
    for (const name of ["a.md", "a.ts", "a.rs", "A.java", "a.c"]) {
      const timeOf = (text: string): number => {
        const times = Array.from({ length: 3 }, () => {
          const start = process.cpuUsage();
          chunkText(text, name);
          const { user, system } = process.cpuUsage(start);
          return (user + system) / 1000;
        });
        return Math.min(...times);
      };
      const text = piece.repeat(Math.ceil(40_000 / piece.length));
      const [once, fourfold] = [timeOf(text), timeOf(text.repeat(4))];
      assert.ok(
        fourfold < 10 * Math.max(once, 3),
        `${name}, ${JSON.stringify(piece.slice(0, 10))}: ${once} ms, then ${fourfold} ms`,
      );
    }
  }
});

test("nothing, and blank space, make no chunk", () => {
  for (const text of ["", "\n\n", " \t\r\n "]) {
    for (const name of ["a.md", "a.ts", "a.txt"]) assert.deepEqual(chunkText(text, name), []);
  }
});
