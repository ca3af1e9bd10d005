/**
 * Turns an `Authorization` header and the access a route asks for into leave, or the refusal.
 *
 * Source: RFC 6750 section 2.1 (Bearer tokens), RFC 9110 section 11.
 * Cost: one SHA-256 for a request that carries the header, nothing for others.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { HttpError, type Access, type AuthSettings } from "./http.ts";

/** What a request shows of its right: the right token (or the daemon's own socket), a wrong one, or nothing. */
export type Credentials = "valid" | "invalid" | "none";

export interface Authority {
  /** `header` is the value of `Authorization`. */
  judge(header: string | undefined): Credentials;
  /** The refusal, or `undefined` when the request may go on. */
  refuse(access: Access, credentials: Credentials): HttpError | undefined;
}

const BEARER = /^bearer +([^ ]+) *$/i;

export function createAuthority(auth: AuthSettings): Authority {
  const expected = digest(auth.token);
  const asksToken: Record<Access, boolean> = {
    open: false,
    read: auth.enabled && auth.protectReads,
    write: auth.enabled,
    private: true,
  };

  return {
    judge(header) {
      if (header === undefined) return "none";
      const token = BEARER.exec(header)?.[1];
      if (token === undefined || auth.token === "") return "invalid";
      // Digests, because timingSafeEqual wants equal lengths, and the length of a token is not to be told either.
      return timingSafeEqual(digest(token), expected) ? "valid" : "invalid";
    },
    refuse(access, credentials) {
      if (!asksToken[access] || credentials === "valid") return undefined;
      return credentials === "none" ? missing() : invalid();
    },
  };
}

function missing(): HttpError {
  const message = 'This needs the daemon\'s token: send it as "Authorization: Bearer TOKEN"';
  return new HttpError(401, "AUTH_MISSING", message, { headers: { "www-authenticate": 'Bearer realm="pi-daemon"' } });
}

function invalid(): HttpError {
  return new HttpError(403, "AUTH_INVALID", "The Authorization header does not hold this daemon's token");
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
