/** Turns what is wrong with a value into lines for a person. */
import { escapeUnprintable } from "../core/printable.ts";
import type { Issue } from "../core/validate.ts";

export function describeIssues(issues: readonly Issue[]): string[] {
  return issues.map(({ path, message }) => escapeUnprintable(path === "" ? message : `${path}: ${message}`));
}
