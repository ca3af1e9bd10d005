/**
 * Named operations that parts of the daemon offer and scheduled jobs may run: `jobs.prune`, `rag.reindex`.
 *
 * Errors: a name that is taken throws where it is offered.
 */
export type ActionInput = Readonly<Record<string, string | number | boolean>>;

/** Does the work and says in a line or two what was done. Rejects with a sentence. Gives up when `signal` aborts. */
export type Action = (input: ActionInput, signal: AbortSignal) => Promise<string>;

export interface Actions {
  /** Answers a function that takes the offer back. */
  offer(name: string, action: Action): () => void;
  find(name: string): Action | undefined;
  names(): readonly string[];
}

export function createActions(): Actions {
  const offered = new Map<string, Action>();
  return {
    offer(name, action) {
      if (offered.has(name)) throw new Error(`the action ${name} is offered twice`);
      offered.set(name, action);
      return () => void offered.delete(name);
    },
    find: (name) => offered.get(name),
    names: () => [...offered.keys()].sort(),
  };
}
