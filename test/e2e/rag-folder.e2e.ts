/** A real folder (the TypeScript of this project's tools, or its own sources) through all that happens to folders. */
import assert from "node:assert/strict";
import { appendFileSync, cpSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type RagDaemon, startRagDaemon } from "../support/rag-daemon.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const QUERIES = [
  "createSourceFile",
  "journal snapshot",
  "addEventListener",
  "regular expression timeout",
  "iterator helpers",
  "how is a torn tail cut",
  "path:*.d.ts promise",
  '"event loop"',
  "fetch -abort",
  "SharedArrayBuffer",
];

function start(t: TestContext, directory: string, root: string): Promise<RagDaemon> {
  const collections = [{ name: "real", kind: "folder", root, maxFileBytes: 8_388_608 }];
  return startRagDaemon(t, directory, { rag: { allowedRoots: [root], collections } });
}

/** What a checkout has: sources, tests, a document, and the library files of TypeScript where it is installed. */
function copyReal(t: TestContext): string {
  const folder = join(tempDir(t), "real");
  for (const part of ["src", "test", "README.md"]) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  const library = join(ROOT, "node_modules/typescript/lib");
  if (existsSync(library)) cpSync(library, join(folder, "lib"), { recursive: true, dereference: true });
  else t.diagnostic("typescript is not installed: its lib/ is left out");
  return folder;
}

test(
  "indexed, killed, changed, renamed, deleted: the answers are those of an index made afresh",
  { timeout: 600_000 },
  async (t) => {
    const folder = copyReal(t);
    const directory = tempDir(t);
    let daemon = await start(t, directory, folder);
    await waitFor(async () => Number((await daemon.call("GET", "status")).body["documents"]) > 50);
    await daemon.kill();

    daemon = await start(t, directory, folder);
    const first = await daemon.reindex("real");
    assert.deepEqual(first["problems"], []);
    renameSync(join(folder, "src/core"), join(folder, "src/kernel"));
    rmSync(join(folder, "test/bench"), { recursive: true });
    rmSync(join(folder, "README.md"));
    appendFileSync(join(folder, "src/cli.ts"), "\n// a torn tail is cut, and that is said here too\n");
    for (const name of readdirSync(join(folder, "src/system")).slice(0, 30)) {
      appendFileSync(join(folder, "src/system", name), `\nexport const added = "${name}";\n`);
    }
    writeFileSync(join(folder, "new.md"), "# New\n\nThe event loop turns.\n");
    await new Promise((resolve) => setTimeout(resolve, 400));
    await daemon.kill();

    daemon = await start(t, directory, folder);
    const fresh = await start(t, tempDir(t), folder);
    const answers = [];
    for (const one of [daemon, fresh]) {
      await one.reindex("real");
      const lexical = await one.answersTo(QUERIES, "lexical");
      await one.reindex("real", true);
      const { documents, chunks, textBytes, problems } = (await one.call("GET", "status")).body;
      const { body } = await one.call("GET", "collections/real");
      const hybrid = await one.answersTo(QUERIES, "hybrid");
      answers.push({ documents, chunks, textBytes, problems, skipped: body["skipped"], lexical, hybrid });
    }
    assert.deepEqual(answers[0], answers[1]);
    assert.ok(
      answers[0]!.lexical.some((line) => line.includes("src/kernel/")),
      "what was renamed is found where it is",
    );
    t.diagnostic(`${answers[0]!.documents} documents, ${answers[0]!.chunks} chunks`);
    await fresh.kill();
    await daemon.kill("SIGTERM");
  },
);

async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
