/** `start`, `stop` and `restart`: a daemon in the background, and word of how that went. */
import { type Holder, readHolder } from "../system/lock.ts";
import { endProcess } from "../system/end-process.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { runForeground } from "./foreground.ts";
import { findPlace, type Place, refuseUrl } from "./place.ts";
import { needSettings } from "./settings.ts";
import { startAndTell } from "./start.ts";
import { readableDuration } from "./style.ts";
import { tell } from "./tell.ts";

/** Beyond the limits of the config: runs that have to be killed, and what is still to be written. */
const STOP_GRACE_MS = 20_000;

export const startCommand: Command = {
  name: "start",
  operands: [],
  options: [
    { name: "foreground", summary: "stay in this terminal and log to it, as a service manager wants it" },
    { name: "log-file", value: "PATH", summary: "with --foreground: log to this file instead" },
  ],
  summary: "start the daemon in the background and wait until it answers",
  details:
    "Does nothing when it is running already. When it cannot start, the last lines of its log say why.\n" +
    "In the foreground it logs to the terminal; SIGTERM or Ctrl-C lets it answer what is in flight and\n" +
    "ends it, a second one ends it at once; SIGHUP reloads the config.",
  examples: ["pi-daemon start", "pi-daemon start --foreground --config ./config.json"],
  async run(call) {
    refuseUrl(call, "start");
    if (call.args.isSet("foreground")) return runForeground(call);
    if (call.args.isSet("log-file")) {
      const hint = "in the background logging.file of the config says where the log goes";
      throw new CommandError(EXIT.usage, "--log-file goes with --foreground", hint);
    }
    return startAndTell(call, needSettings(call));
  },
};

export const stopCommand: Command = {
  name: "stop",
  operands: [],
  options: [],
  summary: "let the daemon answer what is in flight, then end it",
  details:
    "When it has not ended some time after server.drainTimeoutMs and jobs.stopGraceMs it is killed, and the\n" +
    "command says so.",
  async run(call) {
    refuseUrl(call, "stop");
    const place = findPlace(call);
    const holder = readHolder(place.dataDir);
    if (holder) await stopAndTell(call, place, holder);
    else tell(call, { status: "not running" }, "pi-daemon is not running");
    return EXIT.ok;
  },
};

export const restartCommand: Command = {
  name: "restart",
  operands: [],
  options: [],
  summary: "stop the daemon and start it again, in the background",
  details: "The config is checked first: with a bad one the daemon that runs goes on.",
  async run(call) {
    refuseUrl(call, "restart");
    const settings = needSettings(call);
    const place = findPlace(call);
    const holder = readHolder(place.dataDir);
    // One document is all that --json may print.
    const quiet = { ...call, terminal: { ...call.terminal, out: () => {} } };
    if (holder) await stopAndTell(call.args.isSet("json") ? quiet : call, place, holder);
    return startAndTell(call, settings);
  },
};

async function stopAndTell(call: CommandCall, place: Place, holder: Holder): Promise<void> {
  const { pid } = holder;
  const startedMs = call.clock.monotonicMs();
  const graceMs = place.stopTimeoutMs + STOP_GRACE_MS;
  const ending = await endProcess(holder, { graceMs, pause: call.pause }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPERM") throw error;
    const hint = "stop it as that user, or by its service: systemctl stop pi-daemon";
    throw new CommandError(EXIT.failure, `the daemon (pid ${pid}) belongs to another user`, hint);
  });
  if (ending === "survived") {
    const hint = "it may be waiting for a disk; look at it with ps";
    throw new CommandError(EXIT.failure, `the daemon (pid ${pid}) did not end, not even by SIGKILL`, hint);
  }
  const took = readableDuration(call.clock.monotonicMs() - startedMs);
  const isInOrder = ending === "ended";
  const how = isInOrder ? `stopped in ${took}` : `did not stop within ${readableDuration(graceMs)}, so it was killed`;
  tell(call, { status: isInOrder ? "stopped" : "killed", pid }, `pi-daemon (pid ${pid}) ${how}`);
}
