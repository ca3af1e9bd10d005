/**
 * The jobs plugin without its faces: the store, the jobs in force, their schedules and their runs, put together.
 *
 * Order: what an earlier daemon left open is closed before the first slot is looked at.
 */
import { redact } from "../../core/redact.ts";
import type { Log } from "../../system/log.ts";
import type { Hide } from "../../system/output-tail.ts";
import type { Store } from "../../system/store.ts";
import type { Services } from "../plugin.ts";
import { type Aftermath, createAftermath } from "./aftermath.ts";
import { Agenda } from "./agenda.ts";
import type { Runner } from "./attempts.ts";
import type { JobsConfig } from "./config.ts";
import { Dispatcher } from "./dispatcher.ts";
import { createFollower, type Follower } from "./follower.ts";
import { historyStore, type JobsEvent, type JobsState } from "./history.ts";
import { createJobMetrics, type JobGauges, type JobMetrics } from "./metrics.ts";
import { findLost, recoverRuns, type Recovered } from "./recovery.ts";
import { redactingLog } from "./redacting-log.ts";
import type { Catalog } from "./sources.ts";
import { startUpkeep, type Upkeep } from "./upkeep.ts";

export interface EngineOptions {
  readonly runner: Runner;
  /** In [0, 1). */
  readonly random: () => number;
  /** The zone of the machine. */
  readonly systemZone: () => string;
}

export interface Engine {
  readonly store: Store<JobsState, JobsEvent>;
  readonly agenda: Agenda;
  readonly dispatcher: Dispatcher;
  readonly config: () => JobsConfig;
  readonly catalog: () => Catalog;
  /** Reads all sources anew; rejects when that cannot be written down, and then goes on trying. */
  readonly follow: Follower["follow"];
  readonly prune: Upkeep["prune"];
  problems(): readonly string[];
  stop(): Promise<void>;
}

/** What the parts of an engine share. */
interface Frame {
  readonly services: Services;
  readonly options: EngineOptions;
  readonly log: Log;
  readonly store: Store<JobsState, JobsEvent>;
  readonly hide: Hide;
}

interface Parts {
  readonly agenda: Agenda;
  readonly dispatcher: Dispatcher;
  readonly aftermath: Aftermath;
  readonly upkeep: Upkeep;
  readonly follower: Follower;
}

/** A slot that nobody looked at for so long says that the scheduler is stuck. */
const OVERDUE_MS = 60_000;

export async function startEngine(services: Services, config: JobsConfig, options: EngineOptions): Promise<Engine> {
  const store = await services.openStore("jobs", historyStore);
  const hide: Hide = (text, cut) => redact(text, parts.follower.secrets(), cut);
  const log = redactingLog(services.log, hide);
  const parts = assemble({ services, options, log, store, hide }, config);
  const { agenda, dispatcher, upkeep, follower } = parts;
  async function stop(): Promise<void> {
    for (const part of [agenda, upkeep, follower]) part.stop();
    await dispatcher.stop(follower.config().stopGraceMs);
    await store.close();
  }
  try {
    const recovered = await recoverRuns({ clock: services.clock, log, store, endOrphans: services.endOrphans });
    await follower.follow(config);
    await begin(services, parts, { store, recovered });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    store,
    agenda,
    dispatcher,
    stop,
    config: follower.config,
    catalog: follower.catalog,
    follow: follower.follow,
    prune: upkeep.prune,
    problems: () =>
      [...follower.problems(), ...agenda.problems(), ...describeOverdue(agenda)].map((text) => hide(text)),
  };
}

