/** A knowledge index on a disk that fills up while a folder is read: it says so, keeps what it has, and catches up. */
import assert from "node:assert/strict";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mountMissing, tmpfs } from "../support/mount.ts";
import { type RagDaemon, startRagDaemon } from "../support/rag-daemon.ts";
import { until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const DISK_BYTES = 96 << 20;
const LEFT_BYTES = 3 << 20;
const FILES = 40;
const NEEDED = "of the last file";

function writeFolder(folder: string): void {
  for (let file = 0; file < FILES; file++) {
    const lines = Array.from(
      { length: 4000 },
      (_, at) => `line ${at} of file ${file}, with word${(at * 7919 + file) % 9000}`,
    );
    writeFileSync(join(folder, `${file}.md`), `# File ${file}\n\n${lines.join("\n")}\n\nunique${file} ${NEEDED}\n`);
  }
}

async function status(daemon: RagDaemon): Promise<{ documents: number; problems: string[] }> {
  return (await daemon.call("GET", "status")).body as never;
}

test("a folder that the disk has no room for", { skip: mountMissing("tmpfs"), timeout: 240_000 }, async (t) => {
  const [disk, folder] = [tmpfs(t, DISK_BYTES), tempDir(t)];
  writeFolder(folder);
  const daemon = await startRagDaemon(t, disk, { rag: { allowedRoots: [folder] } });
  assert.equal(
    (await daemon.call("PUT", "collections/notes/documents/kept", { text: "the otter is kept" })).status,
    201,
  );
  const filler = join(disk, "filler");
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc(bavail * bsize - LEFT_BYTES));

  const made = await daemon.call("POST", "collections", { name: "docs", kind: "folder", root: folder });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await until(async () => (await status(daemon)).problems.length > 0);
  const full = await status(daemon);
  t.diagnostic(`${full.documents} documents, then: ${full.problems.join("; ")}`);
  assert.ok(full.documents < FILES + 1, `${full.documents}`);
  assert.match(full.problems.join(), /collection "docs": .*ENOSPC/);
  const { hits } = (await daemon.call("GET", "search?q=otter")).body as { hits: { id: string }[] };
  assert.equal(hits[0]?.id, "kept");
  const put = await daemon.call("PUT", "collections/notes/documents/big", { text: "much ".repeat(150_000) });
  assert.equal(put.status, 503, JSON.stringify(put.body));

  rmSync(filler);
  await until(
    async () => (await daemon.call("PUT", "collections/notes/documents/small", { text: "room" })).status < 300,
  );
  await until(async () => (await daemon.reindex("docs"))["problems"]!.toString() === "");
  assert.equal((await status(daemon)).documents, FILES + 2);
  await daemon.kill();
  const again = await startRagDaemon(t, disk, { rag: { allowedRoots: [folder] } });
  assert.equal((await status(again)).documents, FILES + 2);
  await again.reindex("docs");
  const last = (await again.call("GET", `search?q=unique${FILES - 1}`)).body as { hits: { text: string }[] };
  assert.match(last.hits[0]!.text, new RegExp(`unique${FILES - 1} ${NEEDED}`));
  await again.kill("SIGTERM");
});
