/** Turns what the manager of services says of ours into facts for people and programs. */
import type { Layout } from "./service-layout.ts";

export interface ServiceStatus {
  readonly isInstalled: boolean;
  readonly isRunning: boolean;
  /** Each with its name, for people. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export const SHOWN = [
  "FragmentPath",
  "DropInPaths",
  "UnitFileState",
  "ActiveState",
  "SubState",
  "Result",
  "ExecMainStatus",
  "MainPID",
  "NRestarts",
  "ActiveEnterTimestamp",
];

/** Reads `systemctl show -p …`. */
export function readSystemdStatus(text: string): ServiceStatus {
  const of = Object.fromEntries(
    text
      .trim()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const isInstalled = Boolean(of["FragmentPath"]);
  const state = of["ActiveState"] ?? "unknown";
  const isFailed = state === "failed";
  const facts: [string, string | undefined][] = [
    ["unit", of["FragmentPath"]],
    ["changed by", of["DropInPaths"]],
    ["starts by itself", of["UnitFileState"] === "enabled" ? "yes" : "no"],
    ["state", `${state} (${of["SubState"]})${isFailed ? `: ${of["Result"]}, exit code ${of["ExecMainStatus"]}` : ""}`],
    ["pid", of["MainPID"] === "0" ? undefined : of["MainPID"]],
    ["since", of["ActiveEnterTimestamp"]],
    ["restarts", of["NRestarts"]],
  ];
  return { isInstalled, isRunning: state === "active", facts: isInstalled ? present(facts) : [] };
}

/** Reads `launchctl print TARGET`; `undefined` when launchd does not know it. */
export function readLaunchdStatus(text: string | undefined, { unitPath }: Layout): ServiceStatus {
  const of = (name: string): string | undefined => new RegExp(`^\\t${name} = (.*)$`, "m").exec(text ?? "")?.[1];
  const facts: [string, string | undefined][] = [
    ["unit", unitPath],
    ["state", of("state") ?? "not loaded"],
    ["pid", of("pid")],
    ["last exit", of("last exit code")],
  ];
  return { isInstalled: true, isRunning: of("state") === "running", facts: present(facts) };
}

function present(facts: readonly (readonly [string, string | undefined])[]): [string, string][] {
  return facts.filter((fact): fact is [string, string] => Boolean(fact[1]));
}
