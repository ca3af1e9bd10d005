/**
 * What a collector gets for one session of pi: events, whose handlers cannot harm pi, and the labels of where they came
 * from.
 *
 * Errors: what a handler throws ends here, told only when debugging.
 */
import type { Client, OptionalLabels } from "./client.ts";
import type { Pi, PiContext, PiEventName, PiEvents, PiHandler } from "./pi.ts";
import { findProject } from "./project.ts";
import { debug, describeError } from "./stderr.ts";

export interface Scope {
  readonly client: Client;
  /** Handlers run in the order in which they were added, and only while the client is on. */
  on<N extends PiEventName>(event: N, handler: PiHandler<PiEvents[N]>): void;
  /** Of what a session did: `session`, `model`, and the project if it is wanted. */
  sessionLabels(ctx: PiContext): OptionalLabels;
  /** Of what any session did: `session` and `project` only if they are wanted. */
  commonLabels(ctx: PiContext): OptionalLabels;
  isKnownTool(name: string): boolean;
}

export function createScope(pi: Pi, client: Client): Scope {
  const tools = new Set<string>();
  const sessionOf = (ctx: PiContext): string => ctx.sessionManager.getSessionId();
  const projectOf = ({ cwd }: PiContext): string | undefined =>
    client.config.labels.project ? findProject(cwd) : undefined;
  return {
    client,
    on(event, handler) {
      pi.on(
        event,
        guard(event, (data: PiEvents[typeof event], ctx) => (client.isOn ? handler(data, ctx) : undefined)),
      );
    },
    sessionLabels: (ctx) => ({ session: sessionOf(ctx), model: ctx.model?.id, project: projectOf(ctx) }),
    commonLabels: (ctx) => ({
      session: client.config.labels.session ? sessionOf(ctx) : undefined,
      project: projectOf(ctx),
    }),
    isKnownTool(name) {
      if (!tools.has(name)) for (const tool of pi.getAllTools()) tools.add(tool.name);
      return tools.has(name);
    },
  };
}

/** A handler that neither throws nor rejects. */
export function guard<E>(name: string, handler: PiHandler<E>): PiHandler<E> {
  const report = (error: unknown): void => debug(`${name}: ${describeError(error)}`);
  return (event, ctx) => {
    try {
      return handler(event, ctx)?.catch(report);
    } catch (error) {
      return report(error);
    }
  };
}
