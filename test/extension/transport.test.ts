import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Target } from "../../src/extension/target.ts";
import {
  type Answer,
  type Call,
  type Failure,
  type Transport,
  createTransport,
} from "../../src/extension/transport.ts";
import { type BadKind, findClosedPort, withBadServer, withBlackhole } from "../support/bad-servers.ts";
import { importPath, moduleArgs } from "../support/run-module.ts";
import { tempDir } from "../support/temp-dir.ts";

function transportFor(t: TestContext): Transport {
  const transport = createTransport();
  t.after(() => transport.abort());
  return transport;
}

async function serve(
  t: TestContext,
  reply: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<URL> {
  const server = createServer(reply);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => void server.close(resolve));
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const post = (timeoutMs = 5000): Call => ({
  method: "POST",
  path: "/api/metrics/batch",
  body: '{"metrics":[]}',
  timeoutMs,
});

test("sends what the daemon expects, and reads the answer", async (t) => {
  const seen: unknown[] = [];
  const url = await serve(t, async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    const { "content-type": type, authorization, host } = request.headers;
    seen.push([request.method, request.url, type, authorization, host, body]);
    response.writeHead(503, { "retry-after": "7" }).end("später");
  });
  const target: Target = { url: new URL("/prefix/", url), token: "secret" };
  const answer = await transportFor(t).call(target, {
    method: "POST",
    path: "/api/x?y=1",
    body: '"é"',
    timeoutMs: 5000,
  });
  assert.deepEqual(answer, { kind: "answer", status: 503, text: "später", retryAfterMs: 7000 });
  assert.deepEqual(seen, [["POST", "/prefix/api/x?y=1", "application/json", "Bearer secret", url.host, '"é"']]);
});

test("over a unix socket", async (t) => {
  const socketPath = join(tempDir(t), "daemon.sock");
  const server = createServer(
    (request, response) => void response.end(`${request.headers.host} ${request.headers.authorization}`),
  );
  await new Promise<void>((resolve) => void server.listen(socketPath, resolve));
  t.after(() => server.close());
  const answer = await transportFor(t).call({ socketPath }, { method: "GET", path: "/health", timeoutMs: 5000 });
  assert.equal((answer as Answer).text, "localhost undefined");
});

test("keeps the connection", async (t) => {
  const ports = new Set<number | undefined>();
  const url = await serve(t, (request, response) => {
    ports.add(request.socket.remotePort);
    request.resume().on("end", () => response.end("{}"));
  });
  const transport = transportFor(t);
  for (let count = 0; count < 5; count++) assert.equal((await transport.call({ url }, post())).kind, "answer");
  assert.equal(ports.size, 1);
});

test("a kept connection that is cut when it is used again: once more on a new one", async (t) => {
  let requests = 0;
  const url = await serve(t, (request, response) => {
    requests++;
    request.resume().on("end", () => (requests === 2 ? request.socket.destroy() : response.end("{}")));
  });
  const transport = transportFor(t);
  await transport.call({ url }, post());
  assert.equal((await transport.call({ url }, post())).kind, "answer");
  assert.equal(requests, 3);
});

test("a proxy in the environment is of no concern", async (t) => {
  const proxy = await withBadServer(t, "hanging");
  const url = await serve(t, (_request, response) => void response.end("direct"));
  const script = `
    import { createTransport } from ${importPath("src/extension/transport.ts")};
    const awake = setInterval(() => undefined, 1000);
    const target = { url: new URL(${JSON.stringify(url.href)}) };
    const answer = await createTransport().call(target, { method: "GET", path: "/", timeoutMs: 5000 });
    clearInterval(awake);
    console.log(answer.text);`;
  const proxies = { HTTP_PROXY: proxy.url.href, http_proxy: proxy.url.href, NO_PROXY: "", no_proxy: "" };
  const env = { ...process.env, ...proxies, NODE_USE_ENV_PROXY: "1" };
  assert.equal((await runModule(script, env)).output.trim(), "direct");
  assert.equal(proxy.connections, 0);
});

const faults: readonly (readonly [kind: BadKind, error: RegExp])[] = [
  ["hanging", /no answer within 100 ms/],
  ["endless", /no answer within 100 ms|larger than/],
  ["cut in the head", /socket hang up|ECONNRESET/],
  ["cut in the body", /aborted|ECONNRESET|closed/],
  ["no http", /Parse Error/],
  ["of another protocol", /closed|hang up/],
];
for (const [kind, error] of faults) {
  test(`${kind}: it may have arrived`, async (t) => {
    const { url } = await withBadServer(t, kind);
    const result = (await transportFor(t).call({ url }, post(100))) as Failure;
    assert.equal(result.kind, "failure");
    assert.equal(result.mayHaveArrived, true);
    assert.match(result.error, error);
  });
}

