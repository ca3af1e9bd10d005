/**
 * Turns what stands on a machine, and a wish, into the steps that install or remove our service, or into a refusal.
 *
 * Errors: CommandError for a wish that cannot be met.
 * Not: nothing is looked at or changed here; service-machine.ts does both.
 */
import { dirname, join } from "node:path";
import { CommandError, EXIT } from "./command.ts";
import { type Layout, RUN_AS, UNIT } from "./service-layout.ts";
import { fitPlist, fitRunAs, fitUnit, isOwnFile, type Program } from "./service-unit.ts";

/** `ExitTimeOut` of the property list, after which launchd ends it by force. */
const LAUNCHD_STOP_S = 60;

export type Step =
  | { readonly do: "write"; readonly path: string; readonly text: string; readonly mode: number }
  /** `mayFail`: what it is to bring about may be so already. `tries`: once a second, until what is in its way has gone. */
  | { readonly do: "run"; readonly command: readonly string[]; readonly mayFail?: true; readonly tries?: number }
  /** A file, or a folder with all that is in it. */
  | { readonly do: "remove"; readonly path: string }
  | { readonly do: "keep"; readonly path: string; readonly reason: string };

/** A person of this machine whose files the system service may write. */
export interface Account {
  readonly name: string;
  readonly home: string;
  readonly uid: number;
}

/** What stands on the machine. */
export interface ServiceFacts {
  readonly layout: Layout;
  readonly uid: number | undefined;
  /** Who called `sudo`, where somebody did. */
  readonly sudoUser: string | undefined;
  /** Whether the manager can be reached: for a service of one's own, whether one is logged in. */
  readonly hasManager: boolean;
  readonly program: Program;
  /** The first part of the program that the service's user could not read. */
  readonly unreadable: string | undefined;
  /** The contents of the files of ours that are there, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** The unit of that name that the manager knows from another place. */
  readonly otherUnit: string | undefined;
  /** The paths of {@link Layout.statePaths}, and the folder of the config, that are there. */
  readonly kept: readonly string[];
  /** A daemon that somebody started by hand on the data that the service would use. */
  readonly strayPid: number | undefined;
  /** The text of a file of `contrib`. */
  readonly template: (name: string) => string;
}

export interface InstallWish {
  readonly runAs: Account | undefined;
}

export interface UninstallWish {
  readonly data: "keep" | "purge";
}

export function planInstall(facts: ServiceFacts, { runAs }: InstallWish): readonly Step[] {
  refuseForeignUnit(facts);
  refuseProgram(facts);
  if (facts.strayPid !== undefined) {
    const message = `a daemon that was started by hand (pid ${facts.strayPid}) has the data that the service would use`;
    throw new CommandError(EXIT.failure, message, "stop it first: pi-daemon stop");
  }
  const { layout, program, template } = facts;
  const text = template(layout.template);
  const fitted = layout.manager === "launchd" ? fitPlist(text, program) : fitUnit(text, program);
  return [
    ...planConfig(facts),
    { do: "write", path: layout.unitPath, text: fitted, mode: 0o644 },
    ...planRunAs(facts, runAs),
    ...planStart(layout),
  ];
}

export function planUninstall(facts: ServiceFacts, { data }: UninstallWish): readonly Step[] {
  const { layout, files } = facts;
  if (data === "purge" && layout.scope === "user") {
    const hint = `what is there is yours; remove it by hand: rm -r ${layout.statePaths.join(" ")}`;
    throw new CommandError(EXIT.usage, "--purge is for the system service", hint);
  }
  refuseForeignUnit(facts);
  const isInstalled = files.has(layout.unitPath);
  return [
    ...(isInstalled ? planStop(layout, data) : []),
    ...planRemoval(facts, data),
    ...(isInstalled && layout.manager === "systemd" ? [run(layout, "daemon-reload")] : []),
    ...planRest(facts, data),
  ];
}

/** What must hold before anything is changed; a plan alone can be made without. Throws CommandError. */
export function refuseWithoutRights({ layout, uid, sudoUser, hasManager }: ServiceFacts, verb: string): void {
  const isUser = layout.scope === "user";
  if (!isUser && uid !== 0) {
    const hint = `sudo pi-daemon service ${verb}, or for yourself alone: pi-daemon service ${verb} --user`;
    throw new CommandError(EXIT.failure, `only root may ${verb} a system service`, hint);
  }
  if (isUser && uid === 0 && sudoUser !== undefined) {
    const message = `with sudo this would be a service of root, not of ${sudoUser}`;
    throw new CommandError(EXIT.failure, message, "run it again without sudo");
  }
  if (!hasManager && isUser && layout.manager === "systemd") {
    const hint = "log in as that user (su does not), or have it run always: sudo loginctl enable-linger USER";
    throw new CommandError(
      EXIT.failure,
      "systemd runs nothing for this user here: XDG_RUNTIME_DIR leads to no session",
      hint,
    );
  }
}

