/**
 * Turns the manager of a machine's services and the scope into the files and commands of our service there.
 *
 * Source: systemd.unit(5) for the places of units, launchctl(1) for agents.
 */
import { join } from "node:path";

/** What runs the services of a machine. */
export type Manager = "systemd" | "launchd";
/** Whose service it is: the machine's, or that of the person who installs it. */
export type Scope = "system" | "user";

export interface Layout {
  readonly manager: Manager;
  readonly scope: Scope;
  /** The file of `contrib` that it is made of. */
  readonly template: string;
  readonly unitPath: string;
  /** Where files that change the unit stand; launchd has none. */
  readonly dropInFolder: string | undefined;
  /** The config that an install puts there; a person's own stays theirs. */
  readonly configPath: string | undefined;
  /** What the service writes and an uninstall leaves, unless it is told to purge. */
  readonly statePaths: readonly string[];
  /** The manager's own program, as it is called for this scope. */
  readonly control: readonly string[];
  /** The name by which the manager knows it. */
  readonly target: string;
}

export const UNIT = "pi-daemon.service";
/** The drop-in that `--run-as` writes. */
export const RUN_AS = "run-as.conf";

export interface Person {
  readonly home: string;
  readonly uid: number | undefined;
}

export function layoutOf(manager: Manager, scope: Scope, { home, uid }: Person): Layout {
  const own = [join(home, ".pi/daemon")];
  if (manager === "launchd") {
    const unitPath = join(home, "Library/LaunchAgents/com.pi-daemon.plist");
    const template = "com.pi-daemon.plist";
    const target = `gui/${uid ?? ""}/com.pi-daemon`;
    const control = ["launchctl"];
    return {
      manager,
      scope: "user",
      template,
      unitPath,
      dropInFolder: undefined,
      configPath: undefined,
      statePaths: own,
      control,
      target,
    };
  }
  const isUser = scope === "user";
  const folder = isUser ? join(home, ".config/systemd/user") : "/etc/systemd/system";
  const ofSystem = [
    "/var/lib/pi-daemon",
    "/var/log/pi-daemon",
    "/var/lib/private/pi-daemon",
    "/var/log/private/pi-daemon",
  ];
  return {
    manager,
    scope,
    template: isUser ? "pi-daemon-user.service" : "pi-daemon.service",
    unitPath: join(folder, UNIT),
    dropInFolder: join(folder, `${UNIT}.d`),
    configPath: isUser ? undefined : "/etc/pi-daemon/config.json",
    statePaths: isUser ? own : ofSystem,
    control: isUser ? ["systemctl", "--user"] : ["systemctl"],
    target: UNIT,
  };
}
