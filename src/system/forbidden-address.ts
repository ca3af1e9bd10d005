/**
 * An IP address -> whether no request may go there: link-local addresses, and those where clouds hand out credentials.
 *
 * Source: RFC 3927, RFC 4291 (2.5.6), and the metadata services of AWS, Azure, Google, Alibaba and Oracle; for IPv6
 * addresses that stand for IPv4 ones RFC 4291 (2.5.5), RFC 6052, RFC 3056 and RFC 4380.
 * Not: names. Loopback and private networks are where a job's services live, and stay open.
 */
import { BlockList, isIP, isIPv6 } from "node:net";

const forbiddenV4 = new BlockList();
forbiddenV4.addSubnet("169.254.0.0", 16, "ipv4");
forbiddenV4.addAddress("100.100.100.200", "ipv4");
forbiddenV4.addAddress("168.63.129.16", "ipv4");
forbiddenV4.addAddress("192.0.0.192", "ipv4");

const forbiddenV6 = new BlockList();
forbiddenV6.addSubnet("fe80::", 10, "ipv6");
forbiddenV6.addAddress("fd00:ec2::254", "ipv6");
forbiddenV6.addAddress("fd20:ce::254", "ipv6");

/** A prefix of IPv6, and in which group of an address below it the IPv4 address begins, and how it is disguised. */
const EMBEDDINGS: readonly { prefix: readonly number[]; at: number; mask: number }[] = [
  { prefix: [0, 0, 0, 0, 0, 0xffff], at: 6, mask: 0 },
  { prefix: [0, 0, 0, 0, 0, 0], at: 6, mask: 0 },
  { prefix: [0, 0, 0, 0, 0xffff, 0], at: 6, mask: 0 },
  { prefix: [0x64, 0xff9b, 0, 0, 0, 0], at: 6, mask: 0 },
  { prefix: [0x2002], at: 1, mask: 0 },
  { prefix: [0x2001, 0], at: 6, mask: 0xffff },
];

/** Whether a request must not reach `address`, as a resolver or a URL gives it, with or without a zone. */
export function isForbiddenAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (isIP(bare) === 4) return forbiddenV4.check(bare, "ipv4");
  if (!isIPv6(bare)) return false;
  return forbiddenV6.check(bare, "ipv6") || embeddedAddresses(bare).some((inner) => forbiddenV4.check(inner, "ipv4"));
}

function embeddedAddresses(address: string): string[] {
  const groups = parseGroups(address);
  const isBelow = (prefix: readonly number[]): boolean => prefix.every((group, index) => groups[index] === group);
  return EMBEDDINGS.filter(({ prefix }) => isBelow(prefix)).map(({ at, mask }) => {
    const [high, low] = [groups[at]! ^ mask, groups[at + 1]! ^ mask];
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  });
}

/** The eight groups of a well-formed IPv6 address. */
function parseGroups(address: string): number[] {
  // A URL writes every form of an address in the one canonical way, without dotted decimals.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [left = "", right] = canonical.split("::");
  const read = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => parseInt(group, 16)));
  const [start, end] = [read(left), read(right ?? "")];
  return [...start, ...Array<number>(8 - start.length - end.length).fill(0), ...end];
}
