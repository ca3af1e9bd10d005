/**
 * A disk in memory that can fill up, fail, stop at any operation, be killed, and lose power.
 *
 * What is written is in the kernel's view at once, and on the medium when a flush ends. A power cut keeps of the rest
 * whatever it likes: any of the pages, any size between, and any of the changes to the names in the directory. A failed
 * flush loses its pages and says so once, as Linux does: the next flush succeeds without them.
 */
import type { Disk } from "../../src/system/disk.ts";
import type { Random } from "./random.ts";

const PAGE_BYTES = 64;

export type DiskOperation =
  "open" | "create" | "read" | "write" | "truncate" | "flush" | "flushDirectory" | "rename" | "remove";

/** The content of a file, as the kernel has it and as the medium does. */
interface Inode {
  seen: Buffer;
  flushed: Buffer;
  /** A flush failed: what was dirty then is clean now, and lost. */
  isLost: boolean;
}

type Names = Map<string, Inode>;
type NameChange = (names: Names) => void;

class DiskError extends Error {
  readonly code: string;
  constructor(code: string, operation: string) {
    super(`${code}: ${operation} of the fake disk`);
    this.code = code;
  }
}

export class FakeDisk implements Disk {
  /** Asked before each operation; what it returns is thrown, with this code. */
  fault: ((operation: DiskOperation, path: string) => string | undefined) | undefined;
  /** Asked before each write that does not hold up the event loop; it begins when what is returned has resolved. */
  hold: ((path: string) => Promise<void> | undefined) | undefined;
  /** Bytes that all files together may have. */
  capacityBytes = Number.MAX_SAFE_INTEGER;
  /**
   * Counted down with each operation that changes something; at 0 the machine stops, in the middle of it if it is a
   * write.
   */
  stopsAfter = Number.MAX_SAFE_INTEGER;
  /** Flushes so far. */
  flushCount = 0;
  /** Writes so far. */
  writeCount = 0;
  /** What a program that leaves out its fdatasync has. */
  ignoresFlush = false;
  #names: Names = new Map();
  #flushedNames: Names = new Map();
  #nameChanges: NameChange[] = [];
  #open = new Map<number, { path: string; inode: Inode }>();
  #nextFile = 3;
  #isDead = false;

