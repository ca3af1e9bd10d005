/**
 * All tests below a folder of `test/`, in the process of whoever asks: for folders whose tests touch nothing but their
 * own values, where a process for each file would take several times as long as its tests.
 */
import { globSync } from "node:fs";
import { join } from "node:path";

const TESTS = join(import.meta.dirname, "..");

export async function importTests(folder: string): Promise<void> {
  const files = globSync(`${folder}/**/*.test.ts`, { cwd: TESTS }).sort();
  if (files.length === 0) throw new Error(`there are no tests in ${join(TESTS, folder)}`);
  for (const file of files) await import(join(TESTS, file));
}
