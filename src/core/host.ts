/**
 * Turns the value of a `Host` header into a name and a port, and tells which names mean this machine itself.
 *
 * Source: RFC 9110 section 7.2 (`uri-host [":" port]`), RFC 6761 (localhost), RFC 1122 (127.0.0.0/8), RFC 4291 (::1).
 * Errors: anything else than a plain name, IPv4 address or bracketed IPv6 address is `undefined`, user info included.
 * Not: no resolving of names, and no second spellings of an address (`127.1`, `[0::1]`): browsers send the usual one.
 */
export interface HostPort {
  /** Lower case; an IPv6 address without its brackets. */
  readonly name: string;
  /** Digits, or empty when none was given. */
  readonly port: string;
}

const HOST_PORT = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{0,5}))?$/;
const LOOPBACK_IPV4 = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

export function parseHostPort(value: string): HostPort | undefined {
  const match = HOST_PORT.exec(value.toLowerCase());
  return match ? { name: (match[1] ?? match[2])!, port: match[3] ?? "" } : undefined;
}

/**
 * Where this machine reaches a server that listens on an address (no brackets, no port). A wildcard is an address to
 * listen on, never one that anyone calls.
 */
export function callableHost(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}

/** Whether a host name or address (no brackets, no port) can only be this machine: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopbackHost(name: string): boolean {
  const lower = name.toLowerCase();
  if (lower === "localhost" || lower === "::1") return true;
  const octets = LOOPBACK_IPV4.exec(lower);
  return octets !== null && octets.slice(1).every((octet) => Number(octet) <= 255);
}
