/** The daemon's token: 256 random bits in `<dataDir>/token`, which only its owner can read. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readPrivateFile, writePrivateFile } from "./files.ts";
import type { Log } from "./log.ts";

export function tokenPath(dataDir: string): string {
  return join(dataDir, "token");
}

/** The token in the file, which is made when there is none. */
export async function loadToken(dataDir: string, log: Log): Promise<string> {
  const path = tokenPath(dataDir);
  const token = readPrivateFile(path, log)?.toString("utf8").trim();
  if (token) return token;
  log.info("made a new token", { path });
  return rotateToken(dataDir);
}

/** Replaces the token in the file by a new one. */
export async function rotateToken(dataDir: string): Promise<string> {
  const token = randomBytes(32).toString("hex");
  await writePrivateFile(tokenPath(dataDir), token + "\n");
  return token;
}
