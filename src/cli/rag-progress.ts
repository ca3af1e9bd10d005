/**
 * Waits for the daemon to index a collection, with a bar on a terminal and a line every few seconds elsewhere.
 *
 * Not: the work itself. Ctrl-C ends the waiting; the daemon goes on, and the person is told so.
 */
import type { Client } from "../client.ts";
import type { CommandCall } from "./command.ts";
import { callAbout, collectionPath } from "./rag-calls.ts";
import type { CollectionShown } from "./rag-views.ts";
import { plural } from "./style.ts";

const POLL_MS = 150;
const LINE_EVERY_MS = 3000;
/** How long a collection may rest before its work begins. */
const BEGIN_WITHIN_MS = 5000;
const BAR_WIDTH = 24;
const INTERRUPTED = 130;

/** The collection once it rests, which it does when it has been indexed after `before` or cannot be. */
export async function waitForIndex(
  call: CommandCall,
  client: Client,
  before: Pick<CollectionShown, "name" | "lastIndexedMs">,
): Promise<CollectionShown> {
  const { clock, pause, terminal } = call;
  const { name } = before;
  const startMs = clock.monotonicMs();
  const stopShowing = tellOnInterrupt(call, name);
  let lastLineMs = startMs;
  for (;;) {
    const now = await callAbout<CollectionShown>(client, [name], { method: "GET", path: collectionPath(name) });
    const elapsedMs = clock.monotonicMs() - startMs;
    const isDone = now.lastIndexedMs !== before.lastIndexedMs || now.problems.length > 0;
    if (now.state === "idle" && (isDone || elapsedMs > BEGIN_WITHIN_MS)) {
      terminal.showStatus?.("");
      stopShowing();
      return now;
    }
    if (terminal.showStatus) terminal.showStatus(renderBar(now));
    else if (clock.monotonicMs() - lastLineMs >= LINE_EVERY_MS) {
      lastLineMs = clock.monotonicMs();
      terminal.err(renderLine(now));
    }
    await pause(POLL_MS);
  }
}

/** `[######------]  50 %  120 of 240 files  docs`. */
export function renderBar({ name, progress }: Pick<CollectionShown, "name" | "progress">): string {
  if (progress === null || progress.total === 0) return `[${"-".repeat(BAR_WIDTH)}]  looking for files  ${name}`;
  const ratio = Math.min(1, progress.done / progress.total);
  const filled = Math.round(ratio * BAR_WIDTH);
  const bar = "#".repeat(filled) + "-".repeat(BAR_WIDTH - filled);
  const percent = String(Math.floor(ratio * 100)).padStart(3);
  return `[${bar}] ${percent} %  ${progress.done} of ${plural(progress.total, "file")}  ${name}`;
}

function renderLine({ name, progress }: CollectionShown): string {
  if (progress === null) return `${name}: looking for files`;
  return `${name}: ${progress.done} of ${plural(progress.total, "file")}`;
}

/** Answers what ends it. */
function tellOnInterrupt({ host, terminal }: CommandCall, name: string): () => void {
  let isOver = false;
  host.on("SIGINT", () => {
    if (!isOver) {
      terminal.showStatus?.("");
      terminal.err(`the daemon goes on indexing ${name}; see "pi-daemon rag list"`);
    }
    host.exitNow(INTERRUPTED);
  });
  return () => void (isOver = true);
}
