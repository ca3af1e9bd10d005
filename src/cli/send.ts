/** `send`: one event of a metric, from a shell script. */
import type { MetricEvent } from "../client.ts";
import { METRIC_TYPES } from "../core/names.ts";
import { nearest } from "../core/nearest.ts";
import { quote } from "../core/printable.ts";
import { type Arguments, type Command, CommandError, EXIT } from "./command.ts";
import { findDaemon } from "./place.ts";

const AMOUNTS = ["increment", "set", "delta", "observe"] as const;
type Amount = (typeof AMOUNTS)[number];

/** What a metric is when only its amount is given. */
const TYPE_OF: Readonly<Record<Amount, MetricEvent["type"]>> = {
  increment: "counter",
  set: "gauge",
  delta: "gauge",
  observe: "histogram",
};

export const sendCommand: Command = {
  name: "send",
  operands: ["NAME"],
  options: [
    { name: "type", short: "t", value: "TYPE", summary: "counter, gauge, histogram, summary; else as the amount says" },
    { name: "increment", value: "NUMBER", summary: "add to a counter (1 when no amount is given)" },
    { name: "set", value: "NUMBER", summary: "set a gauge" },
    { name: "delta", value: "NUMBER", summary: "add to a gauge; may be negative" },
    { name: "observe", value: "NUMBER", summary: "record a value in a histogram or a summary" },
    { name: "label", short: "l", value: "KEY=VALUE", isRepeatable: true, summary: "a label; may stand several times" },
    { name: "help-text", value: "TEXT", summary: "what the metric means, shown as its HELP" },
    { name: "unit", value: "UNIT", summary: "the unit that the name ends in: seconds, bytes" },
  ],
  summary: "send one event of a metric",
  details: "Prints nothing when the daemon took it, so that it can stand in a script.",
  examples: [
    "pi-daemon send backups_total --increment 1 -l host=nas",
    "pi-daemon send queue_length --set 12",
    "pi-daemon send build_seconds --observe 3.2 -l project=web",
  ],
  async run(call) {
    const event = readEvent(call.args);
    const { client } = await findDaemon(call);
    await client.send(event);
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify({ status: "accepted", metric: event }));
    return EXIT.ok;
  },
};

/** The event that the arguments stand for. Throws CommandError. */
export function readEvent(args: Arguments): MetricEvent {
  const given = AMOUNTS.filter((amount) => args.isSet(amount));
  if (given.length > 1) throw usage(`--${given[0]} and --${given[1]} are both given`, "an event has one amount");
  const amount = given[0];
  const type = readType(args.value("type"), amount);
  const help = args.value("help-text");
  const unit = args.value("unit");
  return {
    name: args.operands[0]!,
    type,
    labels: readLabels(args.values("label")),
    ...(amount === undefined ? {} : { [amount]: readNumber(amount, args.value(amount)!) }),
    ...(help === undefined ? {} : { help }),
    ...(unit === undefined ? {} : { unit }),
  };
}

function readType(text: string | undefined, amount: Amount | undefined): MetricEvent["type"] {
  const type = text === undefined ? TYPE_OF[amount ?? "increment"] : METRIC_TYPES.find((each) => each === text);
  if (type === undefined) {
    const near = nearest(text!, METRIC_TYPES);
    const hint = near ? `did you mean ${near}?` : `it is one of ${METRIC_TYPES.join(", ")}`;
    throw usage(`there is no metric type ${quote(text!)}`, hint);
  }
  const fitting = AMOUNTS.filter((each) => TYPE_OF[each] === (type === "summary" ? "histogram" : type));
  const hint = `write ${fitting.map((each) => `--${each} NUMBER`).join(" or ")}`;
  if (amount === undefined && type !== "counter") throw usage(`a ${type} needs an amount`, hint);
  if (amount !== undefined && !fitting.includes(amount)) throw usage(`a ${type} takes no --${amount}`, hint);
  return type;
}

function readNumber(amount: Amount, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw usage(`--${amount} must be a number, not ${quote(text)}`, `for example: --${amount} 1.5`);
}

function readLabels(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at <= 0) throw usage(`a label is written KEY=VALUE, not ${quote(pair)}`, "for example: -l host=nas");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function usage(message: string, hint: string): CommandError {
  return new CommandError(EXIT.usage, message, hint);
}
