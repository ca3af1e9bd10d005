/**
 * The state of the daemon -> pi's footer and one notice a session; both are silent while all is well.
 *
 * By handlers that run anyway: no context of pi's is kept for the moment in which something happens.
 */
import type { Client } from "./client.ts";
import type { PiContext } from "./pi.ts";
import { tell } from "./stderr.ts";

export interface Footer {
  update(ctx: PiContext): void;
}

const KEY = "pi-daemon";

/** `problems`: sentences about the config, told once. */
export function createFooter(client: Client, problems: readonly string[]): Footer {
  let shown: string | undefined;
  let isAwayTold = false;
  let untold = problems;

  function tellProblems(ctx: PiContext): void {
    const text = `config: ${untold.join("; ")}`;
    untold = [];
    if (ctx.hasUI) ctx.ui.notify(`pi-daemon ${text}`, "warning");
    else tell(text);
  }

  return {
    update(ctx) {
      if (untold.length > 0) tellProblems(ctx);
      if (!ctx.hasUI) return;
      const { isAway, place, lastError } = client.state;
      if (isAway && !isAwayTold) {
        isAwayTold = true;
        const reason = lastError ? ` (${lastError})` : "";
        const notice = `pi-daemon takes no metrics at ${place}${reason}. They wait in memory; see /daemon status.`;
        ctx.ui.notify(notice, "info");
      }
      const text = isAway && client.config.footer ? "pi-daemon: away" : undefined;
      if (text !== shown) ctx.ui.setStatus(KEY, text);
      shown = text;
    },
  };
}
