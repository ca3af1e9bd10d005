/** Who may import whom: the table of `.github/ARCHITECTURE.md`, enforced. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * What the files of a place may import: `node:`, places below `src`, and with `type ` before it their types only. `.`
 * is its own folder.
 */
const RULES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^core\//, ["core/"]],
  [/^system\//, ["system/", "core/", "node:"]],
  [/^plugins\/plugin\.ts$/, ["core/", "system/"]],
  [/^plugins\/index\.ts$/, ["plugins/[^/]+/index.ts", "type plugins/plugin.ts"]],
  [/^plugins\/[^/]+\//, [".", "plugins/plugin.ts", "core/", "type system/"]],
  [/^config\//, ["config/", "core/", "system/", "node:"]],
  [/^config\.ts$/, ["config/", "core/", "system/", "plugins/index.ts", "node:"]],
  [/^client\.ts$/, ["core/", "system/", "node:"]],
  [/^admin\.ts$/, ["core/", "system/"]],
  [/^plugin-set\.ts$/, ["type config.ts", "type plugins/plugin.ts", "type system/"]],
  [
    /^daemon\.ts$/,
    [
      "admin.ts",
      "plugin-set.ts",
      "config.ts",
      "plugins/index.ts",
      "type plugins/plugin.ts",
      "system/",
      "core/",
      "node:",
    ],
  ],
  [/^cli\.ts$/, ["cli/", "node:"]],
  [/^cli\//, ["cli/", "daemon.ts", "client.ts", "config.ts", "system/", "core/", "node:"]],
  [/^extension\//, ["extension/", "core/", "node:"]],
];

interface Import {
  readonly target: string;
  readonly isTypeOnly: boolean;
}

const STATEMENT =
  /^\s*(?:import|export)\s(type\s)?(?:[^;'"]*?\sfrom\s)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, "src", file), "utf8");
  return [...source.matchAll(STATEMENT)].map(([, type, from, dynamic]) => {
    const specifier = (from ?? dynamic)!;
    const target = specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : specifier;
    return { target, isTypeOnly: type !== undefined };
  });
}

function isAllowed(file: string, { target, isTypeOnly }: Import, allowed: readonly string[]): boolean {
  return allowed.some((rule) => {
    const [, type, place] = /^(type )?(.*)$/.exec(rule)!;
    if (type !== undefined && !isTypeOnly) return false;
    return new RegExp(`^${place === "." ? `${dirname(file)}/` : place}`).test(target);
  });
}

const files = globSync("**/*.ts", { cwd: join(ROOT, "src") }).sort();

describe("imports", () => {
  for (const file of files) {
    test(`src/${file}`, () => {
      const rule = RULES.find(([place]) => place.test(file));
      assert.ok(rule, `src/${file} stands in no place of the table: add it there and in .github/ARCHITECTURE.md`);
      const forbidden = importsOf(file)
        .filter((one) => !isAllowed(file, one, rule[1]))
        .map(({ target }) => target);
      assert.deepEqual(forbidden, [], `src/${file} may import only ${rule[1].join(", ")}`);
    });
  }

  test("the table is read: a forbidden import is found", () => {
    assert.equal(isAllowed("core/a.ts", { target: "node:fs", isTypeOnly: false }, ["core/"]), false);
    assert.equal(isAllowed("plugins/x/a.ts", { target: "system/http.ts", isTypeOnly: false }, ["type system/"]), false);
    assert.equal(isAllowed("plugins/x/a.ts", { target: "plugins/y/b.ts", isTypeOnly: true }, [".", "core/"]), false);
    assert.ok(importsOf("daemon.ts").some(({ target }) => target === "plugins/index.ts"));
  });
});

describe("core is pure", () => {
  const IMPURE =
    /\b(Date\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|setInterval|setImmediate|console\.)/;
  for (const file of files.filter((name) => name.startsWith("core/"))) {
    test(`src/${file}`, () => {
      const code = readFileSync(join(ROOT, "src", file), "utf8").replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
      assert.doesNotMatch(code, IMPURE);
    });
  }
});
