/** One thing wrong with a value: where (`metrics.0.labels.le`; the empty path is the value itself) and what was expected. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}
