/**
 * Control messages as bytes: one CBOR map each, whose field names are those of `control.ts`. Reading trusts nothing:
 * every field is checked, unknown types are refused, unknown fields are dropped.
 */
import type { Bytes } from "../lib/bytes.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import type { CameraCode, CameraState, ControlMessage, Named } from "./control.ts";
import { ProtocolError } from "./errors.ts";
import { MAX_CONTROL_BYTES } from "./limits.ts";
import type { H264Offer, MediaAnswer, MediaOffer } from "./sdp.ts";

const MAX_LIST = 64; // services, cameras or media sections of one device: a page cannot show more sensibly
const MAX_TITLE = 128; // characters
const ID = /^[a-z0-9][a-z0-9-]{0,31}$/;
const MID = /^[A-Za-z0-9_-]{1,16}$/;
const PROFILE_LEVEL_ID = /^[0-9a-f]{6}$/i;
const CNAME = /^[A-Za-z0-9+/=_.@{}-]{1,64}$/;

const CAMERA_STATES: readonly CameraState[] = ["starting", "live", "waiting", "failed"];
const CAMERA_CODES: readonly CameraCode[] = [
  "unknown",
  "unreachable",
  "unauthorised",
  "unsupported",
  "broken",
  "busy",
  "ended",
];
const BYE_CODES = ["closed", "refused", "protocol", "limit", "shutdown"] as const;

/** Writes a control message. Throws a RangeError when it is longer than a peer would take. */
export function encodeControl(message: ControlMessage): Bytes {
  const bytes = encodeCbor(message);
  if (bytes.length <= MAX_CONTROL_BYTES) return bytes;
  throw new RangeError(`Cannot send "${message.type}": ${bytes.length} bytes`);
}

/** Reads a control message. Throws a ProtocolError for anything that is none. */
export function decodeControl(bytes: Uint8Array): ControlMessage {
  if (bytes.length > MAX_CONTROL_BYTES) {
    throw new ProtocolError(`Cannot read a control message: ${bytes.length} bytes`);
  }
  const fields = record(decodeCbor(bytes));
  const read = READERS.get(String(fields.type));
  if (read === undefined) throw new ProtocolError("Cannot read a control message: unknown type");
  return read(fields);
}

type Fields = Readonly<Record<string, unknown>>;

const READERS: ReadonlyMap<string, (fields: Fields) => ControlMessage> = new Map<
  string,
  (fields: Fields) => ControlMessage
>([
  ["confirm", (f) => ({ type: "confirm", bytes: byteString(f.bytes) })],
  ["hello", (f) => ({
    type: "hello",
    name: title(f.name),
    services: list(f.services, named),
    cameras: list(f.cameras, named),
  })],
  ["camera-start", (f) => ({ type: "camera-start", camera: id(f.camera) })],
  ["camera-stop", (f) => ({ type: "camera-stop", camera: id(f.camera) })],
  ["camera-ready", (f) => ({
    type: "camera-ready",
    camera: id(f.camera),
    profileLevelId: matching(f.profileLevelId, PROFILE_LEVEL_ID),
  })],
  ["camera-state", readCameraState],
  [
    "media-offer",
    (f) => ({ type: "media-offer", id: uint(f.id), media: list(f.media, mediaOffer) }),
  ],
  ["media-answer", (f) => ({
    type: "media-answer",
    id: uint(f.id),
    media: list(f.media, mediaAnswer),
  })],
  ["media-applied", (f) => ({ type: "media-applied", id: uint(f.id) })],
  ["ping", (f) => ({ type: "ping", id: uint(f.id) })],
  ["pong", (f) => ({ type: "pong", id: uint(f.id) })],
  ["bye", (f) => ({ type: "bye", code: oneOf(f.code, BYE_CODES) })],
]);

function readCameraState(fields: Fields): ControlMessage {
  const state = oneOf(fields.state, CAMERA_STATES);
  const common = { type: "camera-state", camera: id(fields.camera), state } as const;
  return fields.code === undefined ? common : { ...common, code: oneOf(fields.code, CAMERA_CODES) };
}

function named(value: unknown): Named {
  const fields = record(value);
  return { id: id(fields.id), title: title(fields.title) };
}

function mediaOffer(value: unknown): MediaOffer {
  const fields = record(value);
  return {
    mid: matching(fields.mid, MID),
    camera: fields.camera === null ? null : id(fields.camera),
    codecs: list(fields.codecs, h264Offer),
  };
}

function mediaAnswer(value: unknown): MediaAnswer {
  const fields = record(value);
  const mid = matching(fields.mid, MID);
  if (fields.active !== true) return { mid, active: false };
  const answer = {
    mid,
    active: true,
    codec: h264Offer(fields.codec),
    ssrc: uint(fields.ssrc),
    cname: matching(fields.cname, CNAME),
  } as const;
  return fields.rtxSsrc === undefined ? answer : { ...answer, rtxSsrc: uint(fields.rtxSsrc) };
}

function h264Offer(value: unknown): H264Offer {
  const fields = record(value);
  const offer = {
    payloadType: payloadType(fields.payloadType),
    profileLevelId: matching(fields.profileLevelId, PROFILE_LEVEL_ID),
    packetizationMode: fields.packetizationMode === 1 ? 1 : 0,
  } as const;
  return fields.rtx === undefined ? offer : { ...offer, rtx: payloadType(fields.rtx) };
}

/* ---- one field ------------------------------------------------------------------------------------------- */

function record(value: unknown): Fields {
  const plain = typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  if (plain) return value as Fields;
  throw new ProtocolError("Cannot read a control message: not a map");
}

function list<T>(value: unknown, read: (item: unknown) => T): T[] {
  if (Array.isArray(value) && value.length <= MAX_LIST) return value.map(read);
  throw new ProtocolError(`Cannot read a control message: not a list of at most ${MAX_LIST}`);
}

function matching(value: unknown, pattern: RegExp): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new ProtocolError("Cannot read a control message: malformed text");
}

function id(value: unknown): string {
  return matching(value, ID);
}

/** Text for people: any characters but controls, since the page shows it as text and logs escape it. */
function title(value: unknown): string {
  if (typeof value === "string" && value.length <= MAX_TITLE && !/\p{Cc}/u.test(value)) {
    return value;
  }
  throw new ProtocolError("Cannot read a control message: malformed title");
}

function uint(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32) {
    return value;
  }
  throw new ProtocolError("Cannot read a control message: not an unsigned number of 32 bits");
}

function payloadType(value: unknown): number {
  const type = uint(value);
  if (type <= 127) return type;
  throw new ProtocolError("Cannot read a control message: payload type above 127");
}

function byteString(value: unknown): Bytes {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  throw new ProtocolError("Cannot read a control message: not bytes");
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value);
  if (found !== undefined) return found;
  throw new ProtocolError("Cannot read a control message: unknown word");
}
