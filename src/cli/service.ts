/** `service install`, `uninstall` and `status`: the daemon as a service of the machine, or of the person. */
import { existsSync } from "node:fs";
import { type Command, type CommandCall, CommandError, EXIT, type OptionSpec } from "./command.ts";
import type { Layout } from "./service-layout.ts";
import { carryOut, findAccount, findLayout, readFacts, runCommand } from "./service-machine.ts";
import { planInstall, planUninstall, refuseWithoutRights, type Step } from "./service-plan.ts";
import { readLaunchdStatus, readSystemdStatus, type ServiceStatus, SHOWN } from "./service-status.ts";
import { needSettings } from "./settings.ts";
import { refuseUrl } from "./place.ts";
import { renderFacts } from "./table.ts";
import { tell } from "./tell.ts";

const USER: OptionSpec = { name: "user", summary: "a service of your own (systemctl --user); on macOS it always is" };
const DRY_RUN: OptionSpec = { name: "dry-run", summary: "tell what would be done, and do nothing" };

const installCommand: Command = {
  name: "service install",
  operands: [],
  options: [
    USER,
    { name: "run-as", value: "USER", summary: "the system service runs as this user and may write in their home" },
    DRY_RUN,
  ],
  summary: "make the daemon a service that starts at boot, and start it",
  details:
    "By systemd or launchd. The unit runs this very program, so install again when it or Node has moved. The system\n" +
    "service has a user of its own and sees no home directory; jobs and knowledge that need one want --user or\n" +
    "--run-as.",
  examples: [
    "sudo pi-daemon service install",
    "pi-daemon service install --user",
    "pi-daemon service install --dry-run",
  ],
  async run(call) {
    refuseUrl(call, "install");
    const layout = layoutFor(call);
    // A service that cannot start is not installed in the first place; that of the system has a config of its own.
    if (layout.scope === "user") needSettings(call);
    const runAs = call.args.value("run-as");
    if (runAs !== undefined && layout.scope === "user") {
      throw new CommandError(EXIT.usage, "--run-as is for the system service", "a service of your own runs as you");
    }
    const facts = readFacts(layout, call);
    if (!call.args.isSet("dry-run")) refuseWithoutRights(facts, "install");
    const steps = planInstall(facts, { runAs: runAs === undefined ? undefined : findAccount(runAs) });
    return perform(call, steps, describeInstalled(layout));
  },
};

const uninstallCommand: Command = {
  name: "service uninstall",
  operands: [],
  options: [USER, { name: "purge", summary: "remove its state, log and config too" }, DRY_RUN],
  summary: "stop the service and take it off the machine",
  details: "State and config stay, and are named, unless --purge is given; then nothing stays.",
  examples: ["sudo pi-daemon service uninstall --purge", "pi-daemon service uninstall --user"],
  async run(call) {
    refuseUrl(call, "uninstall");
    const facts = readFacts(layoutFor(call), call);
    if (!call.args.isSet("dry-run")) refuseWithoutRights(facts, "uninstall");
    const steps = planUninstall(facts, { data: call.args.isSet("purge") ? "purge" : "keep" });
    const isThere = steps.some((step) => step.do !== "keep");
    return perform(
      call,
      steps,
      isThere ? "pi-daemon is no service any more" : "pi-daemon is not installed as a service",
    );
  },
};

const statusCommand: Command = {
  name: "service status",
  operands: [],
  options: [USER],
  summary: "tell whether the service is installed and runs (exit code 3: not)",
  examples: ["pi-daemon service status", "pi-daemon service status --user --json"],
  async run(call) {
    refuseUrl(call, "look for");
    const layout = layoutFor(call);
    const status = readStatus(layout);
    const { isInstalled, isRunning, facts } = status;
    const text = [
      headline(layout, status),
      ...renderFacts([...facts].map(([name, value]) => [name, value])).map((line) => "  " + line),
    ].join("\n");
    const data = { installed: isInstalled, running: isRunning, scope: layout.scope, ...Object.fromEntries(facts) };
    tell(call, data, text);
    return isRunning ? EXIT.ok : EXIT.notRunning;
  },
};

export const serviceCommands: readonly Command[] = [installCommand, uninstallCommand, statusCommand];

function layoutFor(call: CommandCall): Layout {
  return findLayout(call.args.isSet("user") ? "user" : "system", call);
}

/** Carries the steps out, telling of each once it is done; or only tells of them. */
async function perform(call: CommandCall, steps: readonly Step[], closing: string): Promise<number> {
  const isDry = call.args.isSet("dry-run");
  const isJson = call.args.isSet("json");
  for (const step of steps) {
    if (!isDry) await carryOut(step, call.pause);
    if (!isJson) call.terminal.out(describeStep(step, isDry ? "would" : "done"));
  }
  if (isJson) call.terminal.out(JSON.stringify({ done: !isDry, steps: steps.map((step) => describeData(step)) }));
  else if (!isDry) call.terminal.out(closing);
  return EXIT.ok;
}

const WORDS = {
  write: ["would write", "wrote"],
  run: ["would run", "ran"],
  remove: ["would remove", "removed"],
  keep: ["would keep", "kept"],
} as const;

function describeStep(step: Step, when: "would" | "done"): string {
  const word = WORDS[step.do][when === "would" ? 0 : 1];
  if (step.do === "run") return `${word} ${step.command.join(" ")}`;
  return `${word} ${step.path}${step.do === "keep" ? ` (${step.reason})` : ""}`;
}

function describeData(step: Step): Readonly<Record<string, unknown>> {
  return step.do === "run" ? { do: step.do, command: step.command } : { do: step.do, path: step.path };
}

function describeInstalled({ scope, manager }: Layout): string {
  const whose = scope === "user" ? "service of yours, and starts at login" : "system service, and starts at boot";
  const user = scope === "user" ? " --user" : "";
  const lines = [`pi-daemon runs as a ${whose}`];
  lines.push(`  status     pi-daemon service status${user}`);
  if (manager === "systemd") lines.push(`  log        journalctl${user} -u pi-daemon.service -f`);
  if (manager === "systemd" && scope === "user")
    lines.push('  it ends when you log out, unless: sudo loginctl enable-linger "$USER"');
  return lines.join("\n");
}

function readStatus(layout: Layout): ServiceStatus {
  if (layout.manager === "systemd")
    return readSystemdStatus(runCommand([...layout.control, "show", "-p", SHOWN.join(), layout.target]).out);
  const { code, out } = runCommand([...layout.control, "print", layout.target]);
  const status = readLaunchdStatus(code === 0 ? out : undefined, layout);
  return existsSync(layout.unitPath) ? status : { isInstalled: false, isRunning: false, facts: [] };
}

function headline({ scope }: Layout, { isInstalled, isRunning }: ServiceStatus): string {
  const what = scope === "user" ? "a service of yours" : "a system service";
  if (!isInstalled) return `pi-daemon is not installed as ${what}`;
  return isRunning ? `pi-daemon runs as ${what}` : `pi-daemon is installed as ${what}, and does not run`;
}
