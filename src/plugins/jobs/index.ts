/**
 * The jobs plugin: runs programs, requests, agents and actions of the daemon on schedules, and keeps a record of every
 * run.
 *
 * The parts: `sources.ts` says which jobs there are, `agenda.ts` what is due, `dispatcher.ts` what may run,
 * `attempts.ts` runs it, `history.ts` keeps it, `aftermath.ts` tells of it; `engine.ts` puts them together.
 */
import type { Plugin, PluginFactory, Services } from "../plugin.ts";
import { type JobsConfig, jobsSchema } from "./config.ts";
import { startEngine } from "./engine.ts";
import { jobRoutes } from "./routes.ts";
import { startPrecheck, startRun } from "./start-run.ts";

export const jobsPlugin: PluginFactory<JobsConfig> = { name: "jobs", schema: jobsSchema, create };

/** After the grace of a stop: for runs to die, by force after 10 s, and for the last rows to be written. */
const KILL_MS = 15_000;

async function create(services: Services, initialConfig: JobsConfig): Promise<Plugin> {
  const engine = await startEngine(services, initialConfig, {
    runner: { startRun, startPrecheck },
    random: Math.random,
    systemZone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  const takeBack = services.actions.offer("jobs.prune", async () => {
    const { rows, files } = await engine.prune();
    return `dropped ${rows} runs and ${files} files`;
  });
  return {
    routes: jobRoutes(services, engine),
    reconfigure: (next) => engine.follow(next as JobsConfig),
    problems: () => engine.problems(),
    stats: () => ({
      jobs: engine.agenda.jobs().length,
      scheduled: engine.agenda.scheduler.size,
      running: engine.dispatcher.running,
      blocked: engine.catalog().blocked.size,
    }),
    get stopWithinMs() {
      return engine.config().stopGraceMs + KILL_MS;
    },
    async stop() {
      takeBack();
      await engine.stop();
    },
  };
}
