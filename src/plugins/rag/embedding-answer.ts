/**
 * The body of an answer of `/v1/embeddings` -> a vector for each text that was sent, as far as there are any.
 *
 * Source: OpenAI's API reference: `{data: [{index, embedding: [number, …]}]}`; the order of `data` is not promised.
 * Errors: a sentence for a body that is no such answer. A vector that is missing, or holds what is no finite number, is
 * `undefined` in its place.
 */
export type Vectors = readonly (Float32Array | undefined)[];

export function readEmbeddings(body: Uint8Array, count: number): Vectors | string {
  const data = readData(body);
  if (typeof data === "string") return data;
  const vectors = Array.from({ length: count }, (): Float32Array | undefined => undefined);
  const isNumbered = data.every((item) => Number.isInteger(indexOf(item)));
  if (!isNumbered && data.length !== count) {
    return `it answered ${data.length} vectors without numbers for ${count} texts`;
  }
  for (const [place, item] of data.entries()) {
    const index = isNumbered ? indexOf(item)! : place;
    if (index < 0 || index >= count) return `it answered a vector number ${index} for ${count} texts`;
    vectors[index] = readVector(item);
  }
  return vectors;
}

interface Item {
  readonly index?: unknown;
  readonly embedding?: unknown;
}

function readData(body: Uint8Array): readonly Item[] | string {
  try {
    const { data } = (JSON.parse(new TextDecoder().decode(body)) ?? {}) as { data?: unknown };
    if (Array.isArray(data) && data.every((item) => typeof item === "object" && item !== null)) return data;
    return "its answer has no list of vectors (data)";
  } catch {
    return "its answer is not JSON";
  }
}

function indexOf({ index }: Item): number | undefined {
  return typeof index === "number" ? index : undefined;
}

function readVector({ embedding }: Item): Float32Array | undefined {
  if (!Array.isArray(embedding) || embedding.length === 0) return undefined;
  const vector = new Float32Array(embedding.length);
  for (let at = 0; at < vector.length; at++) {
    const component: unknown = embedding[at];
    if (typeof component !== "number") return undefined;
    vector[at] = component;
    // Also what is too large for a float has become infinite by now.
    if (!Number.isFinite(vector[at])) return undefined;
  }
  return vector;
}

/** What a server says of its own failure, in one line; `undefined` when it says nothing. */
export function readErrorMessage(body: Uint8Array): string | undefined {
  try {
    const { error, message, detail } = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>;
    const inner = typeof error === "object" && error !== null ? (error as { message?: unknown }).message : error;
    const said = [inner, message, detail].find((text) => typeof text === "string" && text !== "");
    return typeof said === "string"
      ? said
          .replaceAll(/[\s\p{Cc}]+/gu, " ")
          .trim()
          .slice(0, 200)
      : undefined;
  } catch {
    return undefined;
  }
}
