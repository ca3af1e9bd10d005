import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectIdOf as projectIdInPi } from "../../src/extension/knowledge-project.ts";
import { findRepository, projectIdOf, repositoryIdOf } from "../../src/system/project-id.ts";
import { tempDir } from "../support/temp-dir.ts";

test("a project is named by the real path of its repository, else of its folder; in pi as well", (t) => {
  const base = realpathSync(tempDir(t));
  const at = (path: string): string => join(base, path);
  const folders = ["repo/.git", "repo/src/deep", "repo/tree/src", "plain/below"];
  for (const folder of folders) mkdirSync(at(folder), { recursive: true });
  writeFileSync(at("repo/tree/.git"), "gitdir: elsewhere\n");
  symlinkSync(at("repo/src"), at("plain/link"));
  const rows: readonly (readonly [folder: string, project: string, repository: string | undefined])[] = [
    ["repo", "repo", "repo"],
    ["repo/src/deep", "repo", "repo"],
    ["repo/tree/src", "repo/tree", "repo/tree"],
    ["plain/link", "repo", "repo"],
    ["plain/link/deep", "repo", "repo"],
    ["plain/below", "plain/below", undefined],
    ["plain/gone", "plain/gone", undefined],
  ];
  for (const [folder, project, repository] of rows) {
    const id = createHash("sha256").update(at(project)).digest("hex");
    assert.equal(projectIdOf(at(folder)), id, folder);
    assert.equal(projectIdInPi(at(folder)), id, folder);
    assert.equal(repositoryIdOf(at(folder)), repository === undefined ? undefined : id, folder);
    assert.equal(findRepository(at(folder)), repository && at(repository), folder);
  }
});
