/** Bytes -> what tells them from others: SHA-256, in hex. Worked out beside the event loop. */
export async function hashBytes(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)).toString("hex");
}
