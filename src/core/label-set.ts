/**
 * Label sets as flat lists: `[key, value, key, value, ...]`, in the order in which they were sent.
 *
 * Two lists with the same pairs are the same set, whatever their order. Keys are unique within a list, values never empty.
 */
export type LabelSet = readonly string[];

export const NO_LABELS: LabelSet = [];

/** Labels from an object, in its order; an empty value is the same as no label at all. */
export function labelsFrom(values: Readonly<Record<string, string>>): LabelSet {
  const labels: string[] = [];
  for (const key in values) if (values[key] !== "") labels.push(key, values[key]!);
  return labels.length === 0 ? NO_LABELS : labels;
}

/** The value of a label; empty when it is absent. */
function labelValue(labels: LabelSet, key: string): string {
  for (let at = 0; at < labels.length; at += 2) if (labels[at] === key) return labels[at + 1]!;
  return "";
}

/** Whether `labels` holds every pair of `wanted`; a wanted empty value means that the label is absent. */
export function containsLabels(labels: LabelSet, wanted: LabelSet): boolean {
  for (let at = 0; at < wanted.length; at += 2) {
    // In the usual order the pair stands at the same place.
    if (labels[at] === wanted[at] && labels[at + 1] === wanted[at + 1]) continue;
    if (labelValue(labels, wanted[at]!) !== wanted[at + 1]) return false;
  }
  return true;
}

/** Whether both lists are the same set. */
export function equalLabels(one: LabelSet, other: LabelSet): boolean {
  return one.length === other.length && containsLabels(one, other);
}

/**
 * A hash of the set: the sum of the hashes of its pairs, so that their order does not matter. A non-negative integer below 2^30,
 * which V8 keeps without allocating.
 *
 * Source: FNV-1a over UTF-16 code units, finished with the mixer of MurmurHash3.
 */
export function hashLabels(labels: LabelSet): number {
  let sum = 0;
  for (let at = 0; at < labels.length; at += 2) sum = (sum + hashPair(labels[at]!, labels[at + 1]!)) | 0;
  return sum & 0x3fffffff;
}

/** The hash of the labels in an object as it came; `undefined` when a value is no string, or empty. */
export function hashLabelObject(labels: Readonly<Record<string, unknown>>): number | undefined {
  let sum = 0;
  for (const key in labels) {
    const value = labels[key];
    if (typeof value !== "string" || value === "") return undefined;
    sum = (sum + hashPair(key, value)) | 0;
  }
  return sum & 0x3fffffff;
}

/** Whether an object has the pairs of `labels` and no others, in the same order. */
export function isLabelObject(object: Readonly<Record<string, unknown>>, labels: LabelSet): boolean {
  let at = 0;
  for (const key in object) {
    if (labels[at] !== key || labels[at + 1] !== object[key]) return false;
    at += 2;
  }
  return at === labels.length;
}

function hashPair(key: string, value: string): number {
  return mix(hashText(hashText(0x811c9dc5, key) ^ 0xff, value));
}

function hashText(start: number, text: string): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

function mix(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return half ^ (half >>> 13);
}
