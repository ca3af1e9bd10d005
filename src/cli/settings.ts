/** Turns `--config` and the environment into the config, or into an end with every problem of it. */
import { type LoadedConfig, defaultLogFile, loadConfig } from "../config.ts";
import { pluginSchemas } from "../daemon.ts";
import { type CommandCall, CommandError, EXIT } from "./command.ts";
import { describeIssues } from "./issues.ts";
import { plural } from "./style.ts";

export type Settings = Extract<LoadedConfig, { ok: true }>;

export function readSettings({ args, env, home, uid }: CommandCall): LoadedConfig {
  return loadConfig({ configPath: args.value("config"), env, home, uid, pluginSchemas });
}

/** Throws CommandError with all problems of a bad config. */
export function needSettings(call: CommandCall): Settings {
  const loaded = readSettings(call);
  if (!loaded.ok) throw badConfig(loaded);
  return loaded;
}

export function badConfig({ source, issues }: Extract<LoadedConfig, { ok: false }>): CommandError {
  const lines = [`the config ${source.path} has ${plural(issues.length, "problem")}:`, ...describeIssues(issues)];
  return new CommandError(EXIT.badConfig, lines.join("\n  "), "correct it, then look again: pi-daemon config check");
}

/** The file that a daemon in the background logs to. */
export function logFileOf({ config }: Settings, call: CommandCall): string {
  return config.logging.file ?? defaultLogFile({ env: call.env, home: call.home });
}
