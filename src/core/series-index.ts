/**
 * Label sets into their series: a hash table that reads labels in any order and builds no key.
 *
 * Cost: a look-up is one pass over the labels' characters; a series costs one map entry and no string.
 * Not: safe from labels made to collide; they make a chain, no longer than a family's limit of series.
 */
import { equalLabels, hashLabelObject, hashLabels, isLabelObject, type LabelSet } from "./label-set.ts";

interface Indexed {
  readonly labels: LabelSet;
}

export class SeriesIndex<S extends Indexed> {
  /** Series by the hash of their labels; a list where several share one. */
  readonly #byHash = new Map<number, S | S[]>();

  get(labels: LabelSet): S | undefined {
    const found = this.#byHash.get(hashLabels(labels));
    if (found === undefined) return undefined;
    if (Array.isArray(found)) return found.find((series) => equalLabels(series.labels, labels));
    return equalLabels(found.labels, labels) ? found : undefined;
  }

  /** The series whose labels an object spells out in the very same order; the object may be anything at all. */
  getAsSent(object: Readonly<Record<string, unknown>>): S | undefined {
    const hash = hashLabelObject(object);
    const found = hash === undefined ? undefined : this.#byHash.get(hash);
    if (found === undefined) return undefined;
    if (Array.isArray(found)) return found.find(({ labels }) => isLabelObject(object, labels));
    return isLabelObject(object, found.labels) ? found : undefined;
  }

  /** Adds a series whose labels are not there yet. */
  add(series: S): void {
    const hash = hashLabels(series.labels);
    const found = this.#byHash.get(hash);
    if (found === undefined) this.#byHash.set(hash, series);
    else this.#byHash.set(hash, Array.isArray(found) ? [...found, series] : [found, series]);
  }

  delete(series: S): void {
    const hash = hashLabels(series.labels);
    const found = this.#byHash.get(hash);
    const rest = Array.isArray(found) ? found.filter((other) => other !== series) : [];
    if (rest.length > 0) this.#byHash.set(hash, rest);
    else this.#byHash.delete(hash);
  }
}
