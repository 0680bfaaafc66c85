/** Addresses of cameras that speak HTTP. Pure. Messages never repeat the text: it holds the password. */

export interface HttpTarget {
  readonly secure: boolean;
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query: what the request line has. */
  readonly path: string;
  readonly credentials?: { readonly user: string; readonly password: string };
}

const MAX_URL_CHARACTERS = 2048;

/** Reads `http://` and `https://`. Throws a TypeError that says what to change and nothing of the text. */
export function parseHttpUrl(text: string): HttpTarget {
  const url = text.length <= MAX_URL_CHARACTERS ? URL.parse(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw refusal('write http://user:password@host/path, "/" in the password as %2F, "@" as %40');
  }
  const secure = url.protocol === "https:";
  const place = {
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
  };
  if (url.username === "" && url.password === "") return place;
  return { ...place, credentials: { user: decode(url.username), password: decode(url.password) } };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal('percent-encoding in user or password is not UTF-8: write "%" as %25');
  }
}

function refusal(reason: string): TypeError {
  return new TypeError(`Cannot read camera address: ${reason}`);
}
