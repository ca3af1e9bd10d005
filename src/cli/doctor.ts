/** `doctor`: looks for what keeps the daemon from working, and says what to do about it. */
import { type Command, type CommandCall, EXIT } from "./command.ts";
import { type Check, type Finding, checks } from "./doctor-checks.ts";
import { findPlace, type Place } from "./place.ts";
import { type Colour, createPainter, plural } from "./style.ts";

const COLOUR_OF: Readonly<Record<Finding["result"], Colour>> = { ok: "green", warn: "yellow", fail: "red" };

export const doctorCommand: Command = {
  name: "doctor",
  operands: [],
  options: [],
  summary: "look for what keeps the daemon from working well, and say what to do",
  async run(call) {
    const findings = await examine(call);
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify(findings));
    else tellFindings(call, findings);
    return findings.some(({ result }) => result === "fail") ? EXIT.failure : EXIT.ok;
  },
};

async function examine(call: CommandCall): Promise<readonly Finding[]> {
  // A bad config is a finding of its own; what else is looked at then lies where the defaults say.
  const quiet = { ...call, terminal: { ...call.terminal, err: () => {} } };
  const place = findPlace(quiet);
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await runCheck(check, quiet, place)));
  return findings;
}

async function runCheck({ subject, look }: Check, call: CommandCall, place: Place): Promise<Finding[]> {
  try {
    return (await look(call, place)).map((found) => ({ subject, ...found }));
  } catch (error) {
    return [{ subject, result: "warn", message: `could not be looked at: ${(error as Error).message}` }];
  }
}

/** A line for each finding, what to do about it, and how many are bad. */
export function tellFindings({ terminal }: CommandCall, findings: readonly Finding[]): void {
  const paint = createPainter(terminal.outHasColours);
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  for (const { subject, result, message, advice } of findings) {
    terminal.out(`${paint(COLOUR_OF[result], result.padEnd(4))}  ${subject.padEnd(width)}  ${message}`);
    if (advice !== undefined) terminal.out(`${" ".repeat(8 + width)}${paint("bold", "->")} ${advice}`);
  }
  const count = (wanted: Finding["result"]): number => findings.filter(({ result }) => result === wanted).length;
  const isWell = count("fail") + count("warn") === 0;
  terminal.out(isWell ? "\nall is well" : `\n${plural(count("fail"), "failure")}, ${plural(count("warn"), "warning")}`);
}
