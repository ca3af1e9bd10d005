import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { createConnections } from "../../src/system/http-connections.ts";

describe("cutStalled", () => {
  /** A connection whose socket says what the test wants; `tick` answers whether it has been cut. */
  function open() {
    let isCut = false;
    const socket = Object.assign(new EventEmitter(), {
      writableLength: 0,
      bytesWritten: 0,
      bytesRead: 0,
      remoteAddress: "a",
      destroy: () => (isCut = true),
    });
    const connections = createConnections(() => {});
    connections.open(socket as unknown as Socket, false);
    const tick = (nowMs: number): boolean => {
      connections.cutStalled(nowMs, 3_000);
      return isCut;
    };
    return { socket, tick };
  }

  it("spares a reader that takes a little now and then", () => {
    const { socket, tick } = open();
    Object.assign(socket, { writableLength: 100, bytesWritten: 100 });
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1_000) {
      if (nowMs % 2_000 === 0) socket.writableLength--;
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
});
