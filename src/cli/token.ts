/** `token`: the token that clients over TCP need, and a new one. */
import { readFileSync } from "node:fs";
import { ensurePrivateDirectory } from "../system/files.ts";
import { readHolder } from "../system/lock.ts";
import { rotateToken, tokenPath } from "../system/token.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { clientOf, refuseUrl } from "./place.ts";
import { needSettings } from "./settings.ts";
import { tell } from "./tell.ts";
import { terminalLog } from "./terminal-log.ts";

export const tokenCommand: Command = {
  name: "token",
  operands: [],
  options: [{ name: "rotate", summary: "make a new token; the old one is refused from then on" }],
  summary: "print the daemon's token, or make a new one",
  details:
    'It is auth.token of the config, else what stands in the file "token" of the data directory, made when\n' +
    "the daemon first starts. Commands on this machine use the daemon's socket and need no token.",
  examples: [
    'curl -H "Authorization: Bearer $(pi-daemon token)" http://127.0.0.1:9876/metrics',
    "pi-daemon token --rotate",
  ],
  async run(call) {
    refuseUrl(call, "print the token of");
    const { config, source } = needSettings(call);
    const { dataDir } = config;
    if (call.args.isSet("rotate")) {
      if (config.auth.token !== null) {
        const message = `the token is set by the config (auth.token in ${source.path})`;
        throw new CommandError(EXIT.failure, message, "change it there, then run: pi-daemon reload");
      }
      ensurePrivateDirectory(dataDir, terminalLog(call));
      await rotateToken(dataDir);
      await makeKnown(call, dataDir);
    }
    const token = config.auth.token ?? readToken(dataDir);
    const from = config.auth.token === null ? tokenPath(dataDir) : source.path;
    tell(call, { token, from }, token);
    return EXIT.ok;
  },
};

function readToken(dataDir: string): string {
  const path = tokenPath(dataDir);
  try {
    const token = readFileSync(path, "utf8").trim();
    if (token !== "") return token;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") throw new CommandError(EXIT.failure, `Cannot read the token: ${message}`);
  }
  const hint = 'it is made when the daemon first starts, or now by "pi-daemon token --rotate"';
  throw new CommandError(EXIT.failure, `there is no token yet in ${path}`, hint);
}

/** A daemon that runs takes the new token at its next reload. */
async function makeKnown(call: CommandCall, dataDir: string): Promise<void> {
  const holder = readHolder(dataDir);
  if (holder === undefined) return;
  try {
    await clientOf(holder).reload();
  } catch {
    call.terminal.err("warning: the running daemon could not be told of the new token; run: pi-daemon restart");
  }
}
