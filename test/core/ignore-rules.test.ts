import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { type IgnoreScope, isIgnored, judge, parseIgnoreFile, parseIgnoreRules } from "../../src/core/ignore-rules.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { tempDir } from "../support/temp-dir.ts";

describe("the rules of one file", () => {
  const rows: readonly (readonly [string, string, boolean | undefined])[] = [
    ["*.log", "a/b.log", true],
    ["/*.log", "a/b.log", undefined],
    ["a/b.log", "x/a/b.log", undefined],
    ["build/", "build", undefined],
    ["build/", "build/", true],
    ["build/", "a/build/", true],
    ["*.log\n!b.log", "b.log", false],
    ["!b.log\n*.log", "b.log", true],
    ["# a\n\n\\#b", "#b", true],
    ["# a\n\n\\#b", "# a", undefined],
    ["\\!b", "!b", true],
    ["a  ", "a", true],
    ["a\\  ", "a ", true],
    ["a\\\\  ", "a\\", true],
    ["\uFEFFa\r\nb", "a", true],
    ["/", "a/", undefined],
    ["!", "a", undefined],
  ];
  for (const [text, path, expected] of rows) {
    test(`${JSON.stringify(text)} and ${path}`, () => {
      const kind = path.endsWith("/") ? "folder" : "file";
      assert.equal(judge(parseIgnoreFile(text), path.replace(/\/$/, ""), kind), expected);
    });
  }
});

test("a deeper file comes first, and counts paths from its own folder", () => {
  const outer: IgnoreScope = { base: "", rules: parseIgnoreRules(["*.txt", "/a/b.md"]), outer: undefined };
  const inner: IgnoreScope = { base: "a/", rules: parseIgnoreRules(["!keep.txt", "/c.md"]), outer };
  const ignored = ["a/x.txt", "a/keep.txt", "a/b.md", "a/c.md", "a/d.md"].filter((path) =>
    isIgnored(inner, path, "file"),
  );
  assert.deepEqual(ignored, ["a/x.txt", "a/b.md", "a/c.md"]);
});

/** Small enough that patterns meet names often; ASCII, as git matches bytes. */
const NAMES = ["a", "b", "ab", "a.b", "b.a", "aab", "-", "a b", "[a]", "!a", "#a", "a*", "B", "\\a"] as const;
const PIECES = [
  "a",
  "b",
  "ab",
  "a.b",
  "*",
  "?",
  "**",
  "***",
  "[ab]",
  "[!a]",
  "[a-",
  "]",
  "[[:alpha:]]",
  "[]-a]",
  "\\",
  "\\*",
  "\\a",
  "/",
  "/",
  "/**/",
  "**/",
  "/**",
  " ",
  "!",
  "#",
  ".",
  "[^b-z]",
  "\\ ",
];

/**
 * `a**` + `/`: git cuts off text before the first wildcard, and then takes the stars for ones between slashes, against
 * its own documentation; before an escaped slash it takes two stars for at least one folder.
 */
const MISREAD = /^[!/]?[^*?[\\]*[^*?[\\/]\*\*+(\\?\/|$)|\*\*\\\//;

function randomPattern(random: Random): string {
  const pattern = anyPattern(random);
  return MISREAD.test(pattern.trimEnd()) ? randomPattern(random) : pattern;
}

function anyPattern(random: Random): string {
  const body = Array.from({ length: random.int(1, 5) }, () => random.pick(PIECES)).join("");
  return random.pick(["", "", "", "!", "/"]) + body + random.pick(["", "", "", "/", " ", "  "]);
}

interface Tree {
  /** Folders end with a slash. */
  readonly paths: readonly string[];
  readonly ignoreFiles: ReadonlyMap<string, string>;
  readonly exclude: string;
}

function randomTree(random: Random): Tree {
  const folders = new Set([""]);
  for (let count = 0; count < 8; count++) folders.add(`${random.pick([...folders])}${random.pick(NAMES)}/`);
  const files = new Set<string>();
  for (let count = 0; count < 25; count++) {
    const path = random.pick([...folders]) + random.pick(NAMES);
    if (!folders.has(`${path}/`)) files.add(path);
  }
  const patterns = (most: number): string =>
    Array.from({ length: random.int(1, most) }, () => randomPattern(random)).join("\n");
  const ignoreFiles = new Map([["", patterns(5)]]);
  for (const folder of folders) if (random.int(0, 3) === 0) ignoreFiles.set(folder, patterns(3));
  return { paths: [...[...folders].slice(1), ...files], ignoreFiles, exclude: patterns(2) };
}

/** What a walk does: a folder that is ignored is not entered, so all below it is ignored too. */
function ignoredByUs({ paths, ignoreFiles, exclude }: Tree): string[] {
  const top: IgnoreScope = { base: "", rules: parseIgnoreFile(exclude), outer: undefined };
  const enter = (outer: IgnoreScope, base: string): IgnoreScope => {
    const text = ignoreFiles.get(base);
    return text === undefined ? outer : { base, rules: parseIgnoreFile(text), outer };
  };
  return paths.filter((path) => {
    const parts = path.replace(/\/$/, "").split("/");
    let scope = enter(top, "");
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      if (isIgnored(scope, folder, "folder")) return true;
      scope = enter(scope, `${folder}/`);
    }
    return isIgnored(scope, parts.join("/"), path.endsWith("/") ? "folder" : "file");
  });
}

function ignoredByGit(root: string, { paths, ignoreFiles, exclude }: Tree): string[] {
  for (const path of paths) {
    mkdirSync(join(root, dirname(`${path}x`)), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(join(root, path), "");
  }
  for (const [folder, text] of ignoreFiles) writeFileSync(join(root, folder, ".gitignore"), text);
  writeFileSync(join(root, ".git/info/exclude"), exclude);
  // A path that begins with a dot is one for certain; git takes `:` and `!` at the beginning for magic.
  const input = paths.map((path) => `./${path.replace(/\/$/, "")}\0`).join("");
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const { stdout, status, stderr } = spawnSync(
    "git",
    ["-C", root, "-c", "core.excludesFile=", "check-ignore", "--stdin", "-z"],
    { input, encoding: "utf8", env },
  );
  assert.ok(status === 0 || status === 1, stderr);
  const ignored = new Set(stdout.split("\0").map((path) => path.replace(/^\.\//, "")));
  return paths.filter((path) => ignored.has(path.replace(/\/$/, "")));
}

test("git itself ignores the same paths of random trees", (t) => {
  if (spawnSync("git", ["--version"]).status !== 0) return t.skip("there is no git to compare with");
  const replay = process.env["PI_DAEMON_TEST_SEED"];
  const rounds = Number(process.env["PI_DAEMON_IGNORE_ROUNDS"] ?? 40);
  const seeds = replay === undefined ? Array.from({ length: rounds }, (_, index) => index + 1) : [Number(replay)];
  const root = tempDir(t);
  execFileSync("git", ["init", "-q", "--template=", root]);
  mkdirSync(join(root, ".git/info"));
  let ignored = 0;
  for (const seed of seeds) {
    for (const name of readdirSync(root)) if (name !== ".git") rmSync(join(root, name), { recursive: true });
    const tree = randomTree(seededRandom(seed));
    const expected = ignoredByGit(root, tree);
    ignored += expected.length;
    assert.deepEqual(
      ignoredByUs(tree),
      expected,
      `PI_DAEMON_TEST_SEED=${seed} ${JSON.stringify([...tree.ignoreFiles, tree.exclude])}`,
    );
  }
  assert.ok(replay !== undefined || ignored > 100, `only ${ignored} paths were ignored at all`);
});
