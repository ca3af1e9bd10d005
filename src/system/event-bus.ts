/**
 * What one part of the daemon tells the others -> every listener, at once and in the order in which they came.
 *
 * Errors: a listener that throws is logged; the others are told all the same.
 */
import type { Log } from "./log.ts";

export interface EventBus<Events> {
  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void;
  /** Answers a function that ends the listening. */
  on<Name extends keyof Events & string>(name: Name, listener: (event: Events[Name]) => void): () => void;
}

export function createEventBus<Events>(log: Log): EventBus<Events> {
  const listeners = new Map<string, Set<(event: never) => void>>();
  return {
    emit(name, event) {
      for (const listener of [...(listeners.get(name) ?? [])]) {
        try {
          (listener as (event: Events[typeof name]) => void)(event);
        } catch (error) {
          log.error("a listener to an event failed", { event: name, error: String((error as Error).stack) });
        }
      }
    },
    on(name, listener) {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(listener as (event: never) => void));
      return () => void all.delete(listener as (event: never) => void);
    },
  };
}
