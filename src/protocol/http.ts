/**
 * The heads that travel in OPEN and HEAD frames: an HTTP request, a WebSocket request and their answers, as values.
 * How they are written as bytes is `head.ts`.
 */

/** A method, a header's name, a subprotocol (RFC 9110 5.6.2). */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A path and query in origin-form: what a URL parser lets through is ASCII without blanks. */
export const ORIGIN_FORM = /^\/[\x21-\x7e]*$/;

/** A header's value: anything but control characters, of which only the tab may stand in it (RFC 9110 5.5). */
// deno-lint-ignore no-control-regex -- the point is to refuse control characters
export const FIELD_VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;

/**
 * Paths below this are porthole's own on every content origin, and headers with this prefix are its own in every head:
 * neither ever reaches a service or comes from one.
 */
export const RESERVED_PREFIX = "/.porthole/";
export const OWN_HEADER_PREFIX = "x-porthole-";

/** What the agent itself answers: `cookie_writes.ts` and `login.ts` say how. */
export const COOKIES_PATH = `${RESERVED_PREFIX}cookies`;
export const LOGIN_PATH = `${RESERVED_PREFIX}login`;
/** The answer to a GET is the service's own origin on its LAN, as "http://192.168.1.5"; empty where it has none. */
export const TARGET_PATH = `${RESERVED_PREFIX}target`;

/**
 * In each answer: a name for the person whose session it is, the same for as long as the grant lasts and different for
 * every other; what a browser keeps of the answer is for that person alone.
 */
export const HOLDER_HEADER = `${OWN_HEADER_PREFIX}holder`;

/** In a redirect that leads to another service of the device: its id, a blank, the path there. `Location` stays as it was. */
export const ELSEWHERE_HEADER = `${OWN_HEADER_PREFIX}elsewhere`;

/** In a request, "omit": it goes without the person's cookies and logins, and leaves none behind (Fetch 2.2.5). */
export const CREDENTIALS_HEADER = `${OWN_HEADER_PREFIX}credentials`;

/** One header line. Repeated names are repeated pairs; order is kept. */
export type Header = readonly [name: string, value: string];

/** What an opener asks for. A service is named by its id, never by an address (DESIGN 8). */
export interface RequestHead {
  readonly kind: "http" | "websocket";
  readonly service: string;
  readonly method: string;
  /** Origin-form target, byte for byte as the page wrote it: begins with "/", no fragment. */
  readonly path: string;
  readonly headers: readonly Header[];
}

/** What the service answered. For a WebSocket: status 101 and the chosen subprotocol among the headers. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: readonly Header[];
}

/** How a WebSocket ended. 1005 and 1006 stand for "no code" and "broken off" (RFC 6455 7.1.5). */
export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}
