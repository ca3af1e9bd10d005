/**
 * Turns signals into what the daemon does: SIGTERM and SIGINT end it in order, a second one at once; SIGHUP reloads.
 */
import type { Daemon } from "../daemon.ts";
import type { Log } from "../system/log.ts";
import { EXIT, type Surroundings } from "./command.ts";

/** Two SIGINT this close are one: a terminal sends it to the whole group of processes, and npm passes on its own. */
const SAME_INTERRUPT_MS = 100;

/** Resolves with the exit code once a signal has ended the daemon, which may still be starting. Never rejects. */
export function endBySignal(
  { host, clock }: Pick<Surroundings, "host" | "clock">,
  starting: Promise<Pick<Daemon, "stop" | "reload">>,
  log: Log,
): Promise<number> {
  return new Promise((resolve) => {
    let stoppingSinceMs: number | undefined;

    function stop(signal: "SIGTERM" | "SIGINT" | "SIGHUP"): void {
      const nowMs = clock.monotonicMs();
      if (stoppingSinceMs === undefined) {
        stoppingSinceMs = nowMs;
        log.info("stopping", { signal });
        void stopInOrder().then(resolve);
      } else if (signal !== "SIGINT" || nowMs - stoppingSinceMs >= SAME_INTERRUPT_MS) {
        log.warn("stopping at once", { signal });
        resolve(EXIT.failure);
      }
    }
    async function stopInOrder(): Promise<number> {
      try {
        await (await starting).stop();
        log.info("stopped");
        return EXIT.ok;
      } catch (error) {
        log.error("did not stop well", { error: (error as Error).message });
        return EXIT.failure;
      }
    }
    function hangUp(): void {
      // The terminal has gone, and with it the person to whom this was the foreground.
      if (host.hasLostTerminal()) return stop("SIGHUP");
      starting
        .then((daemon) => daemon.reload())
        .catch((error: Error) => log.error("cannot reload the config", { error: error.message }));
    }

    host.on("SIGTERM", () => stop("SIGTERM"));
    host.on("SIGINT", () => stop("SIGINT"));
    host.on("SIGHUP", hangUp);
  });
}
