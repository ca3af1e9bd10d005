/** The part of `doctor` that looks at services: whether what the units run is still where it was. Node and checkouts move. */
import { existsSync, readFileSync } from "node:fs";
import type { CommandCall } from "./command.ts";
import type { Finding } from "./doctor-checks.ts";
import { type Layout, layoutOf } from "./service-layout.ts";
import { isOwnFile, programPaths } from "./service-unit.ts";

export function checkServices({ home, uid }: CommandCall): Omit<Finding, "subject">[] {
  const layouts = [
    layoutOf("systemd", "system", { home, uid }),
    layoutOf("systemd", "user", { home, uid }),
    layoutOf("launchd", "user", { home, uid }),
  ];
  return layouts.filter(({ unitPath }) => existsSync(unitPath)).flatMap(judge);
}

function judge({ unitPath, scope }: Layout): Omit<Finding, "subject">[] {
  const text = readFileSync(unitPath, "utf8");
  if (!isOwnFile(text)) return [];
  const missing = programPaths(text).find((path) => !existsSync(path));
  if (missing === undefined) return [{ result: "ok", message: unitPath }];
  const again = scope === "user" ? "pi-daemon service install --user" : "sudo pi-daemon service install";
  return [
    {
      result: "fail",
      message: `${unitPath} runs ${missing}, which is not there`,
      advice: `install it again: ${again}`,
    },
  ];
}
