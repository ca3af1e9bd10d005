/** The documents name files of this repository: each of them is there. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const TREES = ["src", "test", "contrib", "examples", ".github", ".ci"];
const files = TREES.flatMap((tree) => globSync(`${tree}/**`, { cwd: ROOT }));

/** In `code`: a name with an extension of ours, or a folder of ours; `*` and `NAME` stand for any name. */
const NAMED = /`((?:[\w.-]+\/)*[\w.*-]+\.(?:ts|js|service|plist|yml|conf)|(?:src|test|contrib|examples)\/[\w./*-]+)`/g;

/** Of the plugin that a reader adds. */
const TO_BE_MADE = ["src/plugins/visits/index.ts"];

/** A name may begin anywhere below the root: `core/cron`, `sealer.ts`. */
function isThere(name: string): boolean {
  const pattern = name.replace(/\/$/, "").replaceAll(".", "\\.").replace(/\*|NAME/g, "[^/]*");
  const wanted = new RegExp(`(^|/)${pattern}$`);
  return files.some((file) => wanted.test(file));
}

function findNames(document: string): readonly string[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  return [...text.matchAll(NAMED)].map(([, name]) => name!).filter((name) => !TO_BE_MADE.includes(name));
}

describe("files that documents name are there", () => {
  for (const document of ["README.md", ...globSync(".github/*.md", { cwd: ROOT })]) {
    test(document, () => {
      assert.deepEqual(
        findNames(document).filter((name) => !isThere(name)),
        [],
      );
    });
  }

  test("enough names are found, and one that is not there is missed", () => {
    assert.ok(findNames(".github/ARCHITECTURE.md").length > 50);
    assert.equal(isThere("system/watch-dog.ts"), false);
  });
});
