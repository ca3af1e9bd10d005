/** Where the files of a run stand, below the plugin's own. */

/** What an attempt printed. */
export function outputFile(job: string, runId: number, attempt: number): string {
  return `output/${job}/${runId}-${attempt}.log`;
}

/** The sessions of an agent. */
export function sessionFolder(job: string): string {
  return `sessions/${job}`;
}
