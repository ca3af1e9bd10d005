/** `logs`: the last lines of the daemon's log, and those that come. */
import { quote } from "../core/printable.ts";
import { followLines, readLastLines, sizeOf } from "../system/log-reader.ts";
import { type Command, CommandError, EXIT } from "./command.ts";
import { toReadableLine } from "./log-text.ts";
import { findPlace, refuseUrl } from "./place.ts";
import { createPainter } from "./style.ts";

const DEFAULT_LINES = 50;

export const logsCommand: Command = {
  name: "logs",
  operands: [],
  options: [
    { name: "follow", short: "f", summary: "go on with new lines as they come, until Ctrl-C" },
    { name: "lines", short: "n", value: "COUNT", summary: `how many of the last lines (${DEFAULT_LINES})` },
  ],
  summary: "show the log of a daemon in the background",
  details: "With --json the lines come as they stand in the file.",
  examples: ["pi-daemon logs -n 100", "pi-daemon logs -f"],
  async run(call) {
    refuseUrl(call, "show the log of");
    const count = readCount(call.args.value("lines"));
    const { logFile } = findPlace(call);
    const paint = createPainter(call.terminal.outHasColours);
    const show = (lines: readonly string[]): void => {
      const texts = call.args.isSet("json") ? lines : lines.map((line) => toReadableLine(line, paint));
      if (texts.length > 0) call.terminal.out(texts.join("\n"));
    };
    const from = sizeOf(logFile);
    const lines = readLastLines(logFile, count);
    if (lines === undefined && !call.args.isSet("follow")) {
      const hint = 'only a daemon in the background writes it ("pi-daemon start"); a service logs to its journal';
      throw new CommandError(EXIT.failure, `there is no log at ${logFile}`, hint);
    }
    show(lines ?? []);
    const { signal, pause } = call;
    if (call.args.isSet("follow")) await followLines(logFile, { from, signal, pause, onLines: show });
    return EXIT.ok;
  },
};

function readCount(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LINES;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const message = `--lines must be a whole number, not ${quote(text)}`;
  throw new CommandError(EXIT.usage, message, "for example: pi-daemon logs -n 100");
}
