/**
 * A stand-in for an embeddings server: it speaks OpenAI's `/v1/embeddings`, and misbehaves as a test says.
 *
 * Not: a model. Its vectors are counts of hashed words: texts with words in common are near to each other, and that is
 * all that they have of a meaning. `seed` makes another "model" of it.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export interface EmbeddingsRequest {
  /** Counts from 1. */
  readonly number: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly model: string;
  readonly input: readonly string[];
  /** As the body says. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface FakeEmbeddings {
  /** For `rag.embeddings.url`. */
  readonly url: string;
  readonly requests: EmbeddingsRequest[];
  /** Texts that were sent, the probe left out, each as often as it was. */
  texts(): string[];
  dimensions: number;
  seed: number;
  /** Answers in its own way when it returns true; for all else there are the vectors. */
  misbehave: (request: EmbeddingsRequest, response: ServerResponse) => boolean | void;
  close(): Promise<void>;
}

const PROBE = /quick brown fox/;

export async function startFakeEmbeddings(t: TestContext, port = 0): Promise<FakeEmbeddings> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as { model: string; input: string | string[] };
      const input = Array.isArray(body.input) ? body.input : [body.input];
      const { url: path = "", headers } = request;
      const asked = { number: fake.requests.length + 1, path, headers, model: body.model, input, body };
      fake.requests.push(asked);
      if (fake.misbehave(asked, response) !== true) sendJson(response, { data: embedAll(fake, input) });
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const fake: FakeEmbeddings = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests: [],
    texts: () => fake.requests.flatMap(({ input }) => input).filter((text) => !PROBE.test(text)),
    dimensions: 64,
    seed: 1,
    misbehave: () => undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  t.after(() => fake.close());
  return fake;
}

export function isProbe({ input }: EmbeddingsRequest): boolean {
  return input.length === 1 && PROBE.test(input[0]!);
}

export function embedAll(
  fake: Pick<FakeEmbeddings, "dimensions" | "seed">,
  input: readonly string[],
): { index: number; embedding: number[] }[] {
  return input.map((text, index) => ({ index, embedding: embed(fake, text) }));
}

export function sendJson(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  return true;
}

function embed({ dimensions, seed }: Pick<FakeEmbeddings, "dimensions" | "seed">, text: string): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  for (const [word] of text.toLowerCase().matchAll(/\w+/g)) {
    let hash = seed * 2_654_435_761;
    for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 16_777_619);
    vector[(hash >>> 8) % dimensions]! += hash & 1 ? 1 : -1;
  }
  return vector;
}
