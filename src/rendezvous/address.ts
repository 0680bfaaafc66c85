/** Addresses as limits count them. Pure. */

/**
 * The group that an address is counted with: an IPv4 address by itself, an IPv6 address with its /64, which is what
 * one household gets (RFC 6177 2 names /64 as the smallest site). Unknown text is one group of its own.
 */
export function addressGroup(address: string | undefined): string {
  if (address === undefined || address === "") return "unknown";
  const bare = address.split("%")[0]!.toLowerCase(); // a zone id is local to us
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/.exec(bare); // RFC 4291 2.5.5.2
  if (mapped !== null) return mapped[1]!;
  return bare.includes(":") ? prefix64(bare) : bare;
}

function prefix64(address: string): string {
  const [head, tail] = address.split("::");
  const left = head === "" ? [] : head!.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right].slice(0, 4);
  return groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":") + "::/64";
}

/**
 * Who sent a request. Behind a proxy that is trusted, the last entry of X-Forwarded-For, which that proxy wrote; the
 * entries before it are whatever the client made up.
 */
export function clientAddress(
  remote: string | undefined,
  forwarded: string | undefined,
  trustedProxies: ReadonlySet<string>,
): string {
  const group = addressGroup(remote);
  if (forwarded === undefined || !trustedProxies.has(group)) return group;
  const last = forwarded.split(",").at(-1)!.trim();
  return /^[0-9a-f.:]{2,45}$/i.test(last) ? addressGroup(last) : group;
}
