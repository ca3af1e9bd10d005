import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { chooseTarget, describeTarget } from "../../src/extension/target.ts";
import { testConfig } from "../support/fake-transport.ts";
import { tempDir } from "../support/temp-dir.ts";

const daemonUrl = new URL("http://127.0.0.1:1234/below/");

test("a URL that is set, with its token, whatever else there is", (t) => {
  const socketPath = join(tempDir(t), "daemon.sock");
  writeFileSync(socketPath, "");
  const target = chooseTarget(testConfig({ daemonUrl, token: "t", socketPath }));
  assert.deepEqual(target, { url: daemonUrl, token: "t" });
  assert.equal(describeTarget(target), "http://127.0.0.1:1234/below");
});

test("without one, the socket while it is there, else the usual URL; neither is shown the token", (t) => {
  const socketPath = join(tempDir(t), "daemon.sock");
  const config = testConfig({ daemonUrl: undefined, token: "t", socketPath });
  assert.deepEqual(chooseTarget(config), { url: new URL("http://127.0.0.1:9876") });
  writeFileSync(socketPath, "");
  assert.deepEqual(chooseTarget(config), { socketPath });
});
