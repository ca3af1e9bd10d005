/** What has to be done now and then: notes whose time is over go, vectors are kept young. */
import type { Clock, Timer } from "../../system/clock.ts";
import type { Log } from "../../system/log.ts";
import type { Corpus } from "./corpus.ts";

export interface UpkeepServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly corpus: Corpus;
  /** Done every {@link LOOK_MS}. */
  look(): void;
}

export interface Upkeep {
  /** Drops what is past its time; answers how many documents. */
  expire(): Promise<number>;
  stop(): void;
}

const LOOK_MS = 2_000;
const EXPIRE_MS = 15_000;
const DROPPED_AT_ONCE = 1000;

export function startUpkeep({ clock, log, corpus, look }: UpkeepServices): Upkeep {
  const expireSoon = (): void => {
    expire().catch((error: Error) => log.error("cannot drop what is past its time", { error: error.message }));
  };
  const timers: readonly Timer[] = [clock.every(LOOK_MS, look), clock.every(EXPIRE_MS, expireSoon)];

  async function expire(): Promise<number> {
    const nowMs = clock.wallMs();
    let count = 0;
    for (const [collection, { documents, definition }] of corpus.state.collections) {
      if (definition.kind !== "notes") continue;
      const over = [...documents.values()].filter(({ expiresMs }) => expiresMs !== undefined && expiresMs <= nowMs);
      for (let at = 0; at < over.length; at += DROPPED_AT_ONCE) {
        const ids = over.slice(at, at + DROPPED_AT_ONCE).map(({ id }) => id);
        await corpus.commit({ kind: "drop", collection, ids });
      }
      count += over.length;
    }
    return count;
  }

  return {
    expire,
    stop: () => timers.forEach((timer) => timer.cancel()),
  };
}
