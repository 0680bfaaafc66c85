/**
 * ICE candidates as text (RFC 8839 5.1): what may be passed on, and what kind of address one names.
 */

/**
 * Bound of a candidate, in characters. Chromium's longest, with mDNS name and extensions, has about
 * 150.
 */
export const MAX_CANDIDATE_CHARACTERS = 256;

const CANDIDATE = new RegExp(
  "^candidate:[A-Za-z0-9+/]{1,32} [0-9]{1,3} (?:udp|tcp) [0-9]{1,10} ([0-9A-Za-z.:-]{1,64}) [0-9]{1,5}" +
    " typ (?:host|srflx|prflx|relay)((?: [!-~]+ [!-~]+)*)$",
  "i",
);
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const IPV6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/;
const MDNS = /^[0-9A-Za-z-]+\.local$/i;

/**
 * Whether the text is one candidate, and nothing else. Rejects line breaks, and whatever would need
 * a resolver.
 */
export function isCandidate(text: string): boolean {
  return candidateAddressKind(text) !== undefined;
}

/**
 * What a candidate names: an IP address, or an mDNS name that only a machine in the same network
 * can resolve. Undefined when the text is not a candidate. Who drops `mdns` loses nothing: the
 * browser's own checks arrive from the address that the name hides.
 */
export function candidateAddressKind(text: string): "ip" | "mdns" | undefined {
  if (text.length > MAX_CANDIDATE_CHARACTERS) return undefined;
  const address = CANDIDATE.exec(text)?.[1];
  if (address === undefined) return undefined;
  if (IPV4.test(address) || IPV6.test(address)) return "ip";
  return MDNS.test(address) ? "mdns" : undefined;
}