test("an answer beyond all bounds is cut", async (t) => {
  const { url } = await withBadServer(t, "endless");
  const result = (await transportFor(t).call({ url }, post(20_000))) as Failure;
  assert.match(result.error, /larger than/);
});

test("refused: it did not arrive", async (t) => {
  const result = (await transportFor(t).call({ url: await findClosedPort() }, post())) as Failure;
  assert.equal(result.mayHaveArrived, false);
  assert.match(result.error, /ECONNREFUSED/);
});

test("no socket: it did not arrive", async (t) => {
  const socketPath = join(tempDir(t), "none.sock");
  const result = (await transportFor(t).call({ socketPath }, post())) as Failure;
  assert.equal(result.mayHaveArrived, false);
  assert.match(result.error, /ENOENT/);
});

test("https where plain http is spoken: it did not arrive", async (t) => {
  const { url } = await withBadServer(t, "hanging");
  const result = (await transportFor(t).call(
    { url: new URL(url.href.replace("http:", "https:")) },
    post(2000),
  )) as Failure;
  assert.equal(result.kind, "failure");
  assert.equal(result.mayHaveArrived, false);
});

test("https", async (t) => {
  const folder = tempDir(t);
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const made = spawnSync("openssl", ["req", "-x509", ...kind, "-keyout", key, "-out", cert, ...subject]);
  if (made.status !== 0) return t.skip("needs openssl, for a certificate");
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  const server = createSecureServer(pair, (request, response) => void response.end(request.headers.authorization));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => void (server.closeAllConnections(), server.close()));
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const script = `
    import { createTransport } from ${importPath("src/extension/transport.ts")};
    const awake = setInterval(() => undefined, 1000);
    const target = { url: new URL("${url}"), token: "t" };
    console.log((await createTransport().call(target, { method: "GET", path: "/", timeoutMs: 5000 })).text);
    clearInterval(awake);`;
  assert.equal((await runModule(script, { ...process.env, NODE_EXTRA_CA_CERTS: cert })).output.trim(), "Bearer t");
  return undefined;
});

test("a path too long for a socket is a failure like any other", async (t) => {
  const result = (await transportFor(t).call({ socketPath: `/tmp/${"x".repeat(300)}.sock` }, post())) as Failure;
  assert.equal(result.kind, "failure");
});

test("a connection that never comes to stand did not carry anything", async (t) => {
  const url = await withBlackhole(t);
  const result = (await transportFor(t).call({ url }, post(100))) as Failure;
  assert.deepEqual(result, { kind: "failure", mayHaveArrived: false, error: "no answer within 100 ms" });
});

test("abort ends what is under way, and the transport goes on working", async (t) => {
  const { url } = await withBadServer(t, "hanging");
  const transport = transportFor(t);
  const hanging = transport.call({ url }, post(60_000));
  const queued = [transport.call({ url }, post(60_000)), transport.call({ url }, post(60_000))];
  await new Promise((resolve) => setImmediate(resolve));
  transport.abort();
  for (const result of await Promise.all([hanging, ...queued])) assert.equal(result.kind, "failure");
  const good = await serve(t, (_request, response) => void response.end("{}"));
  assert.equal((await transport.call({ url: good }, post())).kind, "answer");
});

test("a request under way does not keep the process alive", async (t) => {
  const { url } = await withBadServer(t, "hanging");
  const script = `
    import { createTransport } from ${importPath("src/extension/transport.ts")};
    void createTransport().call({ url: new URL(${JSON.stringify(url.href)}) }, { method: "GET", path: "/", timeoutMs: 600000 });
    setTimeout(() => console.log("connected"), 100);`;
  const { output, exitCode } = await runModule(script, process.env);
  assert.equal(output.trim(), "connected");
  assert.equal(exitCode, 0);
});

async function runModule(source: string, env: NodeJS.ProcessEnv): Promise<{ output: string; exitCode: number | null }> {
  const child = spawn(process.execPath, moduleArgs(source), { env, stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.on("data", (piece: Buffer) => void (output += piece.toString()));
  const watchdog = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const [exitCode] = (await once(child, "close")) as [number | null];
  clearTimeout(watchdog);
  return { output, exitCode };
}
