import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { callableHost, isLoopbackHost, parseHostPort } from "../../src/core/host.ts";

describe("parseHostPort", () => {
  const rows: readonly [value: string, expected: string | undefined][] = [
    ["localhost", "localhost|"],
    ["LocalHost:9876", "localhost|9876"],
    ["127.0.0.1:", "127.0.0.1|"],
    ["[::1]:80", "::1|80"],
    ["[::FFFF:127.0.0.1]", "::ffff:127.0.0.1|"],
    ["my-host_2.lan", "my-host_2.lan|"],
    ["", undefined],
    [":80", undefined],
    ["::1", undefined],
    ["[::1", undefined],
    ["[localhost]", undefined],
    ["a b", undefined],
    ["user@localhost", undefined],
    ["user:pass@localhost", undefined],
    ["localhost/", undefined],
    ["localhost:80:80", undefined],
    ["localhost:123456", undefined],
    ["localhost:-1", undefined],
    ["localhost, evil.example", undefined],
    ["localhost\n", undefined],
    ["lócalhost", undefined],
  ];
  for (const [value, expected] of rows) {
    it(`reads ${JSON.stringify(value)} as ${expected}`, () => {
      const host = parseHostPort(value);
      assert.equal(host && `${host.name}|${host.port}`, expected);
    });
  }
});

describe("isLoopbackHost", () => {
  const loopback = ["localhost", "LOCALHOST", "::1", "127.0.0.1", "127.255.255.255", "127.0.1.1"];
  const foreign = [
    "127.0.0.256",
    "127.0.0",
    "127.1",
    "128.0.0.1",
    "0.0.0.0",
    "::",
    "::ffff:127.0.0.1",
    "localhost.",
    "[::1]",
    "",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil-localhost",
  ];
  for (const name of loopback) it(`takes ${name}`, () => assert.equal(isLoopbackHost(name), true));
  for (const name of foreign) it(`refuses ${JSON.stringify(name)}`, () => assert.equal(isLoopbackHost(name), false));
});

describe("callableHost", () => {
  const rows = [
    ["0.0.0.0", "127.0.0.1"],
    ["::", "::1"],
    ["192.0.2.1", "192.0.2.1"],
    ["localhost", "localhost"],
  ] as const;
  for (const [address, expected] of rows)
    it(`of ${address} is ${expected}`, () => assert.equal(callableHost(address), expected));
});
