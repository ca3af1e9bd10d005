/**
 * Binds a server to a TCP address or to a Unix socket file.
 *
 * Source: unix(7) for the length of `sun_path`.
 * Errors: sentences that say what could not be bound and why.
 * Not: no look whether a socket file is in use. The caller holds the lock of its directory, so what is there is stale.
 */
import { chmodSync, lstatSync, statSync, unlinkSync } from "node:fs";
import type { AddressInfo, ListenOptions, Server } from "node:net";
import { dirname } from "node:path";
import { callableHost } from "../core/host.ts";

/** Bytes of a path that fit into `sun_path` beside its closing NUL. */
const MAX_SOCKET_PATH_BYTES = process.platform === "linux" ? 107 : 103;

/** The URL at which the server answers on this machine, with the port that was taken. */
export async function bindTcp(server: Server, host: string, port: number): Promise<string> {
  try {
    await listen(server, { host, port });
  } catch (error) {
    throw new Error(`Cannot listen on ${formatUrl(host, port)}: ${reason(error)}`, { cause: error });
  }
  return formatUrl(callableHost(host), (server.address() as AddressInfo).port);
}

/** Makes the socket file, 0600, in place of a stale one. */
export async function bindSocketFile(server: Server, path: string): Promise<void> {
  const sizeBytes = Buffer.byteLength(path);
  if (sizeBytes > MAX_SOCKET_PATH_BYTES) {
    const limit = `the system takes ${MAX_SOCKET_PATH_BYTES}: choose a shorter dataDir`;
    throw new Error(`its path is ${sizeBytes} bytes long and ${limit}`);
  }
  // Between bind and chmod only the directory keeps others out. A umask around bind would do, but it is the whole
  // process's, other threads included.
  const isOpenToOthers = (statSync(dirname(path)).mode & 0o077) !== 0;
  if (isOpenToOthers) throw new Error("its directory must be closed to group and others (0700)");
  removeStaleSocket(path);
  await listen(server, { path });
  chmodSync(path, 0o600);
}

function removeStaleSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error("something that is not a socket has its place");
  unlinkSync(path);
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function formatUrl(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return "the port is in use";
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return "this machine does not have that address";
  if (code === "EACCES") return "that port needs more rights";
  return message;
}
