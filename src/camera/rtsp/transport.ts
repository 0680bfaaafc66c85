/** The Transport and Session headers (RFC 2326 12.37, 12.39). Pure. */

export type Transport = "tcp" | "udp";

/** How RTP shall come: within the RTSP connection, or to two ports of ours. */
export type Delivery =
  | { readonly type: "tcp" }
  | { readonly type: "udp"; readonly ports: PortPair };

/** For RTP and RTCP, in this order; also channels, where embedded. */
export type PortPair = readonly [number, number];

const MAX_SESSION_CHARACTERS = 256;
const DEFAULT_TIMEOUT_S = 60; // RFC 2326 12.37
const MAX_TIMEOUT_S = 3600;

export function writeTransport(delivery: Delivery): string {
  return delivery.type === "tcp"
    ? "RTP/AVP/TCP;unicast;interleaved=0-1"
    : `RTP/AVP;unicast;client_port=${delivery.ports.join("-")}`;
}

/** What the camera agreed to. */
export interface AgreedTransport {
  readonly channels: PortPair | undefined;
  readonly serverPorts: PortPair | undefined;
}

export function readTransport(text: string): AgreedTransport {
  return {
    channels: readPair(/;\s*interleaved=(\d+)(?:-(\d+))?/i.exec(text), 255),
    serverPorts: readPair(/;\s*server_port=(\d+)(?:-(\d+))?/i.exec(text), 65_535),
  };
}

function readPair(match: RegExpExecArray | null, limit: number): PortPair | undefined {
  if (match === null) return undefined;
  const first = Number(match[1]);
  const second = match[2] === undefined ? first + 1 : Number(match[2]);
  return first <= limit && second <= limit ? [first, second] : undefined;
}

/**
 * The id to send back, and for how long the camera keeps a silent session. Undefined for an
 * impossible one.
 */
export function readSession(text: string): { id: string; timeoutMs: number } | undefined {
  const [id = "", ...parameters] = text.split(";").map((part) => part.trim());
  if (!/^[\u0021-\u007e]+$/.test(id) || id.length > MAX_SESSION_CHARACTERS) return undefined;
  const timeout = parameters.map((part) => /^timeout\s*=\s*(\d{1,9})$/i.exec(part)?.[1])
    .find((value) => value !== undefined);
  const seconds = Math.min(Math.max(Number(timeout ?? DEFAULT_TIMEOUT_S), 1), MAX_TIMEOUT_S);
  return { id, timeoutMs: seconds * 1000 };
}
