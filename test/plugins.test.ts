/** The tests of `src/plugins`, in one process. */
import { importTests } from "./support/import-tests.ts";

await importTests("plugins");
