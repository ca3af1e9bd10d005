import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { createConnections } from "../../src/system/http-connections.ts";
import type { Exchange } from "../../src/system/http-exchange.ts";

describe("cutSilent", () => {
  /** A connection whose socket says what the test wants; `tick` answers whether it has been cut. */
  function open() {
    let isCut = false;
    const socket = Object.assign(new EventEmitter(), {
      writableLength: 0, bytesWritten: 0, bytesRead: 0, remoteAddress: "a", destroy: () => (isCut = true),
    });
    const connections = createConnections(() => {});
    const connection = connections.open(socket as unknown as Socket, false);
    const tick = (nowMs: number): boolean => {
      connections.cutSilent(nowMs, { writeTimeoutMs: 3_000, keepAliveTimeoutMs: 75_000 });
      return isCut;
    };
    return { socket, connection, tick };
  }

  it("spares a reader that takes a little now and then", () => {
    const { socket, tick } = open();
    Object.assign(socket, { writableLength: 100, bytesWritten: 100 });
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1_000) {
      if (nowMs % 2_000 === 0) socket.writableLength--;
      socket.bytesRead++;
      assert.equal(tick(nowMs), false, `at ${nowMs}`);
    }
  });

  it("counts as nothing taken what is only queued on top", () => {
    const { socket, tick } = open();
    for (let nowMs = 0; nowMs < 3_000; nowMs += 1_000) {
      socket.writableLength += 10;
      socket.bytesWritten += 10;
      assert.equal(tick(nowMs), false);
    }
    assert.equal(tick(3_000), true);
  });

  it("begins anew when everything has been taken", () => {
    const { socket, tick } = open();
    Object.assign(socket, { writableLength: 10, bytesWritten: 10 });
    tick(0);
    socket.writableLength = 0;
    tick(2_000);
    Object.assign(socket, { writableLength: 10, bytesWritten: 20 });
    assert.deepEqual([3_000, 5_999, 6_000].map(tick), [false, false, true]);
  });

  it("cuts a connection on which nothing has come for the keep-alive time", () => {
    const { socket, tick } = open();
    assert.deepEqual([0, 74_999].map(tick), [false, false]);
    socket.bytesRead = 1;
    assert.deepEqual([75_000, 149_999, 150_000].map(tick), [false, false, true]);
  });

  it("counts no time while a request is open", () => {
    const { connection, tick } = open();
    connection.exchanges.push({} as Exchange);
    assert.deepEqual([0, 1_000_000].map(tick), [false, false]);
    connection.exchanges.pop();
    assert.deepEqual([1_001_000, 1_075_999, 1_076_000].map(tick), [false, false, true]);
  });
});
