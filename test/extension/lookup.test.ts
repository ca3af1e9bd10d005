import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { LookupAddress } from "node:dns";
import { type TestContext, test } from "node:test";
import { type HostLookup, createLookup } from "../../src/extension/lookup.ts";

/** A name server that treats each question as it is told. */
async function nameServer(t: TestContext, reply: (query: Buffer) => Buffer | undefined): Promise<string> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const answer = reply(query);
    if (answer) socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => void socket.bind(0, "127.0.0.1", resolve));
  t.after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

const notFound = (query: Buffer): Buffer =>
  Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x83]), query.subarray(4)]);

function found(query: Buffer): Buffer {
  const head = Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])]);
  const questionEnd = query.indexOf(0, 12) + 5;
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3]);
  return Buffer.concat([head, query.subarray(12, questionEnd), record]);
}

function ask(names: HostLookup, hostname: string, all = true): Promise<LookupAddress[] | string> {
  return new Promise((resolve, reject) => {
    names.lookup(hostname, { all }, (error, address) => (error ? reject(error) : resolve(address)));
  });
}

test("localhost needs no server", async () => {
  const names = createLookup({ servers: ["127.0.0.1:1"] });
  const both = [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ];
  assert.deepEqual(await ask(names, "localhost"), both);
  assert.deepEqual(await ask(names, "daemon.localhost"), both);
  assert.equal(await ask(names, "localhost", false), "127.0.0.1");
});

test("asks the server of names", async (t) => {
  const names = createLookup({ servers: [await nameServer(t, found)] });
  assert.deepEqual(await ask(names, "daemon.example"), [{ address: "10.1.2.3", family: 4 }]);
});

test("what the server does not know, the system may", async (t) => {
  const names = createLookup({ servers: [await nameServer(t, notFound)] });
  await assert.rejects(
    ask(names, "nothing.invalid"),
    (error: NodeJS.ErrnoException) => error.syscall === "getaddrinfo",
  );
});

test("a silent server is the end of it: the system's lookup, which cannot be interrupted, is not begun", async (t) => {
  const names = createLookup({ servers: [await nameServer(t, () => undefined)], timeoutMs: 50 });
  await assert.rejects(ask(names, "nothing.invalid"), { code: "ETIMEOUT" });
});

test("can be cancelled", async (t) => {
  const asked = Promise.withResolvers<void>();
  const names = createLookup({ servers: [await nameServer(t, () => void asked.resolve())] });
  const lookup = ask(names, "nothing.invalid");
  await asked.promise;
  names.cancel();
  await assert.rejects(lookup, { code: "ECANCELLED" });
});