  get isDead(): boolean {
    return this.#isDead;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /**
   * The process ends here: the same disk for the next one, with what the kernel has. This one answers nothing any more.
   */
  kill(): FakeDisk {
    this.#isDead = true;
    // Kinder than Linux, which keeps such pages, clean and unwritten, for the next process: no process can know of
    // that.
    for (const inode of this.#names.values()) inode.isLost = false;
    const next = new FakeDisk();
    next.#names = this.#names;
    next.#flushedNames = this.#flushedNames;
    next.#nameChanges = this.#nameChanges;
    return next;
  }

  /** Another disk with the same files, all on the medium. */
  copy(): FakeDisk {
    const next = new FakeDisk();
    for (const [path, inode] of this.#names) next.put(path, inode.seen);
    return next;
  }

  /** The machine ends here: a disk with what the medium had, and with some of the rest. */
  cutPower(random: Random): FakeDisk {
    this.#isDead = true;
    const names = new Map(this.#flushedNames);
    const isOrdered = random.int(0, 1) === 0;
    const count = random.int(0, this.#nameChanges.length);
    for (const [index, change] of this.#nameChanges.entries()) {
      if (isOrdered ? index < count : random.int(0, 1) === 0) change(names);
    }
    const next = new FakeDisk();
    for (const [path, inode] of names) next.put(path, afterPowerCut(inode, random));
    return next;
  }

  /** Puts a file there, on the medium. */
  put(path: string, bytes: Buffer): void {
    const inode = { seen: Buffer.from(bytes), flushed: Buffer.from(bytes), isLost: false };
    this.#names.set(path, inode);
    this.#flushedNames.set(path, inode);
  }

  /** The bytes of a file that is there. */
  get(path: string): Buffer {
    return Buffer.from(this.#find(path).seen);
  }

  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  usedBytes(): number {
    return [...this.#names.values()].reduce((total, inode) => total + inode.seen.length, 0);
  }

  makeDirectory(): void {
    this.#check("open", "");
  }

  list(directory: string): string[] {
    this.#check("open", directory);
    const prefix = directory + "/";
    return [...this.#names.keys()].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  }

  open(path: string, purpose: "read" | "change" | "create"): number {
    this.#check(purpose === "create" ? "create" : "open", path);
    if (purpose === "create") {
      if (this.#names.has(path)) throw new DiskError("EEXIST", "create");
      const inode = { seen: Buffer.alloc(0), flushed: Buffer.alloc(0), isLost: false };
      this.#change((names) => void names.set(path, inode));
    }
    const file = this.#nextFile++;
    this.#open.set(file, { path, inode: this.#find(path) });
    return file;
  }

  size(file: number): number {
    return this.#file(file).inode.seen.length;
  }

  read(file: number, into: Buffer, position: number): number {
    const { path, inode } = this.#file(file);
    this.#check("read", path);
    return inode.seen.copy(into, 0, position, Math.min(inode.seen.length, position + into.length));
  }

  write(file: number, bytes: Buffer, length: number, position: number): number {
    const { path, inode } = this.#file(file);
    const isLast = this.stopsAfter === 1 && !this.#isDead;
    const room = this.capacityBytes - this.usedBytes() + Math.max(0, inode.seen.length - position);
    const fitting = isLast ? Math.floor(length / 2) : Math.min(length, room);
    if (isLast) put(inode, bytes.subarray(0, fitting), position);
    this.#check("write", path);
    if (fitting <= 0) throw new DiskError("ENOSPC", "write");
    this.writeCount++;
    put(inode, bytes.subarray(0, fitting), position);
    return fitting;
  }

  async writeLater(file: number, bytes: Buffer, length: number, position: number): Promise<number> {
    await this.hold?.(this.#file(file).path);
    await this.#later();
    return this.write(file, bytes, length, position);
  }

  truncate(file: number, sizeBytes: number): void {
    const { path, inode } = this.#file(file);
    this.#check("truncate", path);
    const added = Buffer.alloc(Math.max(0, sizeBytes - inode.seen.length));
    inode.seen = Buffer.concat([inode.seen.subarray(0, sizeBytes), added]);
  }

  async flush(file: number): Promise<void> {
    const { path, inode } = this.#file(file);
    if (this.ignoresFlush) return;
    const content = Buffer.from(inode.seen);
    await this.#later();
    try {
      this.#check("flush", path);
    } catch (error) {
      inode.isLost = true;
      throw error;
    }
    this.flushCount++;
    if (!inode.isLost) inode.flushed = content;
  }

  async flushDirectory(path: string): Promise<void> {
    if (this.ignoresFlush) return;
    const count = this.#nameChanges.length;
    await this.#later();
    this.#check("flushDirectory", path);
    for (const change of this.#nameChanges.splice(0, count)) change(this.#flushedNames);
  }

  rename(from: string, to: string): void {
    this.#check("rename", from);
    const inode = this.#find(from);
    this.#change((names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  remove(path: string): void {
    this.#check("remove", path);
    this.#find(path);
    this.#change((names) => void names.delete(path));
  }

  close(file: number): void {
    this.#open.delete(file);
  }

  /** Damages a file in place. */
  damage(path: string, change: (bytes: Buffer) => Buffer | void): void {
    const bytes = this.get(path);
    this.put(path, change(bytes) ?? bytes);
  }

  #change(change: NameChange): void {
    change(this.#names);
    this.#nameChanges.push(change);
  }

  #find(path: string): Inode {
    const inode = this.#names.get(path);
    if (!inode) throw new DiskError("ENOENT", path);
    return inode;
  }

  #file(file: number): { path: string; inode: Inode } {
    const open = this.#open.get(file);
    if (!open) throw new DiskError("EBADF", String(file));
    return open;
  }

  #check(operation: DiskOperation, path: string): void {
    if (this.#isDead) throw new DiskError("EDEAD", operation);
    if (operation !== "open" && operation !== "read" && --this.stopsAfter <= 0) this.#isDead = true;
    if (this.#isDead) throw new DiskError("EDEAD", operation);
    const code = this.fault?.(operation, path);
    if (code !== undefined) throw new DiskError(code, operation);
  }

  /** A dead machine answers nothing. */
  #later(): Promise<void> {
    return new Promise((resolve) => setImmediate(() => void (this.#isDead || resolve())));
  }
}

function put(inode: Inode, bytes: Buffer, position: number): void {
  const end = Math.max(inode.seen.length, position + bytes.length);
  const grown = Buffer.alloc(end);
  inode.seen.copy(grown);
  bytes.copy(grown, position);
  inode.seen = grown;
}

function afterPowerCut(inode: Inode, random: Random): Buffer {
  if (inode.isLost) return inode.flushed;
  const low = Math.min(inode.seen.length, inode.flushed.length);
  const result = Buffer.alloc(random.int(low, Math.max(inode.seen.length, inode.flushed.length)));
  // As an ordered file system does it, or page by page.
  const isOrdered = random.int(0, 1) === 0;
  for (let start = 0; start < result.length; start += PAGE_BYTES) {
    const source = isOrdered || random.int(0, 1) === 0 ? inode.seen : inode.flushed;
    source.subarray(start, Math.min(start + PAGE_BYTES, result.length)).copy(result, start);
  }
  return result;
}
