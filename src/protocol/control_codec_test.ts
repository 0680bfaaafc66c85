import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeCbor } from "./cbor.ts";
import type { ControlMessage } from "./control.ts";
import { decodeControl, encodeControl } from "./control_codec.ts";
import { ProtocolError } from "./errors.ts";
import { MAX_CONTROL_BYTES } from "./limits.ts";

const CODEC = {
  payloadType: 102,
  profileLevelId: "42e01f",
  packetizationMode: 1,
  rtx: 103,
} as const;

const MESSAGES: ControlMessage[] = [
  { type: "confirm", bytes: Uint8Array.of(1, 2, 3) },
  {
    type: "hello",
    name: "Workshop – bench 2",
    services: [{ id: "ui", title: "Controller" }],
    cameras: [{ id: "front", title: "Front gate" }],
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
  { type: "bye", code: "shutdown" },
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

const HOSTILE: [string, unknown][] = [
  ["no map", [1]],
  ["an unknown type", { type: "format-disk" }],
  ["a type of the prototype", { type: "constructor" }],
  ["an address for a camera", { type: "camera-start", camera: "rtsp://10.0.0.1/" }],
  ["a title with a control character", {
    type: "hello",
    name: "a\u001b[2J",
    services: [],
    cameras: [],
  }],
  ["a title that is too long", { type: "hello", name: "a".repeat(129), services: [], cameras: [] }],
  ["too many services", {
    type: "hello",
    name: "a",
    services: Array(65).fill({ id: "a", title: "a" }),
    cameras: [],
  }],
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
