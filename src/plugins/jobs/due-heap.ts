/**
 * A binary heap of names by the instant at which they are due, the earliest first.
 *
 * Order: equal instants come out in the order in which they were set.
 * Cost: O(log n) to set and to take; a name that is set again or removed leaves a dead entry behind, which is dropped
 *   when it comes up or when more than half of the entries are dead.
 */
interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly name: string;
}

export class DueHeap {
  #entries: Entry[] = [];
  /** The entry that counts for each name. */
  readonly #current = new Map<string, Entry>();
  #lastOrder = 0;

  get size(): number {
    return this.#current.size;
  }

  /** When the name is due; `undefined` when it is not in the heap. */
  dueOf(name: string): number | undefined {
    return this.#current.get(name)?.dueMs;
  }

  set(name: string, dueMs: number): void {
    const entry = { dueMs, order: ++this.#lastOrder, name };
    this.#current.set(name, entry);
    this.#entries.push(entry);
    this.#raise(this.#entries.length - 1);
    if (this.#entries.length > 64 && this.#entries.length > 2 * this.#current.size) this.#rebuild();
  }

  remove(name: string): void {
    this.#current.delete(name);
  }

  /** The earliest instant; `undefined` when the heap is empty. */
  peek(): number | undefined {
    while (this.#entries.length > 0) {
      const first = this.#entries[0]!;
      if (this.#current.get(first.name) === first) return first.dueMs;
      this.#dropFirst();
    }
    return undefined;
  }

  /** Takes out the earliest name that is due by `nowMs`. */
  takeDue(nowMs: number): string | undefined {
    const dueMs = this.peek();
    if (dueMs === undefined || dueMs > nowMs) return undefined;
    const { name } = this.#entries[0]!;
    this.#dropFirst();
    this.#current.delete(name);
    return name;
  }

  /** How many names were due before `beforeMs`. Cost: O(n). */
  countDueBefore(beforeMs: number): number {
    let count = 0;
    for (const { dueMs } of this.#current.values()) if (dueMs < beforeMs) count++;
    return count;
  }

  #rebuild(): void {
    this.#entries = [...this.#current.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #dropFirst(): void {
    const last = this.#entries.pop()!;
    if (this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#sink(0);
  }

  #raise(from: number): void {
    const entries = this.#entries;
    const entry = entries[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(entry, entries[parent]!)) break;
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  #sink(from: number): void {
    const entries = this.#entries;
    const entry = entries[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && isBefore(entries[child + 1]!, entries[child]!)) child++;
      if (!isBefore(entries[child]!, entry)) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = entry;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