function planConfig({ layout, files, template }: ServiceFacts): Step[] {
  const path = layout.configPath;
  if (path === undefined) return [];
  if (files.has(path)) return [{ do: "keep", path, reason: "the config that is there" }];
  return [{ do: "write", path, text: template("pi-daemon.json"), mode: 0o644 }];
}

function planRunAs({ layout, files, template }: ServiceFacts, account: Account | undefined): Step[] {
  if (layout.dropInFolder === undefined) return [];
  const path = join(layout.dropInFolder, RUN_AS);
  if (account !== undefined) {
    return [{ do: "write", path, text: fitRunAs(template(join(`${UNIT}.d`, RUN_AS)), account), mode: 0o644 }];
  }
  return files.has(path) ? [{ do: "keep", path, reason: "of an earlier --run-as; remove it to undo that" }] : [];
}

/** Enabled, and started anew, so that it runs the program and the unit of now. */
function planStart(layout: Layout): Step[] {
  if (layout.manager === "systemd")
    return [run(layout, "daemon-reload"), run(layout, "enable", UNIT), run(layout, "restart", UNIT)];
  const domain = dirname(layout.target);
  return [
    { ...run(layout, "bootout", layout.target), mayFail: true },
    run(layout, "enable", layout.target),
    // A daemon that is still stopping keeps it from being loaded anew.
    { ...run(layout, "bootstrap", domain, layout.unitPath), tries: LAUNCHD_STOP_S },
  ];
}

function planStop(layout: Layout, data: UninstallWish["data"]): Step[] {
  if (layout.manager === "launchd") return [{ ...run(layout, "bootout", layout.target), mayFail: true }];
  return [
    run(layout, "disable", "--now", UNIT),
    // A failed unit is neither cleaned nor forgotten; one that has not failed cannot be reset.
    { ...run(layout, "reset-failed", UNIT), mayFail: true },
    ...(data === "purge" ? [run(layout, "clean", "--what=all", UNIT)] : []),
  ];
}

/** The unit, and what changes it: ours always, that of others only with everything else. */
function planRemoval({ layout, files }: ServiceFacts, data: UninstallWish["data"]): Step[] {
  const steps: Step[] = files.has(layout.unitPath) ? [{ do: "remove", path: layout.unitPath }] : [];
  const folder = layout.dropInFolder;
  const dropIns = [...files.keys()].filter((path) => folder !== undefined && dirname(path) === folder);
  if (dropIns.length === 0) return steps;
  const foreign = dropIns.filter((path) => !isOwnFile(files.get(path)!));
  if (foreign.length === 0 || data === "purge") return [...steps, { do: "remove", path: folder! }];
  const own = dropIns.filter((path) => !foreign.includes(path)).map((path): Step => ({ do: "remove", path }));
  return [...steps, ...own, ...foreign.map((path): Step => ({ do: "keep", path, reason: "not written by pi-daemon" }))];
}

/** State and config, which outlive the unit unless they are to go with it. */
function planRest({ kept, layout }: ServiceFacts, data: UninstallWish["data"]): Step[] {
  const hint =
    layout.scope === "system" ? "state and config stay; --purge removes them too" : "yours, with or without a service";
  return kept.map((path): Step => (data === "purge" ? { do: "remove", path } : { do: "keep", path, reason: hint }));
}

function run({ control }: Layout, ...words: readonly string[]): Extract<Step, { do: "run" }> {
  return { do: "run", command: [...control, ...words] };
}

function refuseForeignUnit({ layout, files, otherUnit }: ServiceFacts): void {
  const text = files.get(layout.unitPath);
  const path = text !== undefined && !isOwnFile(text) ? layout.unitPath : otherUnit;
  if (path === undefined) return;
  const hint = "it is left alone; rename or remove it yourself if you want this one";
  throw new CommandError(EXIT.failure, `${path} is there already, and pi-daemon did not write it`, hint);
}

/** The system service has a user of its own, to whom home directories do not exist. */
function refuseProgram({ unreadable, layout }: ServiceFacts): void {
  if (unreadable === undefined) return;
  const message = `the system service cannot read ${unreadable}: it sees no home and no /tmp, only what all users may read`;
  const hint =
    "install the package for all users (npm pack, then sudo npm install -g ./pi-daemon-*.tgz), or use --user";
  throw new CommandError(EXIT.failure, message, layout.scope === "system" ? hint : undefined);
}
