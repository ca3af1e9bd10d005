/**
 * The daemon's own routes: health, config, reload, statistics.
 *
 * They look at the daemon as a whole, so they belong to it and to no plugin.
 */
import type { Issue } from "./core/validate.ts";
import { HttpError, jsonReply, type Reply, type Route } from "./system/http.ts";
import { VERSION } from "./system/version.ts";

/** What the routes need to know of the daemon. */
export interface AdminContext {
  uptimeSeconds(): number;
  /** What is not well, in sentences. */
  problems(): readonly string[];
  /** The effective config, secrets hidden. */
  shownConfig(): unknown;
  reload(): Promise<ReloadOutcome>;
  /** All durable state in one compressed archive, as it is at the moment of the call. */
  backup(): AsyncIterable<Uint8Array>;
  stats(): Readonly<Record<string, unknown>>;
}

/**
 * What a reload did: config paths that changed and hold now, and those that wait for a restart; or why nothing changed.
 */
export type ReloadOutcome =
  | { readonly ok: true; readonly live: readonly string[]; readonly needsRestart: readonly string[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

export function adminRoutes(context: AdminContext): readonly Route[] {
  return [
    { method: "GET", pattern: "/health", access: "open", unlimited: true, handle: () => health(context) },
    { method: "GET", pattern: "/config", access: "read", handle: () => jsonReply(context.shownConfig()) },
    { method: "POST", pattern: "/admin/reload", access: "write", handle: () => reload(context) },
    { method: "GET", pattern: "/admin/backup", access: "private", deadlineMs: 0, handle: () => backup(context) },
    { method: "GET", pattern: "/admin/stats", access: "read", handle: () => jsonReply(context.stats()) },
  ];
}

function backup(context: AdminContext): Reply {
  return { status: 200, headers: { "content-type": "application/gzip" }, body: context.backup() };
}

function health(context: AdminContext): Reply {
  const reasons = context.problems();
  const facts = { uptime: Math.round(context.uptimeSeconds() * 100) / 100, version: VERSION };
  return reasons.length === 0
    ? jsonReply({ status: "ok", ...facts })
    : jsonReply({ status: "degraded", ...facts, reasons }, 503);
}

async function reload(context: AdminContext): Promise<Reply> {
  const outcome = await context.reload();
  if (outcome.ok) return jsonReply({ status: "reloaded", live: outcome.live, needsRestart: outcome.needsRestart });
  const count = outcome.issues.length === 1 ? "1 problem" : `${outcome.issues.length} problems`;
  throw new HttpError(400, "VALIDATION_ERROR", `the config file has ${count}; the old config stays in force`, {
    details: outcome.issues,
  });
}
