/**
 * The shape of porthole.toml: which keys there are, what each may hold, and what would be right, in words. Only shapes:
 * whether a target or a source can be used is for the parsers of those parts to say (config.ts).
 */
import * as v from "valibot";
import { LOG_LEVELS } from "./lib/log_sink.ts";

/** What a page shows without cutting, and what a hello message has room for, whatever the script. */
const TITLE_CHARACTERS = 64;
/** Paths on Linux (PATH_MAX), URLs with room. */
const TEXT_CHARACTERS = 4096;

const MAX_PORT = 65_535;

/** What the control channel takes as an id (protocol/control_codec.ts). */
export const ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,31}$/;
const ID = v.pipe(v.string(), v.regex(ID_PATTERN));
const TITLE = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(TITLE_CHARACTERS),
  v.regex(/^\P{Cc}*$/u),
);
const TEXT = v.pipe(v.string(), v.minLength(1), v.maxLength(TEXT_CHARACTERS));
/** openssl prints fingerprints with colons and capitals. */
export const PIN_PATTERN = /^[0-9a-f]{2}(:?[0-9a-f]{2}){31}$/i;
const PIN = v.pipe(
  v.string(),
  v.regex(PIN_PATTERN),
  v.transform((text) => text.replaceAll(":", "").toLowerCase()),
);

/** A port alone is of this machine only. Port 0 is any that is free. */
const METRICS = v.pipe(
  v.union([
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_PORT)),
    v.pipe(v.string(), v.regex(/^(?:[0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/)),
  ]),
  v.transform((value) => {
    if (typeof value === "number") return { host: "127.0.0.1", port: value };
    const at = value.lastIndexOf(":");
    const host = value.slice(0, at).replace(/^\[|\]$/g, "");
    return { host, port: Number(value.slice(at + 1)) };
  }),
  v.check(({ port }) => port <= MAX_PORT),
);

/** What stands at the top of the file, above the first table. */
export const TOP = v.object({
  name: TITLE,
  rendezvous: v.pipe(TEXT, v.check(isWebSocketUrl)),
  state: TEXT,
  log: v.picklist(LOG_LEVELS),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_PORT)), 0),
  clock: v.optional(v.picklist(["auto", "system"]), "auto"),
  metrics: v.optional(METRICS),
  service: v.optional(v.array(v.unknown()), []),
  camera: v.optional(v.array(v.unknown()), []),
});

/** One `[[service]]`. */
export const SERVICE = v.object({
  id: ID,
  title: v.optional(TITLE),
  target: TEXT,
  ca: v.optional(TEXT),
  pin: v.optional(PIN),
  verify: v.optional(v.boolean(), true),
  host: v.optional(v.picklist(["target", "keep"]), "target"),
});

/** One `[[camera]]`. */
export const CAMERA = v.object({
  id: ID,
  title: v.optional(TITLE),
  source: TEXT,
  transport: v.optional(v.picklist(["tcp", "udp"])),
  pin: v.optional(PIN),
  verify: v.optional(v.boolean()),
});

/** What would be right for each key, as it ends the sentence "expected ...". */
export const EXPECTED: ReadonlyMap<string, string> = new Map([
  ["name", `1 to ${TITLE_CHARACTERS} characters, such as "Front gate"`],
  ["rendezvous", 'a ws:// or wss:// URL, such as "wss://meet.example.org"'],
  ["state", 'a folder, such as "/var/lib/porthole"'],
  ["log", `one of ${LOG_LEVELS.map((level) => `"${level}"`).join(", ")}`],
  ["port", "a UDP port from 0 to 65535; 0 for any"],
  ["clock", '"auto" or "system"'],
  ["metrics", 'a port of this machine, such as 9469, or an address, such as "127.0.0.1:9469"'],
  ["service", "tables, each under a line [[service]]"],
  ["camera", "tables, each under a line [[camera]]"],
  ["id", '1 to 32 of a-z, 0-9 and "-", not "-" first'],
  ["title", `1 to ${TITLE_CHARACTERS} characters`],
  ["target", 'a URL or socket, such as "http://127.0.0.1:80" or "unix:/run/app.sock"'],
  ["source", 'a camera, such as "rtsp://192.168.1.20/stream1" or "test:"'],
  ["ca", 'a file with certificates in PEM, such as "/etc/porthole/ca.pem"'],
  ["pin", "the SHA-256 of the certificate, as 64 hexadecimal digits"],
  ["verify", "true or false, without quotes"],
  ["host", '"target" or "keep"'],
  ["transport", '"tcp" or "udp"'],
]);

function isWebSocketUrl(text: string): boolean {
  return /^wss?:\/\//i.test(text) && URL.canParse(text);
}
