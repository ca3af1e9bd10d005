/** Keeps this process alive until work is done: timers of a clock do not, and what waits for them would be lost. */
export function holdWhile<T>(work: Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, 60_000);
  return work.finally(() => clearInterval(hold));
}
