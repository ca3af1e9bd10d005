import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { METRICS } from "../../src/extension/metrics.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const section = /^## pi extension\n([^]*?)(?=^## )/m.exec(readme)?.[1];
const skip = section === undefined ? "the README has no section on the extension" : false;

for (const [name, { type }] of Object.entries(METRICS)) {
  test(`the README tells of ${name}`, { skip }, () =>
    assert.match(section!, new RegExp(`^\\| \`${name}\` \\| ${type} \\|`, "m")),
  );
}

test("the README tells of no other metric", { skip }, () => {
  const named = [...section!.matchAll(/^\| `(pi_\w+)` \| (?:counter|gauge|histogram)/gm)].map(([, name]) => name!);
  assert.deepEqual(named.sort(), Object.keys(METRICS).sort());
});

test("the README tells of every setting, its default and its variable", { skip }, () => {
  const source = readFileSync(new URL("../../src/extension/config.ts", import.meta.url), "utf8");
  const picks = [...source.matchAll(/pick\("([\w.]+)", (?:\w+|integer\([^)]*\)), (\w+)(?:, "(\w+)")?\)/g)];
  assert.ok(picks.length > 15);
  for (const [, path, fallback, variable] of picks) {
    const row = section!
      .split("\n")
      .find((line) => line.startsWith("| `") && line.split(" | ")[0]!.includes(`\`${path}\``));
    assert.ok(row, path);
    const value = fallback?.replaceAll("_", "");
    if (value !== undefined && value !== "undefined") assert.ok(row.includes(`\`${value}\``), `${path}: ${value}`);
    if (variable !== undefined) assert.ok(row.includes(`\`${variable}\``), `${path}: ${variable}`);
  }
});
