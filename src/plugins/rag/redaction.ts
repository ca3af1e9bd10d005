/** The config -> what takes secrets out of texts before they are kept, and a mark that changes with it. */
import { compileLinearPattern } from "../../core/linear-pattern.ts";
import { type FindSecrets, redactSecrets } from "../../core/secret-text.ts";
import type { RagConfig } from "./config.ts";

export interface Redaction {
  redact(text: string): string;
  /** Texts that were kept under another one are to be read anew. */
  readonly fingerprint: string;
}

/** Changes with what texts are made into: how they are redacted and cut. */
const VERSION = 1;

export function createRedaction(config: () => Pick<RagConfig, "redact">): Redaction {
  let known: readonly string[] = [];
  let own: readonly FindSecrets[] = [];
  const compiled = (): readonly FindSecrets[] => {
    const { patterns } = config().redact;
    if (patterns !== known) [known, own] = [patterns, patterns.map(compileLinearPattern)];
    return own;
  };
  return {
    redact: (text) => redactSecrets(text, compiled()).text,
    get fingerprint() {
      return JSON.stringify([VERSION, ...config().redact.patterns]);
    },
  };
}
