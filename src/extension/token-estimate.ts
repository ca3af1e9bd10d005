/** Pi's own estimate of a message's tokens, where pi is around to give it. */
import type { PiMessage } from "./pi.ts";
import { debug, describeError } from "./stderr.ts";

export type TokenEstimator = (message: PiMessage) => number;

/** In a variable: the package is pi's to provide, and not there to be found when types are checked or tests are run. */
const PI = "@earendil-works/pi-coding-agent";
let loading: Promise<TokenEstimator | undefined> | undefined;

export function estimateTokens(): Promise<TokenEstimator | undefined> {
  return (loading ??= load());
}

async function load(): Promise<TokenEstimator | undefined> {
  try {
    const { estimateTokens: estimator } = (await import(PI)) as { estimateTokens?: unknown };
    return typeof estimator === "function" ? (estimator as TokenEstimator) : undefined;
  } catch (error) {
    debug(`tokens after a compaction are not known: ${describeError(error)}`);
    return undefined;
  }
}
