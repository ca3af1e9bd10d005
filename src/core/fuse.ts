/**
 * The hits of several searches for the same thing -> one list, by a weighted sum of their scores, each search's scaled
 * to 0..1.
 *
 * A search's best hit counts 1; a hit at the depth where the list was cut off counts 0, like one that is not in it. A
 * list that ended before that depth is scaled from score 0, because nothing was cut off. Scores of 0 and below are no
 * hits.
 * Order: by score, then id.
 */
import { TopK } from "./top-k.ts";
import type { Hit } from "./top-k.ts";

/** For lexical, hashed and latent search: 0.6, 0.2, 0.2 was the best of the plain splits over six collections. */
export const LEG_WEIGHTS = { lexical: 0.6, hashed: 0.2, latent: 0.2 } as const;
/** How many hits of each search take part: 100 or 200 make no difference, all of them are worse. */
export const LEG_DEPTH = 100;

export interface Leg {
  readonly weight: number;
  /** Best first, at most `depth`. */
  readonly hits: readonly Hit[];
  readonly depth: number;
}

export interface FusedHit extends Hit {
  /** What each leg added, in the order of the legs. */
  readonly parts: readonly number[];
}

/** The k best; scores lie between 0 and the sum of the weights. */
export function fuseLegs(legs: readonly Leg[], k: number): FusedHit[] {
  const partsById = new Map<number, number[]>();
  legs.forEach((leg, index) => {
    for (const { id, score } of scaleHits(leg)) {
      const parts = partsById.get(id) ?? new Array<number>(legs.length).fill(0);
      parts[index] = score * leg.weight;
      partsById.set(id, parts);
    }
  });
  const best = new TopK(k);
  for (const [id, parts] of partsById)
    best.offer(
      id,
      parts.reduce((sum, part) => sum + part, 0),
    );
  return best.hits().map((hit) => ({ ...hit, parts: partsById.get(hit.id)! }));
}

function scaleHits({ hits, depth }: Leg): Hit[] {
  const positive = hits.filter((hit) => hit.score > 0);
  const most = positive[0]?.score ?? 0;
  const least = positive.length < depth ? 0 : positive.at(-1)!.score;
  // All equal: all of them are the best.
  const span = most - least;
  return positive.map(({ id, score }) => ({ id, score: span === 0 ? 1 : (score - least) / span }));
}
