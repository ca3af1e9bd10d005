/**
 * Random commits, compactions, restarts, kills, power cuts, full and failing disks, and damage, against the plainest
 * model: the list of what was acknowledged.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { fakeClock } from "../support/fake-clock.ts";
import type { DiskOperation } from "../support/fake-disk.ts";
import { FakeDisk } from "../support/fake-disk.ts";
import { openLedger } from "../support/ledger.ts";
import type { LedgerHome } from "../support/ledger.ts";
import { seededRandom } from "../support/random.ts";
import type { Random } from "../support/random.ts";

const SEEDS = 60;
const STEPS = 120;
const FAULTS: readonly [code: string, operations: DiskOperation[]][] = [
  ["EIO", ["flush"]],
  ["EIO", ["flushDirectory"]],
  ["EIO", ["write"]],
  ["EIO", ["write", "truncate"]],
  ["EIO", ["flush", "truncate"]],
  ["EROFS", ["create", "write", "truncate", "rename", "remove"]],
  ["EMFILE", ["create"]],
  ["EIO", ["rename"]],
];

class Model {
  readonly random: Random;
  readonly clock = fakeClock();
  disk = new FakeDisk();
  home!: LedgerHome;
  #nextId = 1;
  /** In the state when the store was opened. */
  #base: number[] = [];
  #acknowledged: number[] = [];
  #refused = new Set<number>();
  #pending = new Set<number>();
  /** So many of base and acknowledged are certainly on the medium. */
  #durableCount = 0;
  /** What was refused may have stayed in the file. */
  #cutFailed = false;
  #durability: "async" | "sync" = "async";

  constructor(random: Random) {
    this.random = random;
  }

  async open(): Promise<void> {
    const settings = { durability: this.#durability, maxJournalBytes: 4096 };
    this.home = await openLedger(this.disk, { settings, clock: this.clock });
    this.#base = [...this.home.store.state.ids];
    this.#acknowledged = [];
    this.#refused.clear();
    this.#pending.clear();
    this.#cutFailed = false;
    this.#durableCount = this.#isWell() ? this.#base.length : 0;
  }

  async step(): Promise<void> {
    const step = this.random.int(0, 99);
    if (step < 55) this.#commitSome();
    else if (step < 65) await this.#settle();
    else if (step < 73) await this.#flush();
    else if (step < 80) this.home.store.compact().catch(() => {});
    else if (step < 84) this.#switchDurability();
    else if (step < 88) this.#startFault();
    else if (step < 91) this.#clearFault();
    else if (step < 93) this.disk.stopsAfter = this.random.int(1, 12);
    else if (step < 96) await this.crash();
    else if (step < 98) await this.#restart();
    else await this.#damage();
    if (this.random.int(0, 1) === 0) await turns(1);
    if (this.disk.isDead) await this.crash();
  }

  /** By a kill or a power cut; then the store is opened again, and what it has is checked. */
  async crash(): Promise<void> {
    await turns(this.random.int(0, 3));
    const isPowerCut = this.random.int(0, 1) === 0;
    this.disk = isPowerCut ? this.disk.cutPower(this.random) : this.disk.kill();
    const before = { must: [...this.#base, ...this.#acknowledged], refused: new Set(this.#refused) };
    const durableCount = isPowerCut ? this.#durableCount : before.must.length;
    const maySeeRefused = isPowerCut || this.#cutFailed;
    const pending = new Set(this.#pending);
    await this.open();
    const found = this.#base;
    assert.ok(
      found.every((id, index) => index === 0 || found[index - 1]! < id),
      "once each, in order",
    );
    const kept = found.filter((id) => !pending.has(id) && !before.refused.has(id));
    assert.deepEqual(kept, before.must.slice(0, kept.length), "a prefix of what was acknowledged");
    assert.ok(kept.length >= durableCount, `${kept.length} of ${durableCount}`);
    for (const [index, id] of found.entries()) {
      if (!before.refused.has(id)) continue;
      assert.ok(maySeeRefused, `${id} was refused`);
      const isLast = found.slice(index).every((later) => before.refused.has(later) || pending.has(later));
      assert.ok(isLast, `${id} came back, and others after it`);
    }
    if (!isPowerCut) assert.equal(this.home.corruptions, 0, "a kill damages nothing");
  }

  #commitSome(): void {
    const { store } = this.home;
    for (let count = this.random.pick([1, 1, 1, 2, 5, 20]); count > 0; count--) {
      const id = this.#nextId++;
      this.#pending.add(id);
      const settle = (note: () => void) => (): void => {
        // Of an earlier life, or of a machine that has stopped and tells nobody anything.
        if (this.home.store !== store || this.disk.isDead) return;
        this.#pending.delete(id);
        note();
      };
      store.commit({ id, paddingBytes: this.random.int(0, 100) }).then(
        settle(() => {
          this.#acknowledged.push(id);
          if (this.#durability === "sync") this.#durableCount = this.#base.length + this.#acknowledged.length;
        }),
        settle(() => this.#refused.add(id)),
      );
    }
  }

  async #settle(): Promise<void> {
    for (let turn = 0; this.#pending.size > 0 && !this.disk.isDead; turn++) {
      assert.ok(turn < 1000, "every commit has an outcome");
      await turns(1);
    }
    if (this.disk.isDead) return;
    assert.deepEqual(this.home.store.state.ids, [...this.#base, ...this.#acknowledged]);
  }

  async #flush(): Promise<void> {
    await this.#settle();
    const count = this.#base.length + this.#acknowledged.length;
    this.clock.advance(1000);
    await turns(30);
    const isFlushed = this.#isWell() && !this.disk.isDead && !this.disk.fault;
    if (isFlushed) this.#durableCount = Math.max(count, this.#durableCount);
  }

  #switchDurability(): void {
    // What is under way is acknowledged as the old setting has it.
    if (this.#pending.size > 0) return;
    this.#durability = this.random.pick(["async", "sync"]);
    this.home.settings.durability = this.#durability;
  }

  #startFault(): void {
    if (this.random.int(0, 1) === 0) {
      this.disk.capacityBytes = this.disk.usedBytes() + this.random.int(0, 300);
      return;
    }
    const [code, operations] = this.random.pick(FAULTS);
    if (operations.includes("truncate")) this.#cutFailed = true;
    this.disk.fault = (operation) => (operations.includes(operation) ? code : undefined);
  }

  #clearFault(): void {
    this.disk.fault = undefined;
    this.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
  }

  async #restart(): Promise<void> {
    this.#clearFault();
    await this.#settle();
    if (this.disk.isDead) return;
    const closing = this.home.store.close().catch((error: unknown) => {
      if (!this.disk.isDead) throw error;
    });
    await Promise.race([closing, turns(200).then(() => assert.ok(this.disk.isDead, "close() ends"))]);
    if (this.disk.isDead) return;
    assert.equal(this.disk.openCount, 0);
    const expected = [...this.#base, ...this.#acknowledged];
    this.disk = this.random.int(0, 1) === 0 ? this.disk.cutPower(this.random) : this.disk.kill();
    await this.open();
    assert.deepEqual(this.home.store.state.ids, expected, "all of it after a close");
    assert.equal(this.home.corruptions, 0);
  }

  /** One bit of one file, while nobody looks. */
  async #damage(): Promise<void> {
    await this.#restart();
    if (this.disk.isDead) return;
    const before = [...this.#base];
    this.disk = this.disk.kill();
    const path = this.random.pick(this.disk.paths().filter((each) => !each.includes(".corrupt-")));
    const bit = this.random.int(0, this.disk.get(path).length * 8 - 1);
    this.disk.damage(path, (bytes) => void (bytes[bit >> 3]! ^= 1 << (bit & 7)));
    await this.open();
    const found = this.home.store.state.ids;
    assert.deepEqual(found, before.slice(0, found.length), "a prefix");
    if (found.length < before.length) assert.ok(this.home.corruptions > 0, "not in silence");
    for (const each of this.disk.paths().filter((name) => name.includes(".corrupt-"))) this.disk.remove(each);
  }

  #isWell(): boolean {
    return this.home.health.at(-1) === undefined;
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const replay = process.env["PI_DAEMON_TEST_SEED"];
const seeds = replay === undefined ? Array.from({ length: SEEDS }, (_, index) => index + 1) : [Number(replay)];

test(`${SEEDS} lives of ${STEPS} random steps keep what was acknowledged`, async () => {
  for (const seed of seeds) {
    const model = new Model(seededRandom(seed));
    try {
      await model.open();
      for (let step = 0; step < STEPS; step++) await model.step();
      await model.crash();
    } catch (error) {
      throw new Error(`with PI_DAEMON_TEST_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});
