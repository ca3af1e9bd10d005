/** What reading a definition comes to: a checked value with its secrets apart, or what is wrong with it. */
import type { Issue } from "./schema.ts";

export type ReadDefinition<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** The value to be shown: `[redacted]` for every secret. */
      readonly shown: unknown;
      /** The texts that no output may show. */
      readonly secrets: readonly string[];
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly issues: readonly Issue[] };
