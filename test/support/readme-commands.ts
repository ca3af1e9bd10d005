/** The commands of the README: what stands in its `sh` blocks. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface ReadmeCommand {
  readonly line: number;
  readonly text: string;
  /** The title of the section (`##`) that it stands in. */
  readonly section: string;
}

/** The commands in order, one a line, with continued lines joined and comments taken off. */
export function readReadmeCommands(): ReadmeCommand[] {
  const readme = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
  const commands: ReadmeCommand[] = [];
  for (const block of readme.matchAll(/^```sh\n([^]*?)^```$/gm)) {
    const before = readme.slice(0, block.index);
    const section = [...before.matchAll(/^## (.*)$/gm)].at(-1)?.[1] ?? "";
    let line = before.split("\n").length;
    let pending = "";
    for (const text of block[1]!.split("\n")) {
      line++;
      pending += text.replace(/\\$/, "").replace(/\s+#\s.*$/, "") + (text.endsWith("\\") ? " " : "");
      if (text.endsWith("\\")) continue;
      if (pending.trim() !== "" && !pending.trim().startsWith("#"))
        commands.push({ line, text: pending.trim(), section });
      pending = "";
    }
  }
  return commands;
}
