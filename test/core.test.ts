/** The tests of `src/core`, in one process. */
import { importTests } from "./support/import-tests.ts";

await importTests("core");
