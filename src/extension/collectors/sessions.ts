/**
 * Sessions that start and end -> `pi_sessions_started`, `pi_sessions_ended`.
 *
 * Each once: in RPC mode pi tells of a new session twice, and a reload is neither an end nor a start.
 */
import type { Scope } from "../scope.ts";

export function collectSessions({ client, on, sessionLabels }: Scope): void {
  let isStarted = false;

  on("session_start", ({ reason }, ctx) => {
    if (isStarted || reason === "reload") return;
    isStarted = true;
    client.openSessions.add(ctx.sessionManager.getSessionId());
    client.count("pi_sessions_started", sessionLabels(ctx));
  });

  on("session_shutdown", ({ reason }, ctx) => {
    if (reason === "reload" || !client.openSessions.delete(ctx.sessionManager.getSessionId())) return;
    client.count("pi_sessions_ended", sessionLabels(ctx));
  });
}
