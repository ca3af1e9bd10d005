/** Stands between a client and a daemon, and spoils what passes: it drops answers, delays them, or counts tunnels. */
import { type IncomingMessage, type ServerResponse, createServer, request as send } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import type { TestContext } from "node:test";

/** `drop-answer`: the request arrives, its answer does not. `pass-and-close`: and the connection is not used again. */
export type RelayTreatment = "pass" | "pass-and-close" | "drop-answer" | { readonly delayMs: number };

export interface Relay {
  readonly url: string;
  /** How often each path was asked for. */
  readonly requests: Map<string, number>;
  /** Hosts and ports that were asked for by CONNECT, as of a proxy. */
  readonly tunnels: string[];
}

/** Decides by path and by how often the path was asked for, from 1. */
type Treat = (path: string, count: number) => RelayTreatment;

export async function startRelay(t: TestContext, daemonUrl: string, treat: Treat): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const path = new URL(request.url!, daemonUrl).pathname;
    const count = (relay.requests.get(path) ?? 0) + 1;
    relay.requests.set(path, count);
    forward(daemonUrl, request, response, treat(path, count));
  });
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    relay.tunnels.push(request.url!);
    const { hostname, port } = new URL(`http://${request.url}`);
    const through = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(through).pipe(socket);
    });
    sockets.add(through);
    for (const side of [socket, through]) side.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => void server.close(resolve));
  });
  const relay: Relay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: new Map(),
    tunnels: [],
  };
  return relay;
}

function forward(
  daemonUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
  treatment: RelayTreatment,
): void {
  const { method, headers } = request;
  const url = new URL(request.url!, daemonUrl);
  const onward = send(url, { method, headers: { ...headers, host: url.host } }, (answer) => {
    if (treatment === "drop-answer") {
      answer.resume().on("end", () => request.socket.destroy());
      return;
    }
    const reply = (): void => {
      if (treatment === "pass-and-close") answer.headers.connection = "close";
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    };
    if (typeof treatment === "object") setTimeout(reply, treatment.delayMs);
    else reply();
  });
  onward.on("error", () => request.socket.destroy());
  request.pipe(onward);
}
