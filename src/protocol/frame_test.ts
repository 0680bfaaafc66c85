import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex, utf8 } from "../lib/bytes.ts";
import { ProtocolError } from "./errors.ts";
import { encodeFrame, type Frame, FrameParser } from "./frame.ts";
import { MAX_CLOSE_REASON_BYTES, MAX_DATA_BYTES, MAX_HEAD_BYTES } from "./limits.ts";

/** One vector, four tests: write, read, cut, byte by byte. */
const VECTORS: { name: string; frame: Frame; hex: string }[] = [
  { name: "OPEN", frame: { type: "open", id: 1, head: utf8("ab") }, hex: "01000002 00000001 6162" },
  { name: "HEAD", frame: { type: "head", id: 258, head: utf8("c") }, hex: "02000001 00000102 63" },
  {
    name: "DATA of a body",
    frame: { type: "data", id: 2, bytes: utf8("xyz"), text: false, last: false },
    hex: "03000003 00000002 78797a",
  },
  {
    name: "DATA of an empty text message",
    frame: { type: "data", id: 3, bytes: utf8(""), text: true, last: true },
    hex: "03030000 00000003",
  },
  {
    name: "CREDIT for the connection",
    frame: { type: "credit", id: 0, bytes: 65536 },
    hex: "04000004 00000000 00010000",
  },
  {
    name: "END of a body of 2^32 + 1 bytes",
    frame: { type: "end", id: 4, total: 4294967297 },
    hex: "05000008 00000004 0000000100000001",
  },
  {
    name: "END of a WebSocket",
    frame: { type: "end", id: 5, total: 0, close: { code: 1000, reason: "ok" } },
    hex: "0500000c 00000005 0000000000000000 03e8 6f6b",
  },
  {
    name: "RESET",
    frame: { type: "reset", id: 4294967295, code: 5 },
    hex: "06000002 ffffffff 0005",
  },
];

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return fromHex(hex.replaceAll(" ", ""));
}

function readAll(parser: FrameParser): Frame[] {
  const frames: Frame[] = [];
  for (let frame = parser.next(); frame !== undefined; frame = parser.next()) frames.push(frame);
  return frames;
}

for (const { name, frame, hex } of VECTORS) {
  Deno.test(`frame ${name} has exactly these bytes`, () => {
    assert.equal(toHex(encodeFrame(frame)), hex.replaceAll(" ", ""));
  });

  Deno.test(`frame ${name} is read from exactly these bytes`, () => {
    const parser = new FrameParser();
    parser.push(bytesOf(hex));
    assert.deepEqual(readAll(parser), [frame]);
  });

  Deno.test(`frame ${name} cut at any byte waits for the rest and is then whole`, () => {
    const bytes = bytesOf(hex);
    for (let cut = 0; cut < bytes.length; cut++) {
      const parser = new FrameParser();
      parser.push(bytes.slice(0, cut));
      assert.deepEqual(readAll(parser), []);
      parser.push(bytes.slice(cut));
      assert.deepEqual(readAll(parser), [frame]);
    }
  });
}

Deno.test("all frames in one message, and byte by byte, are the same frames", () => {
  const whole = bytesOf(VECTORS.map(({ hex }) => hex).join(""));
  const expected = VECTORS.map(({ frame }) => frame);
  const atOnce = new FrameParser();
  atOnce.push(whole);
  assert.deepEqual(readAll(atOnce), expected);
  const slowly = new FrameParser();
  const frames: Frame[] = [];
  for (const byte of whole) {
    slowly.push(Uint8Array.of(byte));
    frames.push(...readAll(slowly));
  }
  assert.deepEqual(frames, expected);
});

const HOSTILE: { name: string; hex: string; message: RegExp }[] = [
  { name: "type 0", hex: "00000000 00000001", message: /unknown type 0/ },
  { name: "type 7", hex: "07000000 00000001", message: /unknown type 7/ },
  { name: "flags on OPEN", hex: "01010001 00000001 00", message: /unknown flags 1/ },
  { name: "an unknown flag on DATA", hex: "03040000 00000001", message: /unknown flags 4/ },
  { name: "an empty OPEN", hex: "01000000 00000001", message: /payload of 0 bytes/ },
  { name: "DATA above the limit", hex: "03004001 00000001", message: /payload of 16385 bytes/ },
  { name: "OPEN above the limit", hex: "01008001 00000001", message: /payload of 32769 bytes/ },
  { name: "CREDIT of three bytes", hex: "04000003 00000001 000001", message: /payload of 3 bytes/ },
  { name: "CREDIT of nothing", hex: "04000004 00000001 00000000", message: /grants nothing/ },
  { name: "END without a total", hex: "05000007 00000001 00000000000000", message: /payload of 7/ },
  {
    name: "END with half a code",
    hex: "05000009 00000001 0000000000000000 03",
    message: /half a close code/,
  },
  { name: "END above 2^53", hex: "05000008 00000001 ffffffffffffffff", message: /above 2\^53/ },
  {
    name: "END whose reason is no UTF-8",
    hex: "0500000b 00000001 0000000000000000 03e8 ff",
    message: /not UTF-8/,
  },
  { name: "DATA on stream 0", hex: "03000000 00000000", message: /stream 0 takes only CREDIT/ },
];

for (const { name, hex, message } of HOSTILE) {
  Deno.test(`frame parser refuses ${name}`, () => {
    const parser = new FrameParser();
    parser.push(bytesOf(hex));
    assert.throws(
      () => readAll(parser),
      (error) => error instanceof ProtocolError && message.test(error.message),
    );
  });
}

Deno.test("frame parser refuses a length above the limit before the payload is there", () => {
  const parser = new FrameParser();
  parser.push(bytesOf("0300ffff 00000001"));
  assert.throws(() => parser.next(), ProtocolError);
});

Deno.test("frame parser gives frames or a ProtocolError for any bytes, and nothing else", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const parser = new FrameParser();
    parser.push(new Uint8Array(bytes));
    try {
      for (const frame of readAll(parser)) assert.ok(frame.id <= 0xffffffff);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
    }
  }));
});

Deno.test("encoding refuses payloads that no peer would take", () => {
  const data = { type: "data", id: 1, text: false, last: false } as const;
  assert.throws(
    () => encodeFrame({ ...data, bytes: new Uint8Array(MAX_DATA_BYTES + 1) }),
    RangeError,
  );
  const head = new Uint8Array(MAX_HEAD_BYTES + 1);
  assert.throws(() => encodeFrame({ type: "head", id: 1, head }), RangeError);
});

Deno.test("a close reason that is too long is cut between characters", () => {
  const reason = "é".repeat(MAX_CLOSE_REASON_BYTES);
  const parser = new FrameParser();
  parser.push(encodeFrame({ type: "end", id: 1, total: 0, close: { code: 4000, reason } }));
  const frame = parser.next();
  assert.ok(frame?.type === "end");
  assert.equal(frame.close?.reason, "é".repeat(61)); // 61 x 2 = 122 of 123 bytes
});
