import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CommandError } from "../../src/cli/command.ts";
import { carryOut, findAccount, runCommand } from "../../src/cli/service-machine.ts";
import type { Step } from "../../src/cli/service-plan.ts";
import { tempDir } from "../support/temp-dir.ts";

/** Carries it out; answers how long it was told to wait in between. */
async function perform(step: Step): Promise<number[]> {
  const pauses: number[] = [];
  await carryOut(step, async (ms) => void pauses.push(ms));
  return pauses;
}

const isRefusal = (message: RegExp) => (error: unknown) => error instanceof CommandError && message.test(error.message);

describe("carryOut", () => {
  test("writes a file whole, in a folder that others may look into, and with its mode whatever was there", async (t) => {
    const path = join(tempDir(t), "new", "unit");
    await perform({ do: "write", path, text: "one", mode: 0o644 });
    assert.deepEqual([readFileSync(path, "utf8"), statSync(path).mode & 0o777], ["one", 0o644]);
    assert.equal(statSync(join(path, "..")).mode & 0o777, 0o755);
    writeFileSync(path, "much longer than before");
    await perform({ do: "write", path, text: "two", mode: 0o600 });
    assert.deepEqual([readFileSync(path, "utf8"), statSync(path).mode & 0o777], ["two", 0o600]);
  });

  test("removes a file, a folder with all in it, and what is not there", async (t) => {
    const folder = join(tempDir(t), "folder");
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "");
    for (let time = 0; time < 2; time++) await perform({ do: "remove", path: folder });
    assert.equal(statSync(folder, { throwIfNoEntry: false }), undefined);
  });

  test("keeps what is to be kept", async (t) => {
    const path = join(tempDir(t), "file");
    writeFileSync(path, "mine");
    await perform({ do: "keep", path, reason: "it is mine" });
    assert.equal(readFileSync(path, "utf8"), "mine");
  });

  test("a command that fails ends it with its first line, unless it may", async () => {
    const command = ["sh", "-c", "echo because >&2; echo and so on >&2; exit 3"];
    await assert.rejects(perform({ do: "run", command }), isRefusal(/^sh -c .* failed: because$/));
    await assert.rejects(perform({ do: "run", command: ["sh", "-c", "exit 3"] }), isRefusal(/failed: exit code 3$/));
    await assert.rejects(perform({ do: "run", command: ["/no/such/program"] }), isRefusal(/failed: .*ENOENT/));
    assert.deepEqual(await perform({ do: "run", command, mayFail: true }), []);
  });

  test("a command with tries is tried so often, a second apart", async (t) => {
    const count = join(tempDir(t), "count");
    const command = (needed: number): string[] => [
      "sh",
      "-c",
      `echo >> "${count}"; test $(wc -l < "${count}") -ge ${needed}`,
    ];
    assert.deepEqual(await perform({ do: "run", command: command(3), tries: 5 }), [1000, 1000]);
    await assert.rejects(perform({ do: "run", command: command(100), tries: 2 }), isRefusal(/exit code 1/));
  });
});

describe("findAccount", () => {
  const skip = runCommand(["getent", "passwd", "root"]).code === 0 ? false : "there is no getent here";

  test("a user of this machine", { skip }, (t) => {
    const line = runCommand(["getent", "passwd"])
      .out.split("\n")
      .map((one) => one.split(":"))
      .find(([, , uid]) => uid !== "0");
    if (line?.[0] === undefined || line[0] === "") return t.skip("this machine has no user but root");
    const { name, home, uid } = findAccount(line[0]);
    assert.deepEqual([name, uid, home], [line[0], Number(line[2]), line[5]]);
    return undefined;
  });

  test("root, and nobody", { skip }, () => {
    assert.throws(() => findAccount("root"), isRefusal(/does not run as root/));
    assert.throws(() => findAccount("no-such-person"), isRefusal(/there is no user "no-such-person"/));
    assert.throws(() => findAccount("--help"), isRefusal(/there is no user "--help"/));
  });
});
