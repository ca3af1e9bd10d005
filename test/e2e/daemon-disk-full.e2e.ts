/**
 * The whole daemon on a small disk that fills up under load: what is acknowledged is kept, and it gets well by itself.
 */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mountMissing, tmpfs } from "../support/mount.ts";
import { type Program, startProgram, tryProgram, writeProgramConfig } from "../support/program.ts";
import { Tally, until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const SIZE_BYTES = 2 << 20;
const skip = mountMissing("tmpfs");

/** Takes all the room that is left; answers how to give it back. */
function fillUp(directory: string): () => void {
  const filler = join(directory, "filler");
  assert.throws(() => writeFileSync(filler, Buffer.alloc(SIZE_BYTES + 1)), /ENOSPC/);
  return () => rmSync(filler);
}

async function health(daemon: Program): Promise<{ status: number; body: { status: string; reasons?: string[] } }> {
  const reply = await daemon.fetch("/health");
  return { status: reply.status, body: (await reply.json()) as { status: string; reasons?: string[] } };
}

const isWell = (daemon: Program) => async (): Promise<boolean> => (await health(daemon)).status === 200;

for (const durability of ["async", "sync"]) {
  test(`a disk that fills up under load (${durability})`, { skip }, async (t) => {
    const disk = tmpfs(t, SIZE_BYTES);
    const configPath = writeProgramConfig(join(tempDir(t), "config.json"), {
      dataDir: join(disk, "data"),
      storage: { durability, maxJournalBytes: 65_536 },
    });
    const tally = new Tally();
    let daemon = await startProgram(t, configPath);
    for (let round = 0; round < 3; round++) {
      let more = 300;
      await tally.sendWhile(daemon, (status) => status === 200 && --more > 0);
      const makeRoom = fillUp(disk);
      await tally.sendWhile(daemon, (status) => status === 200);
      const { status, body } = await health(daemon);
      assert.equal(status, 503);
      assert.equal(body.status, "degraded");
      assert.match(String(body.reasons), /ENOSPC/);
      assert.equal(tally.unknown, 0);
      assert.equal(await tally.exposed(daemon), tally.acknowledged, "while it is full");

      // Some get through whenever a journal is begun anew in the place of an empty one; none of them may be lost.
      let tries = 200;
      await tally.sendWhile(daemon, () => --tries > 0);
      assert.equal(await tally.exposed(daemon), tally.acknowledged, "after trying on");
      if (round === 1) {
        await daemon.end();
        daemon = await startProgram(t, configPath);
        assert.equal(await tally.exposed(daemon), tally.acknowledged, "after kill -9, on the full disk");
        tries = 100;
        await tally.sendWhile(daemon, () => --tries > 0);
      }
      makeRoom();
      await until(isWell(daemon));
      more = 100;
      const before = tally.acknowledged;
      await tally.sendWhile(daemon, (given) => (assert.equal(given, 200), --more > 0));
      assert.ok(tally.acknowledged >= before + 100);
      assert.equal(await tally.exposed(daemon), tally.acknowledged, "with room again");
    }
    await daemon.end();
    daemon = await startProgram(t, configPath);
    assert.equal(await tally.exposed(daemon), tally.acknowledged, "after kill -9");
    assert.equal((await health(daemon)).status, 200);
    const { code } = await daemon.end("SIGTERM");
    assert.equal(code, 0, daemon.log());
    t.diagnostic(`${tally.acknowledged} acknowledged, ${tally.refused} refused`);
  });
}

test(
  "a start on a full disk says so and ends, or is degraded; it acknowledges only what it keeps",
  { skip },
  async (t) => {
    const disk = tmpfs(t, SIZE_BYTES);
    const dataDir = join(disk, "data");
    const configPath = writeProgramConfig(join(tempDir(t), "config.json"), { dataDir });

    let makeRoom = fillUp(disk);
    const first = await tryProgram(t, configPath);
    assert.ok(!("url" in first), "there is no room for a token");
    assert.equal(first.code, 1);
    assert.match(first.log, /cannot start[^\n]*\/data: ENOSPC: no space left/);
    makeRoom();

    const tally = new Tally();
    let daemon = await startProgram(t, configPath);
    let more = 50;
    await tally.sendWhile(daemon, (status) => (assert.equal(status, 200), --more > 0));
    assert.equal((await daemon.end("SIGTERM")).code, 0);

    makeRoom = fillUp(disk);
    const second = await tryProgram(t, configPath);
    if ("url" in second) {
      let tries = 100;
      await tally.sendWhile(second, () => --tries > 0);
      assert.equal(await tally.exposed(second), tally.acknowledged);
      await second.end();
    } else {
      assert.equal(second.code, 1);
      assert.match(second.log, /cannot start[^\n]*\/data: ENOSPC: no space left/);
    }
    makeRoom();
    daemon = await startProgram(t, configPath);
    assert.equal(await tally.exposed(daemon), tally.acknowledged);
    await daemon.end("SIGTERM");
  },
);
