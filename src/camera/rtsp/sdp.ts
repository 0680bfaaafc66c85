/** Finds the video track in a camera's description (RFC 8866, RFC 6184 8.2, RFC 7798 7.1, RFC 2326 C.1). Pure. */
import { Buffer } from "node:buffer";
import { CameraError } from "../source.ts";
import { atPlace, originOf } from "./places.ts";

const MAX_LINES = 2000;
const MAX_SECTIONS = 64;
const MAX_PARAMETER_SETS = 16;
const MAX_CONTROL_CHARACTERS = 2048;
const CLOCK_HZ = 90_000; // RFC 6184 8.2.1, RFC 7798 7.1: the only one

export type VideoCodec = "h264" | "h265";

export interface VideoTrack {
  readonly codec: VideoCodec;
  readonly payloadType: number;
  /** Where SETUP goes. */
  readonly control: string;
  /** Where PLAY and TEARDOWN go. */
  readonly aggregate: string;
  /** NAL units of the format's sprop-…; empty when the camera sends them in band only. */
  readonly parameterSets: readonly Uint8Array[];
}

interface Section {
  readonly media: string;
  readonly formats: readonly number[];
  readonly attributes: readonly string[];
}

/** Where several are offered: what passes as it comes, first. */
const PREFERRED: readonly VideoCodec[] = ["h264", "h265"];

/**
 * Reads the description found at `base`. Throws a CameraError `unsupported` that names what was
 * found instead.
 */
export function findVideo(text: string, base: string): VideoTrack {
  const { session, sections } = parseSections(text);
  const others: string[] = [];
  const found: { codec: VideoCodec; section: Section; payloadType: number }[] = [];
  for (const section of sections.filter((one) => one.media === "video")) {
    for (const payloadType of section.formats) {
      const map = attribute(section.attributes, `rtpmap:${payloadType}`) ?? `type ${payloadType}`;
      const [name = "", rate] = map.split("/");
      const codec = PREFERRED.find((one) =>
        one === name.toLowerCase() && Number(rate) === CLOCK_HZ
      );
      if (codec !== undefined) found.push({ codec, section, payloadType });
      else others.push(name.replace(/[^A-Za-z0-9 .-]/g, "").slice(0, 20));
    }
  }
  const best = found.toSorted((a, b) => PREFERRED.indexOf(a.codec) - PREFERRED.indexOf(b.codec))[0];
  if (best !== undefined) return readTrack(best, controlUrl(base, session));
  const named = others.length === 0 ? "no video" : others.slice(0, 8).join(", ");
  const remedy = "set the camera's stream to H.264";
  throw new CameraError("unsupported", `Cannot show video: camera offers ${named}: ${remedy}`);
}

function readTrack(
  { codec, section, payloadType }: { codec: VideoCodec; section: Section; payloadType: number },
  aggregate: string,
): VideoTrack {
  const format = formatParameters(attribute(section.attributes, `fmtp:${payloadType}`) ?? "");
  const mode = codec === "h264" ? "packetization-mode" : "sprop-max-don-diff";
  const value = format.get(mode) ?? "0";
  if (codec === "h264" ? value === "2" : value !== "0") {
    const remedy = codec === "h264" ? "set it to 0 or 1" : "set the camera's stream to H.264";
    throw new CameraError("unsupported", `Cannot show video: ${mode} ${Number(value)}: ${remedy}`);
  }
  const names = codec === "h264"
    ? ["sprop-parameter-sets"]
    : ["sprop-vps", "sprop-sps", "sprop-pps"];
  const sets = names.flatMap((name) => (format.get(name) ?? "").split(","));
  const parameterSets = sets.slice(0, MAX_PARAMETER_SETS)
    .map((set) => new Uint8Array(Buffer.from(set, "base64")))
    .filter((set) => set.length > 0);
  const control = controlUrl(aggregate, section.attributes);
  return { codec, payloadType, control, aggregate, parameterSets };
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
  if (/^rtsps?:\/\//i.test(control)) return atPlace(base, control) ?? base;
  if (control.startsWith("/")) return originOf(base) + control;
  return base.endsWith("/") ? base + control : `${base}/${control}`;
}
