/** A server that holds counters in prom-client and shows them: `prom-client-server.ts MODULE SERIES`. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

interface PromClient {
  readonly Counter: new (options: object) => { inc(labels: object, value: number): void };
  readonly register: { metrics(): Promise<string>; readonly contentType: string };
}

const [, , modulePath, series] = process.argv as [string, string, string, string];
const { Counter, register } = createRequire(import.meta.url)(modulePath) as PromClient;
const counter = new Counter({ name: "pi_tokens_total", help: "Tokens.", labelNames: ["session", "model", "kind"] });
for (let index = 0; index < Number(series); index++)
  counter.inc({ session: `0199a7c2-${index}`, model: "claude-sonnet-4", kind: "input" }, 100 + index);
const server = createServer((_request, response) => {
  void register.metrics().then((text) => response.writeHead(200, { "content-type": register.contentType }).end(text));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
