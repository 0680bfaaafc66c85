/** How the bytes of a session travel, as both ends say it. Pure, and shared with web/. */

/** The path in use. */
export interface NetworkPath {
  /** `relay`: a TURN server of either end carries it, and cannot read it. */
  readonly kind: "direct" | "relay";
  /** Version of IP, as this end sees it. */
  readonly family: 4 | 6;
  /** Whether the other end's address is of a network that does not reach the Internet by itself. */
  readonly local: boolean;
  /** Of ICE's own checks, in ms. */
  readonly roundTripMs?: number;
}

// RFC 1918, RFC 6890, RFC 6598 (a mobile carrier's own: not a home), RFC 4193, RFC 4291 2.5.6.
const LOCAL_V4 = /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/;
const LOCAL_V6 = /^(?:::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

/** Whether an IP address, without brackets, is of this machine's loopback. */
export function isLoopbackAddress(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** Whether an IP address is of this machine or of a network at home. A name that hides one is (`.local`). */
export function isLocalAddress(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, "").replace(/^::ffff:(?=\d+\.)/i, "");
  if (plain.endsWith(".local")) return true;
  return plain.includes(":") ? LOCAL_V6.test(plain) : LOCAL_V4.test(plain);
}
