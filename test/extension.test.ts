/** The tests of `src/extension`, in one process. */
import { importTests } from "./support/import-tests.ts";

await importTests("extension");
