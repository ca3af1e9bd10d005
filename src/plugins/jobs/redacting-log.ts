/** A log that shows no secret of a job; those of the config are hidden by the log beneath. */
import type { Log, LogFields } from "../../system/log.ts";

export function redactingLog(log: Log, hide: (text: string) => string): Log {
  const clean = (fields: LogFields = {}): LogFields =>
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, typeof value === "string" ? hide(value) : value]),
    );
  return {
    debug: (message, fields) => log.debug(hide(message), clean(fields)),
    info: (message, fields) => log.info(hide(message), clean(fields)),
    warn: (message, fields) => log.warn(hide(message), clean(fields)),
    error: (message, fields) => log.error(hide(message), clean(fields)),
    child: (fields) => redactingLog(log.child(clean(fields)), hide),
  };
}
