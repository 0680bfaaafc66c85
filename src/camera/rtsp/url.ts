/**
 * Camera addresses as people write them. Pure. Credentials may be percent-encoded or raw: the text
 * is read in every way that gives a real host, and refused when there is more than one. Messages
 * never repeat the text: it holds the password.
 */

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface RtspTarget {
  /** rtsps: RTSP over TLS. */
  readonly secure: boolean;
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** What is sent to the camera: without credentials. */
  readonly url: string;
  readonly credentials?: Credentials;
}

const MAX_URL_CHARACTERS = 2048;
const DEFAULT_PORT = { rtsp: 554, rtsps: 322 } as const; // RFC 7826 section 4.2
const HOST =
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(\d{1,5}))?(?=[/?]|$)/;
// deno-lint-ignore no-control-regex -- they would end a header line
const FORBIDDEN = /[\u0000-\u0020\u007f]/;

/**
 * Reads `rtsp://` and `rtsps://`. Throws a TypeError that says what to change and nothing of the
 * text.
 */
export function parseRtspUrl(text: string): RtspTarget {
  const scheme = /^(rtsps?):\/\//i.exec(text);
  if (scheme === null) throw refusal('it does not start with "rtsp://" or "rtsps://"');
  if (text.length > MAX_URL_CHARACTERS) throw refusal("it is too long");
  if (FORBIDDEN.test(text)) throw refusal("it holds a space or a control character: write %20");
  const rest = text.slice(scheme[0].length);
  const readings = readRest(rest);
  if (readings.length === 0) {
    throw refusal("it names no host: write rtsp://user:password@host/path");
  }
  if (readings.length > 1) {
    throw refusal(
      'it can be read in two ways: write "/" in the password as %2F and "@" in the path as %40',
    );
  }
  return target(scheme[1]!.toLowerCase() as "rtsp" | "rtsps", readings[0]!);
}

interface Reading {
  readonly userinfo: string | undefined;
  readonly host: string;
  readonly port: string | undefined;
  readonly path: string;
}

function readRest(rest: string): Reading[] {
  const readings = [readHost(undefined, rest)];
  for (let at = rest.indexOf("@"); at >= 0; at = rest.indexOf("@", at + 1)) {
    const userinfo = rest.slice(0, at);
    // An "@" of the path follows the host's "/", and the host alone is no "user:password".
    if (/^[^:/?#]*$/.test(userinfo) || /^[^/?#]*:/.test(userinfo)) {
      readings.push(readHost(userinfo, rest.slice(at + 1)));
    }
  }
  return readings.filter((reading) => reading !== undefined);
}

function readHost(userinfo: string | undefined, text: string): Reading | undefined {
  const match = HOST.exec(text);
  if (match === null || Number(match[2] ?? 1) < 1 || Number(match[2] ?? 1) > 65_535) {
    return undefined;
  }
  return { userinfo, host: match[1]!, port: match[2], path: text.slice(match[0].length) };
}

function target(scheme: "rtsp" | "rtsps", reading: Reading): RtspTarget {
  const port = Number(reading.port ?? DEFAULT_PORT[scheme]);
  const shown = reading.port === undefined ? reading.host : `${reading.host}:${port}`;
  const path = reading.path.replace(/[^\u0021-\u007e]+/g, encodeURIComponent);
  const credentials = reading.userinfo === undefined
    ? {}
    : { credentials: split(reading.userinfo) };
  return {
    secure: scheme === "rtsps",
    host: reading.host.replace(/^\[|\]$/g, ""),
    port,
    url: `${scheme}://${shown}${path.startsWith("/") ? path : `/${path}`}`,
    ...credentials,
  };
}

function split(userinfo: string): Credentials {
  const colon = userinfo.indexOf(":");
  const user = decode(colon < 0 ? userinfo : userinfo.slice(0, colon));
  const password = colon < 0 ? "" : decode(userinfo.slice(colon + 1));
  if (FORBIDDEN.test(user) || /[\r\n\0]/.test(password)) {
    throw refusal("user or password holds a control character");
  }
  return { user, password };
}

/** Percent-encoding where it is one; any other "%" stands for itself. */
function decode(text: string): string {
  try {
    return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeURIComponent);
  } catch {
    throw refusal('percent-encoding in user or password is not UTF-8: write "%" as %25');
  }
}

function refusal(reason: string): TypeError {
  return new TypeError(`Cannot read camera address: ${reason}`);
}