function assemble(frame: Frame, config: JobsConfig): Parts {
  const { services, options, log, store } = frame;
  const { clock, events, files, fetch } = services;
  const metrics = createJobMetrics(services.registry, {
    gauges: () => readGauges(store, agenda, dispatcher),
    lastTickMs: () => agenda.scheduler.lastTickMs,
  });
  const upkeep = startUpkeep({
    clock,
    log,
    store,
    files,
    policyOf: (name) => agenda.find(name)?.policy,
    maxLogBytesTotal: () => follower.config().maxLogBytesTotal,
  });
  const aftermath = createAftermath({
    clock,
    log,
    store,
    events,
    fetch,
    metrics,
    upkeep,
    findJob: (name) => agenda.find(name),
    submit: (submission) => dispatcher.submit(submission),
    isStopping: () => dispatcher.isStopping,
  });
  const dispatcher = createDispatcher(frame, { aftermath, config: () => follower.config(), agenda: () => agenda });
  const agenda = createAgenda(frame, { aftermath, metrics, dispatcher });
  const follower = createFollower(
    {
      clock,
      log,
      sources: services,
      state: store.state,
      take(catalog, { maxConcurrent, timeZone }) {
        dispatcher.maxConcurrent = maxConcurrent;
        return agenda.follow(catalog.jobs, { config: timeZone, system: options.systemZone() });
      },
    },
    config,
  );
  return { agenda, dispatcher, aftermath, upkeep, follower };
}

function createDispatcher(
  { services, options, log, store, hide }: Frame,
  around: { aftermath: Aftermath; config: () => JobsConfig; agenda: () => Agenda },
): Dispatcher {
  const { clock, files, randomId, spawn, fetch, matchPattern, actions, host } = services;
  const { aftermath, config, agenda } = around;
  return new Dispatcher({
    clock,
    store,
    randomId,
    attempts: {
      runner: options.runner,
      runServices: { clock, spawn, fetch, matchPattern },
      actions,
      files,
      env: host.env,
      outputLimits: config,
      random: options.random,
      redact: hide,
    },
    currentJob: (name) => agenda().find(name),
    isDeciding: () => agenda().scheduler.isBehind(),
    onStart: (row) => aftermath.started(row),
    onEnd: (run, row) => aftermath.ended(row, run.submission.depth),
    onSkip: (row) => aftermath.skipped(row),
    onTrouble: (what, error) => log.error(what, { error: error.message }),
    endOrphans: services.endOrphans,
  });
}

function createAgenda(
  { services, log, store }: Frame,
  around: { aftermath: Aftermath; metrics: JobMetrics; dispatcher: Dispatcher },
): Agenda {
  const { aftermath, metrics, dispatcher } = around;
  return new Agenda({
    clock: services.clock,
    log,
    store,
    submit: (submission) => dispatcher.submit(submission),
    nextId: () => dispatcher.nextId(),
    onMissed: (row) => aftermath.missed(row),
    onSkipped: (row) => aftermath.skipped(row),
    onStep: () => metrics.clockStepped(),
    onGone(job) {
      dispatcher.cancelWaiting(job);
      metrics.forget(job);
    },
  });
}

/** Tells of what was found open, catches up what was lost with it, and sets off what runs at every start. */
async function begin(
  { clock, host }: Services,
  { agenda, dispatcher, aftermath }: Parts,
  { store, recovered }: { store: Store<JobsState, JobsEvent>; recovered: Recovered },
): Promise<void> {
  const isBoot = store.state.bootId !== host.bootId;
  if (isBoot) await store.commit({ kind: "boot", bootId: host.bootId });
  for (const row of recovered.interrupted) aftermath.ended(row);
  for (const row of recovered.missed) aftermath.missed(row);
  const lost = findLost(recovered.missed, clock.wallMs(), (name) => {
    const job = agenda.find(name);
    const isIdle = job?.definition.enabled === false || store.state.jobs.get(name)?.paused !== undefined;
    return job?.definition.schedule === undefined || isIdle ? undefined : { job, dueMs: agenda.nextRunMs(name) };
  });
  for (const submission of lost) await dispatcher.submit(submission);
  await agenda.runAtStart(isBoot);
}

function* readGauges(store: Store<JobsState, JobsEvent>, agenda: Agenda, dispatcher: Dispatcher): Generator<JobGauges> {
  for (const { name } of agenda.jobs()) {
    const running = dispatcher.runsOf(name).filter((run) => run.hasBegun).length;
    yield { name, running, nextRunMs: agenda.nextRunMs(name), lastOkMs: store.state.jobs.get(name)?.lastOkMs };
  }
}

function describeOverdue({ scheduler }: Agenda): string[] {
  const count = scheduler.countOverdue(OVERDUE_MS);
  return count === 0 ? [] : [`${count} jobs are overdue by more than a minute`];
}
