/** Where the daemon is: the person's own socket while it is there, a URL otherwise. */
import { existsSync } from "node:fs";
import { DEFAULT_URL, type ExtensionConfig } from "./config.ts";

export type Target = { readonly socketPath: string } | { readonly url: URL; readonly token?: string | undefined };

/** The socket proves by its place who listens; whoever holds the default port may be anyone, and is shown no token. */
export function chooseTarget({ daemonUrl, token, socketPath }: ExtensionConfig): Target {
  if (daemonUrl) return { url: daemonUrl, token };
  return socketPath !== undefined && existsSync(socketPath) ? { socketPath } : { url: DEFAULT_URL };
}

/** For people. */
export function describeTarget(target: Target): string {
  return "url" in target ? target.url.href.replace(/\/$/, "") : target.socketPath;
}
