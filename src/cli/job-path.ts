/** A command on a job -> where that job stands in the API. */
import type { CommandCall } from "./command.ts";

/** Of the job that is named first. */
export function jobPath({ args }: Pick<CommandCall, "args">): string {
  return `/api/jobs/${encodeURIComponent(args.operands[0]!)}`;
}
