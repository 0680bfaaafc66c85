/**
 * Control messages as bytes: one CBOR map each, whose field names are those of `control.ts`. Reading trusts nothing:
 * every field is checked, unknown types are refused, unknown fields are dropped. What fields may be is in `fields.ts`,
 * `media_codec.ts` and `owner_codec.ts`; how long lists are made to fit, in `fit.ts`.
 */
import type { Bytes } from "../lib/bytes.ts";
import { type Access, OPERATIONS } from "./access.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import {
  BYE_CODES,
  type CameraCode,
  type CameraState,
  type ControlMessage,
  type Named,
} from "./control.ts";
import {
  byteString,
  exactBytes,
  type Fields,
  id,
  list,
  oneOf,
  optional,
  record,
  seconds,
  someOf,
  title,
  uint,
  unreadable,
  whole,
} from "./fields.ts";
import { MAX_CONTROL_BYTES } from "./limits.ts";
import { profileLevelId, readMediaAnswer, readMediaOffer } from "./media_codec.ts";
import { OWNER_ERRORS } from "./owner.ts";
import { hash, readOwnerReply, readOwnerRequest } from "./owner_codec.ts";

const PASS_BYTES = 16; // src/trust/pass.ts
const MAX_NUMBER = 65_535; // src/trust/scope.ts

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

/** Writes a control message. Throws a RangeError when it is longer than a peer would take. */
export function encodeControl(message: ControlMessage): Bytes {
  const bytes = encodeCbor(message);
  if (bytes.length <= MAX_CONTROL_BYTES) return bytes;
  throw new RangeError(`Cannot send "${message.type}": ${bytes.length} bytes`);
}

/** Reads a control message. Throws a ProtocolError for anything that is none. */
export function decodeControl(bytes: Uint8Array): ControlMessage {
  if (bytes.length > MAX_CONTROL_BYTES) throw unreadable(`${bytes.length} bytes`);
  const fields = record(decodeCbor(bytes));
  const read = READERS.get(fields.type);
  if (read === undefined) throw unreadable("unknown type");
  return read(fields);
}

type Reader = (fields: Fields) => ControlMessage;

const READERS: ReadonlyMap<unknown, Reader> = new Map<unknown, Reader>([
  ["confirm", (f) => ({ type: "confirm", bytes: byteString(f.bytes) })],
  ["hello", readHello],
  ["camera-start", (f) => ({ type: "camera-start", camera: id(f.camera) })],
  ["camera-stop", (f) => ({ type: "camera-stop", camera: id(f.camera) })],
  ["camera-ready", (f) => ({
    type: "camera-ready",
    camera: id(f.camera),
    profileLevelId: profileLevelId(f.profileLevelId),
  })],
  ["camera-state", (f) => ({
    type: "camera-state",
    camera: id(f.camera),
    state: oneOf(f.state, CAMERA_STATES),
    ...optional(f, "code", (code) => oneOf(code, CAMERA_CODES)),
  })],
  ["media-offer", (f) => ({
    type: "media-offer",
    id: uint(f.id),
    media: list(f.media, readMediaOffer),
  })],
  ["media-answer", (f) => ({
    type: "media-answer",
    id: uint(f.id),
    media: list(f.media, readMediaAnswer),
  })],
  ["media-applied", (f) => ({ type: "media-applied", id: uint(f.id) })],
  ["owner-request", (f) => ({
    type: "owner-request",
    id: uint(f.id),
    request: readOwnerRequest(f.request),
  })],
  ["owner-reply", readReply],
  ["people-changed", () => ({ type: "people-changed" })],
  ["ping", (f) => ({ type: "ping", id: uint(f.id) })],
  ["pong", (f) => ({ type: "pong", id: uint(f.id) })],
  ["bye", (f) => ({ type: "bye", code: oneOf(f.code, BYE_CODES) })],
]);

function readHello(fields: Fields): ControlMessage {
  return {
    type: "hello",
    name: title(fields.name),
    services: list(fields.services, named),
    cameras: list(fields.cameras, named),
    access: access(fields.access),
    pass: exactBytes(fields.pass, PASS_BYTES),
    ...optional(fields, "audit", auditHead),
  };
}

function readReply(fields: Fields): ControlMessage {
  const common = { type: "owner-reply", id: uint(fields.id) } as const;
  if (fields.error !== undefined) return { ...common, error: oneOf(fields.error, OWNER_ERRORS) };
  return { ...common, reply: readOwnerReply(fields.reply) };
}

function named(value: unknown): Named {
  const fields = record(value);
  return { id: id(fields.id), title: title(fields.title), ...optional(fields, "number", number) };
}

function number(value: unknown): number {
  const found = whole(value, MAX_NUMBER);
  if (found > 0) return found;
  throw unreadable("0 stands for nothing");
}

function access(value: unknown): Access {
  const fields = record(value);
  const role = oneOf(fields.role, ["owner", "guest"]);
  if (role === "owner") return { role };
  return {
    role,
    operations: someOf(fields.operations, OPERATIONS),
    remainingSeconds: seconds(fields.remainingSeconds),
  };
}

function auditHead(value: unknown): { sequence: number; hash: Bytes } {
  const fields = record(value);
  return { sequence: uint(fields.sequence), hash: hash(fields.hash) };
}
