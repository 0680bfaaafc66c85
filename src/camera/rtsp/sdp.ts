/** Finds the H.264 track in a camera's description (RFC 8866, RFC 6184 8.2, RFC 2326 C.1). Pure. */
import { Buffer } from "node:buffer";
import { CameraError } from "../source.ts";

const MAX_LINES = 2000;
const MAX_SECTIONS = 64;
const MAX_PARAMETER_SETS = 16;
const MAX_CONTROL_CHARACTERS = 2048;
const H264_CLOCK_HZ = 90_000; // RFC 6184 8.2.1: the only one

export interface H264Track {
  readonly payloadType: number;
  /** Where SETUP goes. */
  readonly control: string;
  /** Where PLAY and TEARDOWN go. */
  readonly aggregate: string;
  /** NAL units of sprop-parameter-sets; empty when the camera sends them in band only. */
  readonly parameterSets: readonly Uint8Array[];
}

interface Section {
  readonly media: string;
  readonly formats: readonly number[];
  readonly attributes: readonly string[];
}

/**
 * Reads the description found at `base`. Throws a CameraError `unsupported` that names what was
 * found instead.
 */
export function findH264(text: string, base: string): H264Track {
  const { session, sections } = parseSections(text);
  const codecs: string[] = [];
  for (const section of sections.filter((one) => one.media === "video")) {
    for (const payloadType of section.formats) {
      const codec = attribute(section.attributes, `rtpmap:${payloadType}`) ?? `type ${payloadType}`;
      const [name = "", rate] = codec.split("/");
      if (name.toUpperCase() !== "H264" || Number(rate) !== H264_CLOCK_HZ) {
        codecs.push(name.replace(/[^A-Za-z0-9 .-]/g, "").slice(0, 20));
        continue;
      }
      return readTrack(section, { payloadType, aggregate: controlUrl(base, session) });
    }
  }
  const found = codecs.length === 0 ? "no video" : codecs.slice(0, 8).join(", ");
  const remedy = "set the camera's stream to H.264";
  throw new CameraError("unsupported", `Cannot show video: camera offers ${found}: ${remedy}`);
}

function readTrack(
  section: Section,
  known: { payloadType: number; aggregate: string },
): H264Track {
  const format = formatParameters(attribute(section.attributes, `fmtp:${known.payloadType}`) ?? "");
  if (format.get("packetization-mode") === "2") {
    const remedy = "set it to 0 or 1";
    throw new CameraError("unsupported", `Cannot show video: packetization-mode 2: ${remedy}`);
  }
  const sets = (format.get("sprop-parameter-sets") ?? "").split(",").slice(0, MAX_PARAMETER_SETS);
  const parameterSets = sets.map((set) => new Uint8Array(Buffer.from(set, "base64")))
    .filter((set) => set.length > 0);
  return { ...known, control: controlUrl(known.aggregate, section.attributes), parameterSets };
}

function parseSections(text: string): { session: string[]; sections: Section[] } {
  const session: string[] = [];
  const sections: (Section & { attributes: string[] })[] = [];
  for (const line of text.split(/\r\n|\r|\n/).slice(0, MAX_LINES)) {
    const value = line.slice(2).trim();
    if (line.startsWith("m=") && sections.length < MAX_SECTIONS) {
      const [media = "", , , ...formats] = value.split(/\s+/);
      sections.push({ media, formats: formats.map(Number).filter(isPayloadType), attributes: [] });
    }
    if (line.startsWith("a=")) (sections.at(-1)?.attributes ?? session).push(value);
  }
  return { session, sections };
}

function isPayloadType(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 127;
}

/** Value of `a=name value` or `a=name:value`. */
function attribute(attributes: readonly string[], name: string): string | undefined {
  for (const text of attributes) {
    if (!text.toLowerCase().startsWith(name)) continue;
    const rest = text.slice(name.length);
    if (/^[\s:]/.test(rest)) return rest.slice(1).trim();
  }
  return undefined;
}

function formatParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of text.split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0) {
      parameters.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
    }
  }
  return parameters;
}

/**
 * What a=control means at `base`. Cameras and clients join with a "/" where RFC 2326 C.1.1 would
 * replace the last part of the path, and keep a query in front of what they append.
 */
function controlUrl(base: string, attributes: readonly string[]): string {
  const control = attribute(attributes, "control");
  if (control === undefined || control === "*" || control === "") return base;
  // Only what can stand in a request line; the rest would end it.
  if (control.length > MAX_CONTROL_CHARACTERS || /[^\u0021-\u007e]/.test(control)) return base;
  if (/^rtsps?:\/\//i.test(control)) return withoutCredentials(control);
  const origin = /^rtsps?:\/\/[^/?]*/i.exec(base)?.[0] ?? "";
  if (control.startsWith("/")) return origin + control;
  return base.endsWith("/") ? base + control : `${base}/${control}`;
}

/** Some cameras write the password back into their answers. */
export function withoutCredentials(url: string): string {
  return url.replace(/^(rtsps?:\/\/)[^/?]*@/i, "$1");
}
