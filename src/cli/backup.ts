/** `backup` and `restore`: all durable state in one file, and back. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { readBackup } from "../system/backup.ts";
import { acquireLock, LockHeldError, readHolder } from "../system/lock.ts";
import { RestoreError, restoreBackup } from "../system/restore.ts";
import { VERSION } from "../system/version.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { findDaemon, findPlace, refuseUrl } from "./place.ts";
import { readableBytes } from "./style.ts";
import { tell } from "./tell.ts";
import { terminalLog } from "./terminal-log.ts";

const backupCommand: Command = {
  name: "backup",
  operands: ["FILE"],
  options: [{ name: "force", summary: "replace FILE if it is there" }],
  summary: "write all durable state to one file, whether the daemon runs or not",
  details:
    "A gzipped tar archive of one moment: metrics, jobs and their history, knowledge, the token. The config\n" +
    "is not in it. Whoever can read it can read all of that: it is made for you alone (0600).",
  examples: ["pi-daemon backup ~/pi-daemon-monday.tar.gz"],
  async run(call) {
    const path = resolve(call.args.operands[0]!);
    if (existsSync(path) && !call.args.isSet("force")) {
      throw new CommandError(EXIT.failure, `there is a file ${path} already`, "add --force to replace it");
    }
    await writeWhole(path, (write) => copyState(call, write));
    const sizeBytes = statSync(path).size;
    tell(call, { path, sizeBytes }, `wrote ${path} (${readableBytes(sizeBytes)})`);
    return EXIT.ok;
  },
};

const restoreCommand: Command = {
  name: "restore",
  operands: ["FILE"],
  options: [],
  summary: "put the state of a backup in the place of the present one",
  details:
    "The daemon must be stopped. The present state is not lost: it is kept in a folder of the data\n" +
    "directory, whose name is printed.",
  examples: ["pi-daemon stop && pi-daemon restore ~/pi-daemon-monday.tar.gz && pi-daemon start"],
  async run(call) {
    refuseUrl(call, "restore");
    const { dataDir } = findPlace(call);
    const path = resolve(call.args.operands[0]!);
    const restored = await restoreBackup(path, dataDir, {
      log: terminalLog(call),
      nowMs: call.clock.wallMs(),
    }).catch((error: Error) => {
      if (error instanceof RestoreError) throw new CommandError(EXIT.failure, error.message);
      throw error instanceof LockHeldError ? stillRunning(error) : error;
    });
    const { files, sizeBytes, keptIn, manifest } = restored;
    const when = new Date(manifest.createdMs).toISOString();
    const lines = [`restored ${files} files (${readableBytes(sizeBytes)}) of ${when} into ${dataDir}`];
    if (keptIn !== undefined) lines.push(`the state before it is in ${keptIn}; remove it when all is well`);
    tell(call, { dataDir, files, sizeBytes, createdMs: manifest.createdMs, keptIn: keptIn ?? null }, lines.join("\n"));
    return EXIT.ok;
  },
};

export const backupCommands: readonly Command[] = [backupCommand, restoreCommand];

type Write = (piece: Uint8Array) => void;

/** From the daemon where one runs, else from its files. */
async function copyState(call: CommandCall, write: Write): Promise<void> {
  const isElsewhere = call.args.isSet("url") || (call.env["PI_DAEMON_URL"] ?? "") !== "";
  const dataDir = isElsewhere ? undefined : findPlace(call).dataDir;
  if (dataDir === undefined || readHolder(dataDir) !== undefined) {
    const { client } = await findDaemon(call);
    return client.backup(write);
  }
  if (!existsSync(dataDir)) {
    throw new CommandError(EXIT.failure, `there is nothing to back up: ${dataDir} does not exist`);
  }
  const lock = acquireLock(dataDir, { version: VERSION });
  try {
    for await (const piece of readBackup(dataDir, call.clock.wallMs())) write(piece);
  } finally {
    lock.release();
  }
}

/** The file is there when all of it is, and never in part. */
async function writeWhole(path: string, produce: (write: Write) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, "wx", 0o600);
  try {
    await produce((piece) => {
      for (let written = 0; written < piece.length;) written += writeSync(file, piece, written);
    });
    fsyncSync(file);
    renameSync(temporary, path);
  } finally {
    closeSync(file);
    rmSync(temporary, { force: true });
  }
}

function stillRunning({ holder }: LockHeldError): CommandError {
  const who = holder === undefined ? "a daemon" : `the daemon (pid ${holder.pid})`;
  const hint = 'stop it first: "pi-daemon stop", or its service: systemctl stop pi-daemon';
  return new CommandError(EXIT.alreadyRunning, `${who} is running, and would overwrite what is restored`, hint);
}
