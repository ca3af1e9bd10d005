import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseJsonBody } from "../../src/system/http-body.ts";
import { HttpError } from "../../src/system/http.ts";
import { forEachSeed } from "../support/random.ts";

/** JSONTestSuite: the first letter of a file's name says whether it must be taken (y), refused (n), or either (i). */
const SUITE = join(import.meta.dirname, "../../../shared/json/test_parsing");

function verdict(bytes: Buffer): "taken" | "refused" {
  try {
    parseJsonBody(bytes);
    return "taken";
  } catch (error) {
    assert.ok(error instanceof HttpError, `threw ${String(error)}`);
    assert.deepEqual([error.status, error.code], [400, "VALIDATION_ERROR"]);
    return "refused";
  }
}

describe("parseJsonBody", () => {
  const skip = existsSync(SUITE) ? false : "the files of JSONTestSuite are not beside this checkout";
  it("judges the files of JSONTestSuite", { skip }, () => {
    const names = readdirSync(SUITE);
    assert.ok(names.length > 300, `${names.length} files`);
    for (const name of names) {
      const bytes = readFileSync(join(SUITE, name));
      // An empty body is no body; whether one is needed is for the route to say.
      const expected = bytes.length === 0 ? "taken" : { y: "taken", n: "refused" }[name[0]!];
      const actual = verdict(bytes);
      if (expected !== undefined) assert.equal(actual, expected, name);
    }
  });

  it("takes what JSON.stringify writes; with bytes cut off or turned it refuses, or parses as JSON.parse does", () => {
    forEachSeed(300, (random) => {
      const value = { text: 'é😀"\\[{', list: [random.next(), null, true, { deep: [random.int(-9, 9)] }] };
      const bytes = Buffer.from(JSON.stringify(value));
      assert.deepEqual(parseJsonBody(bytes), value);
      assert.equal(verdict(bytes.subarray(0, random.int(1, bytes.length - 1))), "refused");
      bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
      if (verdict(bytes) === "taken") assert.deepEqual(parseJsonBody(bytes), JSON.parse(bytes.toString()));
    });
  });
});
