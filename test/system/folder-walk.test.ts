import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import type { FolderRules } from "../../src/system/folder-rules.ts";
import { FolderError, type Skipped, walkFolder, walkFolders } from "../../src/system/folder-walk.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/temp-dir.ts";

const RULES: FolderRules = { include: [], exclude: [], gitignore: true, withHidden: false, maxFileBytes: 1000 };
const NONE: Skipped = { ignored: 0, special: 0, large: 0, outside: 0, unreadable: 0 };

function makeTree(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = realpathSync(tempDir(t));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

async function walk(
  root: string,
  rules: Partial<FolderRules> = {},
  below?: string,
): Promise<{ paths: string[]; skipped: Skipped }> {
  const found = walkFolder(root, { ...RULES, ...rules }, { below });
  const paths = [];
  for await (const { path } of found) paths.push(path);
  return { paths: paths.sort(), skipped: found.skipped };
}

const pathsOf = async (...args: Parameters<typeof walk>): Promise<string[]> => (await walk(...args)).paths;

test("all files with size and time, in folders however deep; nothing hidden, nothing of git", async (t) => {
  const deep = Array.from({ length: 100 }, (_, level) => `d${level}`).join("/");
  const root = makeTree(t, {
    "a.md": "hello",
    "b/c.md": "",
    [`${deep}/e.md`]: "",
    ".env": "",
    ".ssh/id": "",
    "b/.git/config": "",
    ".git/HEAD": "",
  });
  const entries = [];
  for await (const entry of walkFolder(root, RULES)) entries.push(entry);
  assert.deepEqual(entries.map(({ path }) => path).sort(), ["a.md", "b/c.md", `${deep}/e.md`]);
  const first = entries.find(({ path }) => path === "a.md")!;
  assert.equal(first.sizeBytes, 5);
  assert.ok(Math.abs(first.modifiedMs - Date.now()) < 3_600_000);
  assert.deepEqual(await pathsOf(root, { withHidden: true }), [".env", ".ssh/id", "a.md", "b/c.md", `${deep}/e.md`]);
});

test("include and exclude are globs of names, paths and folders", async (t) => {
  const root = makeTree(t, {
    "a.md": "",
    "a.ts": "",
    "docs/b.md": "",
    "docs/c.txt": "",
    "docs/old/d.md": "",
    "x/docs/e.ts": "",
  });
  assert.deepEqual(await pathsOf(root, { include: ["*.md"] }), ["a.md", "docs/b.md", "docs/old/d.md"]);
  assert.deepEqual(await pathsOf(root, { include: ["/docs/"] }), ["docs/b.md", "docs/c.txt", "docs/old/d.md"]);
  assert.deepEqual(await pathsOf(root, { include: ["docs"], exclude: ["old", "*.txt"] }), ["docs/b.md", "x/docs/e.ts"]);
  assert.deepEqual(await pathsOf(root, { include: ["**/*.ts"], exclude: ["x/**"] }), ["a.ts"]);
});

test("ignore files: nested, of git itself, of the repository around the root", async (t) => {
  const files = {
    ".git/info/exclude": "*.tmp\nkeep.log",
    ".gitignore": "*.log\n!keep.log\n/sub/out/\nnode_modules",
    "a.log": "",
    "keep.log": "",
    "b.tmp": "",
    "node_modules/m/x.js": "",
    "sub/.gitignore": "!c.log\n*.md",
    "sub/c.log": "",
    "sub/d.md": "",
    "sub/out/o.txt": "",
    "sub/e.txt": "",
    "sub/deep/f.log": "",
  };
  const root = makeTree(t, files);
  assert.deepEqual(await walk(root), {
    paths: ["keep.log", "sub/c.log", "sub/e.txt"],
    skipped: { ...NONE, ignored: 9 },
  });
  assert.deepEqual(
    await pathsOf(join(root, "sub")),
    ["c.log", "e.txt"],
    "the repository's rules hold for a part of it",
  );
  assert.deepEqual(
    await pathsOf(join(root, "node_modules/m")),
    ["x.js"],
    "a root that is ignored itself was named on purpose",
  );
  assert.equal((await pathsOf(root, { gitignore: false })).length, 9);
  if (spawnSync("git", ["--version"]).status !== 0) return t.diagnostic("there is no git to compare with");
  rmSync(join(root, ".git"), { recursive: true });
  execFileSync("git", ["init", "-q", "--template=", root]);
  const listed = execFileSync("git", ["-C", root, "ls-files", "-o", "--exclude-standard"], { encoding: "utf8" });
  const shown = listed.split("\n").filter((path) => path !== "" && !path.includes(".gitignore"));
  assert.deepEqual(await pathsOf(root), shown.sort());
});

test("one file, or one folder, as the whole walk would see it", async (t) => {
  const root = makeTree(t, {
    ".gitignore": "*.log\nout",
    "a/b.md": "",
    "a/c.log": "",
    "a/d/e.md": "",
    "out/f.md": "",
    ".x/g.md": "",
  });
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["a/b.md", ["a/b.md"]],
    ["a/c.log", []],
    ["a", ["a/b.md", "a/d/e.md"]],
    ["a/d", ["a/d/e.md"]],
    ["out/f.md", []],
    ["out", []],
    [".x/g.md", []],
    ["none", []],
    ["a/b.md/c", []],
    ["../a/b.md", []],
    ["a/../a/b.md", []],
    ["/etc/hostname", []],
    ["", ["a/b.md", "a/d/e.md"]],
  ];
  for (const [below, expected] of rows) assert.deepEqual(await pathsOf(root, {}, below), expected, below);
});

