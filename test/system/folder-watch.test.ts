import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type FSWatcher, mkdirSync, realpathSync, renameSync, rmSync, watch, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test, type TestContext } from "node:test";
import type { FolderRules } from "../../src/system/folder-rules.ts";
import { type FolderChange, watchFolder, type WatchContext, type WatchPath } from "../../src/system/folder-watch.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const RULES: FolderRules = {
  include: [],
  exclude: ["skipped"],
  gitignore: true,
  withHidden: false,
  maxFileBytes: 1000,
};

interface FakeWatcher extends FSWatcher {
  isClosed: boolean;
}

function setUp(t: TestContext, options: Partial<WatchContext> = {}) {
  const root = join(realpathSync(tempDir(t)), "root");
  mkdirSync(join(root, "a/b"), { recursive: true });
  mkdirSync(join(root, "skipped"));
  const clock = fakeClock();
  const watched = new Map<string, { watcher: FakeWatcher; tell: (event: string, name: string | null) => void }>();
  const fakeWatch: WatchPath = (path, _options, onEvent) => {
    const watcher = Object.assign(new EventEmitter(), {
      isClosed: false,
      close: () => void (watcher.isClosed = true),
    }) as unknown as FakeWatcher;
    watched.set(relative(root, path), { watcher, tell: onEvent });
    return watcher;
  };
  const changes: FolderChange[] = [];
  const watching = watchFolder(
    { clock, watchPath: fakeWatch, platform: "linux", ...options },
    { root, rules: RULES },
    (change) => changes.push(change),
  );
  t.after(() => watching.close());
  const open = (): string[] =>
    [...watched]
      .filter(([, { watcher }]) => !watcher.isClosed)
      .map(([path]) => path)
      .sort();
  return { root, clock, watched, changes, watching, open };
}

test("each folder that counts is watched, and a burst is told of once, when it is over", async (t) => {
  const { clock, watched, changes, watching, open } = setUp(t);
  await until(() => open().length === 3);
  assert.deepEqual(open(), ["", "a", "a/b"]);
  watched.get("")!.tell("change", "x.md");
  clock.advance(150);
  watched.get("a/b")!.tell("rename", "y.md");
  watched.get("a/b")!.tell("change", "y.md");
  clock.advance(199);
  assert.deepEqual(changes, []);
  clock.advance(1);
  await until(() => changes.length === 1);
  assert.deepEqual(changes, [["x.md", "a/b/y.md"]]);
  clock.advance(10_000);
  watching.close();
  assert.deepEqual(open(), []);
  watched.get("")!.tell("change", "x.md");
  clock.advance(10_000);
  assert.equal(changes.length, 1);
  assert.equal(watching.problem(), undefined);
});

test("a burst that does not end is told of now and then; one too large, or ignore files: everything", async (t) => {
  const { clock, watched, changes, open } = setUp(t);
  await until(() => open().length === 3);
  for (let beat = 0; beat < 21; beat++) {
    watched.get("a")!.tell("change", "log");
    clock.advance(100);
  }
  await until(() => changes.length === 1);
  assert.deepEqual(changes, [["a/log"]]);
  clock.advance(200);
  await until(() => changes.length === 2);
  for (let file = 0; file <= 1_000; file++) watched.get("a")!.tell("change", `f${file}`);
  clock.advance(200);
  await until(() => changes.length === 3);
  watched.get("a")!.tell("change", ".gitignore");
  clock.advance(200);
  await until(() => changes.length === 4);
  watched.get("a")!.tell("change", null);
  clock.advance(200);
  await until(() => changes.length === 5);
  assert.deepEqual(changes.slice(2), ["everything", "everything", "everything"]);
});

test("new folders are watched before they are told of, and those that went no longer", async (t) => {
  const { root, clock, watched, changes, open } = setUp(t);
  await until(() => open().length === 3);
  mkdirSync(join(root, "new/deep"), { recursive: true });
  renameSync(join(root, "a"), join(root, "moved"));
  for (const name of ["new", "a", "moved"]) watched.get("")!.tell("rename", name);
  clock.advance(200);
  await until(() => changes.length === 1);
  assert.deepEqual(open(), ["", "moved", "moved/b", "new", "new/deep"]);
});

test("a root that goes and comes back is watched again, and all of it told of", async (t) => {
  const { root, clock, changes, open } = setUp(t);
  await until(() => open().length === 3);
  rmSync(root, { recursive: true });
  clock.advance(5_000);
  await until(() => open().length === 0);
  clock.advance(200);
  await until(() => changes.length === 1);
  mkdirSync(join(root, "c"), { recursive: true });
  clock.advance(5_000);
  await until(() => open().length === 2);
  clock.advance(200);
  await until(() => changes.length === 2);
  assert.deepEqual(changes, ["everything", "everything"]);
  assert.deepEqual(open(), ["", "c"]);
});

test("where the system allows no more watches, a sentence says so and the rest goes on", async (t) => {
  let left = 2;
  const scarce: WatchPath = () => {
    if (left-- === 0)
      throw Object.assign(new Error("ENOSPC: System limit for number of file watchers reached"), { code: "ENOSPC" });
    return Object.assign(new EventEmitter(), { close: () => undefined }) as unknown as FSWatcher;
  };
  const { watching, root } = setUp(t, { watchPath: scarce });
  await until(() => watching.problem() !== undefined);
  assert.equal(
    watching.problem(),
    `Only 2 folders of ${root} are watched: the system allows no more watches ` +
      `(see fs.inotify.max_user_watches); elsewhere changes are only found by the rescan`,
  );
});

test("no more folders are watched than is fair", async (t) => {
  const { watching, root, open } = setUp(t, { mostFolders: 2 });
  await until(() => watching.problem() !== undefined);
  assert.equal(open().length, 2);
  assert.equal(
    watching.problem(),
    `${root} has more than 2 folders: in the others changes are only found by the rescan`,
  );
});

test("the system's own watches tell of files and new folders", async (t) => {
  let heard = 0;
  const really: WatchPath = (path, options, onEvent) =>
    watch(path, options, (event, name) => {
      heard++;
      onEvent(event, name);
    });
  const platform = process.platform;
  const { root, clock, changes } = setUp(t, { watchPath: really, platform });
  const probe = join(root, "a/b/probe.md");
  // Only what happens after the watch has begun is told of, and when it has begun cannot be seen.
  await until(() => {
    writeFileSync(probe, String(heard));
    return heard > 0;
  });
  clock.advance(200);
  await until(() => changes.flat().includes("a/b/probe.md"));
  const before = heard;
  mkdirSync(join(root, "later"));
  await until(() => heard > before);
  clock.advance(200);
  await until(() => changes.flat().includes("later"));
  const told = changes.length;
  writeFileSync(join(root, "later/x.md"), "x");
  await until(() => {
    clock.advance(200);
    return changes.slice(told).flat().includes("later/x.md");
  });
});
