import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { hideSecrets, readDefinition } from "../../src/config.ts";
import { filePath, object, optional, record, secret, string, withDefault } from "../../src/core/validate.ts";
import { tempDir } from "../support/temp-dir.ts";

const schema = object({
  name: string({ mark: "plain" }),
  line: optional(string({ maxLength: 40 })),
  folder: withDefault(filePath(), "here"),
  env: withDefault(record(secret(string())), {}),
});
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const references = {
  env: { WORD: "canary-word", SHORT: "abc" },
  home: "/home/me",
  uid: process.getuid?.(),
  base: "/etc/app",
};

describe("a definition", () => {
  test("is filled in and its paths made absolute; secrets are told apart and hidden", () => {
    const read = readDefinition(
      schema,
      { name: "a", line: "say ${WORD}", folder: "~/x", env: { KEY: "canary-key", SMALL: "xyz" } },
      references,
    );
    assert.ok(read.ok);
    assert.deepEqual(plain(read.value), {
      name: "a",
      line: "say canary-word",
      folder: "/home/me/x",
      env: { KEY: "canary-key", SMALL: "xyz" },
    });
    assert.ok(Object.isFrozen(read.value.env));
    assert.deepEqual(read.secrets, ["canary-word", "canary-key"]);
    assert.deepEqual(plain(read.shown), {
      name: "a",
      line: "[redacted]",
      folder: "/home/me/x",
      env: { KEY: "[redacted]", SMALL: "[redacted]" },
    });
    const bare = readDefinition(schema, { name: "a" }, references);
    assert.ok(bare.ok && bare.value.folder === "/etc/app/here");
  });

  test("secrets come from files too", (t) => {
    const base = tempDir(t);
    writeFileSync(join(base, "key"), "canary-file\n", { mode: 0o600 });
    const read = readDefinition(schema, { name: "a", env: { KEY: { $file: "key" } } }, { ...references, base });
    assert.ok(read.ok);
    assert.deepEqual(plain(read.value.env), { KEY: "canary-file" });
    assert.deepEqual(read.secrets, ["canary-file"]);
  });

  test("issues do not quote what was filled in", () => {
    const long = { ...references, env: { WORD: "canary-".repeat(3) } };
    const read = readDefinition(object({ line: string({ pattern: /^x$/ }) }), { line: "${WORD}" }, long);
    assert.deepEqual(read, {
      ok: false,
      issues: [{ path: "line", message: 'expected a string that matches /^x$/, got "[redacted]"' }],
    });
  });

  test("a reference that leads nowhere is the issue, and not what the schema would say of it", () => {
    const read = readDefinition(schema, { name: "a", line: "${NOBODY}" }, references);
    assert.deepEqual(read, {
      ok: false,
      issues: [{ path: "line", message: "the environment variable NOBODY is not set" }],
    });
  });
});

test("a value of the config is shown without what its schema marks and without the texts that are secret", () => {
  const shown = hideSecrets(schema, { name: "a", line: "say canary", folder: "/x", env: { A: "1" } }, [
    "canary",
    "abc",
  ]);
  assert.deepEqual(plain(shown), { name: "a", line: "say [redacted]", folder: "/x", env: { A: "[redacted]" } });
});
