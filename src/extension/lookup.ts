/**
 * A host name -> addresses, in such a way that a dead name server cannot keep pi from ending.
 *
 * The system's own lookup (getaddrinfo) cannot be interrupted: while it waits, the process does not end. So the name
 * server is asked first by node's resolver, which can be cancelled; the system's lookup, which also knows the hosts
 * file and search domains, gets its turn only when the name server has answered at all.
 */
import { type LookupAddress, type LookupOptions, Resolver, lookup as lookupBySystem } from "node:dns";

export type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

export interface HostLookup {
  lookup(hostname: string, options: LookupOptions, callback: LookupCallback): void;
  /** Ends what is under way with an error. */
  cancel(): void;
}

const LOOPBACKS: LookupAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];
const SILENT = new Set(["ETIMEOUT", "ECANCELLED", "EDESTRUCTION"]);

export interface LookupSettings {
  /** Of names, instead of the system's. */
  readonly servers?: readonly string[];
  readonly timeoutMs?: number;
}

export function createLookup({ servers, timeoutMs = 1000 }: LookupSettings = {}): HostLookup {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  if (servers) resolver.setServers(servers);
  return {
    lookup(hostname, options, callback) {
      if (/^(.+\.)?localhost$/i.test(hostname)) return answer(LOOPBACKS, options, callback);
      resolver.resolve4(hostname, (error, addresses) => {
        if (!error)
          answer(
            addresses.map((address) => ({ address, family: 4 })),
            options,
            callback,
          );
        else if (SILENT.has(error.code ?? "")) callback(error, "");
        else
          lookupBySystem(hostname, { ...options, all: true }, (fault, found) => {
            if (fault) callback(fault, "");
            else answer(found, options, callback);
          });
      });
    },
    cancel: () => resolver.cancel(),
  };
}

function answer(addresses: LookupAddress[], options: LookupOptions, callback: LookupCallback): void {
  const first = addresses[0]!;
  if (options.all) process.nextTick(callback, null, addresses);
  else process.nextTick(callback, null, first.address, first.family);
}
