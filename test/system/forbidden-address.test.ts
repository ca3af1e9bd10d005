import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isForbiddenAddress } from "../../src/system/forbidden-address.ts";

const FORBIDDEN = [
  "169.254.0.0",
  "169.254.169.254",
  "169.254.255.255",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "fe80::1",
  "fe80::1%eth0",
  "FEBF::1",
  "[fe80::1]",
  "fd00:ec2::254",
  "fd20:ce::254",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "0:0:0:0:0:ffff:a9fe:1",
  "::169.254.169.254",
  "::ffff:0:169.254.1.1",
  "64:ff9b::169.254.169.254",
  "2002:a9fe:a9fe::1",
  "2001:0:0:0:0:0:5601:5601",
];
const PERMITTED = [
  "127.0.0.1",
  "10.0.0.1",
  "192.168.1.1",
  "169.253.255.255",
  "169.255.0.0",
  "100.100.100.201",
  "8.8.8.8",
  "0.0.0.0",
  "::1",
  "::",
  "fec0::1",
  "fd00::1",
  "2001:db8::a9fe:a9fe",
  "::ffff:127.0.0.1",
  "64:ff9b::8.8.8.8",
  "2002:7f00:1::",
  "localhost",
  "",
];

describe("addresses that no request may reach", () => {
  for (const address of FORBIDDEN) test(address, () => assert.equal(isForbiddenAddress(address), true));
});

describe("addresses that requests may reach", () => {
  for (const address of PERMITTED) test(address || "none", () => assert.equal(isForbiddenAddress(address), false));
});