test(
  "links, pipes, large files and names that no text can hold are passed over and counted",
  { skip: process.platform === "win32" },
  async (t) => {
    const outside = makeTree(t, { "secret.md": "s" });
    const root = makeTree(t, { "a.md": "", "large.md": "x".repeat(1001), "new\nline.md": "" });
    symlinkSync(join(outside, "secret.md"), join(root, "link.md"));
    symlinkSync(join(root, "a.md"), join(root, "inner.md"));
    symlinkSync(outside, join(root, "folder"));
    symlinkSync(root, join(root, "loop"));
    linkSync(join(root, "a.md"), join(root, "hard.md"));
    execFileSync("mkfifo", [join(root, "pipe.md")]);
    writeFileSync(join(root, "sparse.md"), "");
    truncateSync(join(root, "sparse.md"), 2 ** 30);
    const notText = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x2e, 0x6d, 0x64])]);
    let unreadable = 1;
    try {
      writeFileSync(notText, "");
      unreadable = 2;
    } catch {
      t.diagnostic("this file system takes no names that are not UTF-8");
    }
    const { paths, skipped } = await walk(root);
    assert.deepEqual(paths, ["a.md", "hard.md"]);
    assert.deepEqual(skipped, { ignored: 0, special: 1, large: 2, outside: 4, unreadable });
  },
);

test("a root that is gone, a link, behind a link or no folder is an error, not an empty folder", async (t) => {
  const root = makeTree(t, { "real/a/b.md": "" });
  symlinkSync(join(root, "real"), join(root, "link"));
  const rows: readonly (readonly [string, string])[] = [
    ["none", "gone"],
    ["link", "outside"],
    ["link/a", "outside"],
    ["real/a/b.md", "special"],
  ];
  for (const [path, fault] of rows) {
    await assert.rejects(
      walk(join(root, path)),
      (error) => error instanceof FolderError && error.fault === fault && error.message.includes(path),
      path,
    );
  }
});

test("a walk can be given up, and lets go of its folder", async (t) => {
  const root = makeTree(t, Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}.md`, ""])));
  const stop = new AbortController();
  const walking = async (): Promise<void> => {
    for await (const _ of walkFolder(root, RULES, { signal: stop.signal })) stop.abort(new Error("enough"));
  };
  await assert.rejects(walking(), /enough/);
  for await (const entry of walkFolder(root, RULES)) {
    assert.ok(entry.path);
    break;
  }
});

test("the folders that files may be in", async (t) => {
  const root = makeTree(t, { ".gitignore": "out", "a/b/c.md": "", "out/d/e.md": "", ".x/y/z.md": "" });
  const folders = [];
  for await (const folder of walkFolders(root, RULES)) folders.push(folder);
  assert.deepEqual(folders.sort(), ["", "a", "a/b"]);
});

test(
  "folders that turn into links while they are walked give away nothing",
  { skip: process.platform === "win32" },
  async (t) => {
    const outside = makeTree(t, { "in/secret.md": "s", "secret.md": "s" });
    const root = makeTree(t, { "a/in/x.md": "", "b/in/x.md": "", "c/in/x.md": "" });
    const random = seededRandom(7);
    let isOver = false;
    const swap = async (): Promise<void> => {
      while (!isOver) {
        const folder = join(root, random.pick(["a", "b", "c", "a/in"]));
        renameSync(folder, `${folder}.away`);
        symlinkSync(outside, folder);
        await new Promise((resolve) => setImmediate(resolve));
        rmSync(folder);
        renameSync(`${folder}.away`, folder);
        for (let turns = random.int(0, 20); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const swapping = swap();
    let seen = 0;
    for (let round = 0; round < 50; round++) {
      const { paths } = await walk(root);
      seen += paths.length;
      assert.deepEqual(
        paths.filter((path) => path.includes("secret")),
        [],
      );
    }
    isOver = true;
    await swapping;
    assert.ok(seen > 20, `only ${seen} files were seen at all`);
  },
);
