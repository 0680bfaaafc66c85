import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeCbor } from "./cbor.ts";
import { BYE_CODES, type ControlMessage } from "./control.ts";
import { decodeControl, encodeControl } from "./control_codec.ts";
import { ProtocolError } from "./errors.ts";
import { MAX_CONTROL_BYTES } from "./limits.ts";

const CODEC = {
  payloadType: 102,
  profileLevelId: "42e01f",
  packetizationMode: 1,
  rtx: 103,
} as const;

const PASS = new Uint8Array(16).fill(1);

const MESSAGES: ControlMessage[] = [
  { type: "confirm", bytes: Uint8Array.of(1, 2, 3) },
  {
    type: "hello",
    name: "Workshop – bench 2",
    services: [{ id: "ui", title: "Controller" }],
    cameras: [{ id: "front", title: "Front gate" }],
    access: { role: "guest", operations: ["view", "operate"], remainingSeconds: 3600 },
    pass: PASS,
  },
  {
    type: "hello",
    name: "Workshop",
    services: [{ id: "ui", title: "Controller", number: 1 }],
    cameras: [{ id: "front", title: "Front gate", number: 65_535 }],
    access: { role: "owner" },
    pass: PASS,
    audit: { sequence: 12, hash: new Uint8Array(32).fill(2) },
  },
  { type: "camera-start", camera: "front" },
  { type: "camera-stop", camera: "front" },
  { type: "camera-ready", camera: "front", profileLevelId: "42e01f" },
  { type: "camera-state", camera: "front", state: "live" },
  { type: "camera-state", camera: "front", state: "waiting", code: "unauthorised" },
  {
    type: "media-offer",
    id: 1,
    media: [{ mid: "1", camera: "front", codecs: [CODEC] }, { mid: "2", camera: null, codecs: [] }],
  },
  {
    type: "media-answer",
    id: 1,
    media: [
      { mid: "1", active: true, codec: CODEC, ssrc: 7, rtxSsrc: 4294967295, cname: "abc" },
      { mid: "2", active: false },
    ],
  },
  { type: "media-applied", id: 1 },
  { type: "ping", id: 0 },
  { type: "pong", id: 4294967295 },
  { type: "people-changed" },
  ...BYE_CODES.map((code) => ({ type: "bye", code }) as const),
];

for (const message of MESSAGES) {
  const bytes = encodeControl(message);

  Deno.test(`control message ${JSON.stringify(message).slice(0, 60)} survives the way through bytes`, () => {
    assert.deepEqual(decodeControl(bytes), message);
  });

  Deno.test(`control message ${JSON.stringify(message).slice(0, 60)} cut at any byte is refused`, () => {
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.throws(() => decodeControl(bytes.slice(0, cut)), ProtocolError, `cut at ${cut}`);
    }
  });
}

const HELLO = {
  type: "hello",
  name: "a",
  services: [],
  cameras: [],
  access: { role: "owner" },
  pass: PASS,
};
const GUEST = { role: "guest", operations: ["view"], remainingSeconds: 1 };

const HOSTILE: [string, unknown][] = [
  ["no map", [1]],
  ["an unknown type", { type: "format-disk" }],
  ["a type of the prototype", { type: "constructor" }],
  ["an address for a camera", { type: "camera-start", camera: "rtsp://10.0.0.1/" }],
  ["a title with a control character", { ...HELLO, name: "a\u001b[2J" }],
  ["a title that is too long", { ...HELLO, name: "a".repeat(129) }],
  ["too many services", {
    ...HELLO,
    services: Array(65).fill({ id: "a", title: "a" }),
  }],
  ["no access", { ...HELLO, access: undefined }],
  ["a role that does not exist", { ...HELLO, access: { role: "root" } }],
  ["a role of the prototype", { ...HELLO, access: { role: "constructor" } }],
  ["a right that does not exist", { ...HELLO, access: { ...GUEST, operations: ["own"] } }],
  ["a right that comes twice", { ...HELLO, access: { ...GUEST, operations: ["view", "view"] } }],
  ["rights that are no list", { ...HELLO, access: { ...GUEST, operations: "view" } }],
  ["time that runs backwards", { ...HELLO, access: { ...GUEST, remainingSeconds: -1 } }],
  ["a pass that is too short", { ...HELLO, pass: PASS.slice(1) }],
  ["a pass that is too long", { ...HELLO, pass: new Uint8Array(17) }],
  ["a pass that is text", { ...HELLO, pass: "1111111111111111" }],
  ["a hash that is too short", { ...HELLO, audit: { sequence: 1, hash: PASS } }],
  ["a thing without a number", { ...HELLO, services: [{ id: "a", title: "a", number: 0 }] }],
  ["a number above 16 bits", { ...HELLO, cameras: [{ id: "a", title: "a", number: 65_536 }] }],
  ["an end that does not exist", { type: "bye", code: "bored" }],
  ["neither reply nor error", { type: "owner-reply", id: 1 }],
  ["an error that does not exist", { type: "owner-reply", id: 1, error: "toString" }],
  ["a request that is no map", { type: "owner-request", id: 1, request: "people" }],
  ["a state that does not exist", { type: "camera-state", camera: "a", state: "dreaming" }],
  ["a negative id", { type: "ping", id: -1 }],
  ["a broken number", { type: "ping", id: 1.5 }],
  ["an id above 32 bits", { type: "pong", id: 2 ** 32 }],
  ["a mid that breaks a line", {
    type: "media-offer",
    id: 1,
    media: [{ mid: "1\r\na=x", camera: null, codecs: [] }],
  }],
  ["a profile that is no profile", {
    type: "camera-ready",
    camera: "a",
    profileLevelId: "42e01f;x",
  }],
  ["a payload type above 127", {
    type: "media-offer",
    id: 1,
    media: [{ mid: "1", camera: null, codecs: [{ ...CODEC, payloadType: 128 }] }],
  }],
  ["bytes that are text", { type: "confirm", bytes: "abc" }],
];

for (const [name, value] of HOSTILE) {
  Deno.test(`control message with ${name} is refused`, () => {
    assert.throws(() => decodeControl(encodeCbor(value)), ProtocolError);
  });
}

Deno.test("a control message above the limit is refused on both sides", () => {
  const bytes = new Uint8Array(MAX_CONTROL_BYTES);
  assert.throws(() => encodeControl({ type: "confirm", bytes }), RangeError);
  assert.throws(() => decodeControl(encodeCbor({ type: "confirm", bytes })), ProtocolError);
});

Deno.test("control reader gives a message or a ProtocolError for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    try {
      decodeControl(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
    }
  }));
});
