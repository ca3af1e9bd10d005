/** The table of commands, in the order in which `help` lists them. */
import type { Command } from "./command.ts";
import { backupCommands } from "./backup.ts";
import { configCommands } from "./config.ts";
import { cronCommands } from "./cron.ts";
import { doctorCommand } from "./doctor.ts";
import { jobCommands } from "./jobs.ts";
import { restartCommand, startCommand, stopCommand } from "./lifecycle.ts";
import { logsCommand } from "./logs.ts";
import { metricsCommand } from "./metrics.ts";
import { sendCommand } from "./send.ts";
import { serviceCommands } from "./service.ts";
import { ragCommands } from "./rag.ts";
import { reloadCommand, statusCommand, versionCommand } from "./status.ts";
import { tokenCommand } from "./token.ts";

export const commands: readonly Command[] = [
  startCommand,
  stopCommand,
  restartCommand,
  statusCommand,
  reloadCommand,
  logsCommand,
  metricsCommand,
  sendCommand,
  ...jobCommands,
  ...cronCommands,
  ...ragCommands,
  ...configCommands,
  ...serviceCommands,
  tokenCommand,
  ...backupCommands,
  doctorCommand,
  versionCommand,
];
