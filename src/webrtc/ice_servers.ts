/**
 * STUN and TURN servers as the rendezvous names them (RFC 7064, RFC 7065), read into what gathering
 * asks. Pure. What cannot be used is left out: one bad line must not cost the others.
 */

/** A STUN or TURN server. */
export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

export interface ServerAddress {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface RelayServer extends ServerAddress {
  /** How we reach it; what it relays is UDP in any case. */
  readonly transport: "udp" | "tcp" | "tls";
  readonly username: string;
  readonly credential: string;
}

export interface IceServers {
  readonly reflexive: readonly ServerAddress[];
  readonly relays: readonly RelayServer[];
}

/** Servers that are looked at: browsers warn from five on. */
const MAX_SERVERS = 8;
const DEFAULT_PORT = 3478; // RFC 8489 18.6
const DEFAULT_TLS_PORT = 5349;

const URL_PATTERN =
  /^(stun|turns?):(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+))(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i;

/** Reads a list. STUN over TCP or TLS (`stuns:`) would tell nothing about UDP, and is left out. */
export function readIceServers(servers: readonly IceServer[]): IceServers {
  const reflexive: ServerAddress[] = [];
  const relays: RelayServer[] = [];
  for (const { urls, username, credential } of servers.slice(0, MAX_SERVERS)) {
    const [, scheme = "", address, name, digits, stream] = URL_PATTERN.exec(urls) ?? [];
    const host = address ?? name;
    const isTls = scheme.toLowerCase() === "turns";
    const port = digits === undefined ? isTls ? DEFAULT_TLS_PORT : DEFAULT_PORT : Number(digits);
    if (host === undefined || port === 0 || port > 0xffff) continue;
    if (scheme.toLowerCase() === "stun") {
      reflexive.push({ host, port });
      continue;
    }
    if (username === undefined || credential === undefined) continue;
    if (isTls && stream?.toLowerCase() === "udp") continue; // DTLS to a relay: nobody offers it
    const transport = isTls ? "tls" : stream?.toLowerCase() === "tcp" ? "tcp" : "udp";
    relays.push({ host, port, transport, username, credential });
  }
  return { reflexive, relays };
}
