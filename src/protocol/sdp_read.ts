/**
 * Takes the fields out of a description that this end's own WebRTC stack wrote. Descriptions of
 * others never come here: they arrive as fields.
 */
import { type Bytes, fromHex } from "../lib/bytes.ts";
import { ProtocolError } from "./errors.ts";
import { APPLICATION_MID, checkMediaOffers, checkTransport } from "./sdp_fields.ts";
import { type H264Offer, type MediaOffer, PLAYOUT_DELAY_URI, type TransportFields } from "./sdp.ts";

/**
 * Bound of a description, in characters. Chromium's with sixteen video sections has about 120 000.
 */
const MAX_SDP_CHARACTERS = 262_144;

/** One `m=` section, or the part before the first. */
interface Section {
  readonly media: string;
  readonly lines: readonly string[];
}

/**
 * Transport of the whole bundle. Throws a ProtocolError when sections disagree, or when a field is
 * missing or has not the form that the other end demands.
 */
export function readTransport(sdp: string): TransportFields {
  const lines = sections(sdp).flatMap((section) => section.lines);
  const fields = {
    ufrag: onlyValue(lines, "ice-ufrag"),
    pwd: onlyValue(lines, "ice-pwd"),
    fingerprint: readFingerprint(onlyValue(lines, "fingerprint")),
    setup: onlyValue(lines, "setup") as TransportFields["setup"], // checked below
  };
  checkTransport(fields);
  return fields;
}

/**
 * The video sections of the browser's own offer, in order, each with its ways to take H.264.
 * `camera` is null: the caller knows which section it made for which camera. Throws a ProtocolError
 * for anything it cannot pass on.
 */
export function readMedia(sdp: string): MediaOffer[] {
  const media = sections(sdp).slice(1);
  if (values(media[0]?.lines ?? [], "mid")[0] !== APPLICATION_MID) {
    throw new ProtocolError("Cannot read session description: data channels are not in front");
  }
  const offers = media.slice(1).map(({ media, lines }) => {
    if (!media.startsWith("video ")) {
      throw new ProtocolError("Cannot read session description: section is not video");
    }
    const playoutDelay = readExtension(lines, PLAYOUT_DELAY_URI);
    return {
      ...{ mid: onlyValue(lines, "mid"), camera: null, codecs: readCodecs(lines) },
      ...(playoutDelay === undefined ? {} : { playoutDelay }),
    };
  });
  checkMediaOffers(offers);
  return offers;
}

function sections(sdp: string): Section[] {
  if (sdp.length > MAX_SDP_CHARACTERS) {
    throw new ProtocolError("Cannot read session description: too long");
  }
  return sdp.split(/^m=/m).map((part) => {
    const [media = "", ...lines] = part.split(/\r?\n/);
    return { media, lines };
  });
}

/** Values of `a=name:value` lines. */
function values(lines: readonly string[], name: string): string[] {
  const prefix = `a=${name}:`;
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

function onlyValue(lines: readonly string[], name: string): string {
  const [value, ...others] = new Set(values(lines, name));
  if (value === undefined || others.length > 0) {
    throw new ProtocolError(`Cannot read session description: not one ${name}`);
  }
  return value;
}

/** Number of a header extension (RFC 8285 5), where a one-byte header can hold it. */
function readExtension(lines: readonly string[], uri: string): number | undefined {
  const [number] = values(lines, "extmap").map(splitAtSpace)
    .find(([, rest]) => rest.split(" ")[0] === uri) ?? [];
  return /^([1-9]|1[0-4])(\/\w+)?$/.test(number ?? "") ? parseInt(number!) : undefined;
}

function readFingerprint(value: string): Bytes {
  const [algorithm, hash = ""] = value.split(" ");
  if (algorithm?.toLowerCase() !== "sha-256" || !/^[0-9A-Fa-f:]{95}$/.test(hash)) {
    throw new ProtocolError("Cannot read session description: fingerprint is not SHA-256");
  }
  try {
    return fromHex(hash.replaceAll(":", ""));
  } catch (cause) {
    throw new ProtocolError("Cannot read session description: bad fingerprint", { cause });
  }
}

function readCodecs(lines: readonly string[]): H264Offer[] {
  const parameters = new Map(values(lines, "fmtp").map(splitAtSpace));
  const maps = values(lines, "rtpmap").map(splitAtSpace);
  const rtx = new Map<string, number>(); // payload type of the codec -> of its retransmissions
  for (const [type, codec] of maps) {
    if (codec.toLowerCase() !== "rtx/90000") continue;
    const apt = parameter(parameters.get(type), "apt");
    if (apt !== undefined) rtx.set(apt, Number(type));
  }
  return maps.filter(([, codec]) => codec.toUpperCase() === "H264/90000").map(([type]) =>
    readCodec(type, { parameters: parameters.get(type), rtx: rtx.get(type) })
  );
}

function readCodec(
  type: string,
  { parameters, rtx }: { parameters: string | undefined; rtx: number | undefined },
): H264Offer {
  return {
    payloadType: Number(type),
    // RFC 6184 8.1: what is not said is Baseline at level 1 and single NAL unit mode.
    profileLevelId: (parameter(parameters, "profile-level-id") ?? "42000a").toLowerCase(),
    packetizationMode: parameter(parameters, "packetization-mode") === "1" ? 1 : 0,
    ...(rtx === undefined ? {} : { rtx }),
  };
}

function splitAtSpace(value: string): [string, string] {
  const at = value.indexOf(" ");
  return at < 0 ? [value, ""] : [value.slice(0, at), value.slice(at + 1).trim()];
}

function parameter(text: string | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  return text?.split(";").map((part) => part.trim()).find((part) => part.startsWith(prefix))
    ?.slice(prefix.length);
}
