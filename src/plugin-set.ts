/**
 * The table of plugins and a config -> the plugins that run: those that are switched on, each with its own services.
 *
 * Order: they start in the order of the table and stop in the reverse order, one after the other.
 * Errors: a plugin that cannot start is told of in `problems()`, and its error thrown on; one that does not stop well,
 * or not in time, is logged, and the others stop all the same.
 */
import type { Config } from "./config.ts";
import type { Plugin, PluginFactory, Services } from "./plugins/plugin.ts";
import type { Route } from "./system/http.ts";

/** What every plugin has of its own. */
export type OwnServices = Pick<Services, "openStore" | "openSegments" | "files" | "openCache">;
export type SharedServices = Omit<Services, keyof OwnServices>;

/** How long a plugin may take to stop that does not say, before the daemon goes on without it. */
const STOP_WITHIN_MS = 5_000;

export class PluginSet {
  readonly #table: readonly PluginFactory<never>[];
  readonly #shared: SharedServices;
  readonly #ownOf: (plugin: string) => OwnServices;
  readonly #running = new Map<string, Plugin>();
  /** Those that were told to stop and have not done so yet. */
  readonly #stopping = new Set<string>();
  /** Why those that are switched on and not running are not, in sentences. */
  readonly #failures = new Map<string, string>();

  constructor(table: readonly PluginFactory<never>[], shared: SharedServices, ownOf: (plugin: string) => OwnServices) {
    this.#table = table;
    this.#shared = shared;
    this.#ownOf = ownOf;
  }

  /** Starts what has been switched on, stops what has been switched off, and hands the rest its new config. */
  async follow(config: Config): Promise<void> {
    for (const factory of this.#table) {
      const { name } = factory;
      const running = this.#running.get(name);
      const section = config[name] as never;
      if (!config.plugins[name]) await this.#stop(name);
      else if (running !== undefined) await running.reconfigure(section);
      else await this.#start(factory, section);
    }
  }

  routes(): Route[] {
    return [...this.#running.values()].flatMap(({ routes }) => routes);
  }

  problems(): string[] {
    return [...this.#failures.values(), ...[...this.#running.values()].flatMap((plugin) => plugin.problems())];
  }

  stats(): Record<string, unknown> {
    return Object.fromEntries([...this.#running].map(([name, plugin]) => [name, plugin.stats()]));
  }

  async stopAll(): Promise<void> {
    for (const name of [...this.#running.keys()].reverse()) await this.#stop(name);
  }

  async #start({ name, create }: PluginFactory<never>, section: never): Promise<void> {
    try {
      // Two of them would write to the same files.
      if (this.#stopping.has(name)) throw new Error("it has not stopped yet; reload the config in a moment");
      this.#running.set(name, await create(this.#servicesFor(name), section));
      this.#failures.delete(name);
    } catch (error) {
      this.#failures.set(name, `the ${name} plugin is switched on and could not start: ${(error as Error).message}`);
      throw error;
    }
  }

  #servicesFor(name: string): Services {
    return { ...this.#shared, ...this.#ownOf(name), log: this.#shared.log.child({ plugin: name }) };
  }

  async #stop(name: string): Promise<void> {
    this.#failures.delete(name);
    const plugin = this.#running.get(name);
    if (plugin === undefined) return;
    this.#running.delete(name);
    this.#stopping.add(name);
    const { clock, log } = this.#shared;
    const deadline = Promise.withResolvers<void>();
    const timer = clock.after(plugin.stopWithinMs ?? STOP_WITHIN_MS, () => {
      log.error("a plugin does not stop; going on without it", { plugin: name });
      deadline.resolve();
    });
    const stopped = plugin
      .stop()
      .catch((error: Error) => log.error("a plugin did not stop well", { plugin: name, error: error.message }))
      .finally(() => this.#stopping.delete(name));
    await Promise.race([stopped, deadline.promise]);
    timer.cancel();
  }
}
