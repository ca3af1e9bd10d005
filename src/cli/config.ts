/** `config check`, `config show` and `config path`: the config as the daemon would take it. */
import { redactConfig } from "../config.ts";
import { type Command, EXIT } from "./command.ts";
import { badConfig, needSettings, readSettings } from "./settings.ts";

const checkCommand: Command = {
  name: "config check",
  operands: [],
  options: [],
  summary: "check the config file and list every problem (exit code 78)",
  examples: ["pi-daemon config check --config ./config.json"],
  async run(call) {
    const loaded = readSettings(call);
    const { source } = loaded;
    if (call.args.isSet("json")) {
      const found = loaded.ok ? { issues: [], warnings: loaded.warnings } : { issues: loaded.issues, warnings: [] };
      call.terminal.out(JSON.stringify({ ok: loaded.ok, path: source.path, exists: source.exists, ...found }));
      return loaded.ok ? EXIT.ok : EXIT.badConfig;
    }
    if (!loaded.ok) throw badConfig(loaded);
    for (const warning of loaded.warnings) call.terminal.err(`warning: ${warning}`);
    const { path, exists } = source;
    call.terminal.out(exists ? `${path} is good` : `there is no file ${path}; the defaults hold, which is good`);
    return EXIT.ok;
  },
};

const showCommand: Command = {
  name: "config show",
  operands: [],
  options: [],
  summary: "print the config with the defaults filled in and secrets hidden",
  details: 'As JSON, always. What a running daemon has in force: curl "$(pi-daemon status --json | jq -r .url)/config"',
  async run(call) {
    const config = redactConfig(needSettings(call).config);
    call.terminal.out(call.args.isSet("json") ? JSON.stringify(config) : JSON.stringify(config, undefined, 2));
    return EXIT.ok;
  },
};

const pathCommand: Command = {
  name: "config path",
  operands: [],
  options: [],
  summary: "print where the config file is, or would be",
  async run(call) {
    const { path, from, exists } = readSettings(call).source;
    call.terminal.out(call.args.isSet("json") ? JSON.stringify({ path, from, exists }) : path);
    if (!exists && !call.args.isSet("json")) call.terminal.err("(there is no such file; the defaults hold)");
    return EXIT.ok;
  },
};

export const configCommands: readonly Command[] = [checkCommand, showCommand, pathCommand];
