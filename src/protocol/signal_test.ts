import assert from "node:assert/strict";
import fc from "fast-check";
import { fromBase64Url, toBase64Url, toHex } from "../lib/bytes.ts";
import {
  MAX_PRESENCE_BYTES,
  MAX_SEALED_BYTES,
  MAX_SIGNAL_LENGTH,
  parseFromBrowser,
  parseFromDevice,
  parseToBrowser,
  parseToDevice,
  registrationText,
} from "./signal.ts";

const DEVICE = "abcdefghijklmnopqrstuvwxyz";
const TURN = { urls: "turn:relay.example:3478?transport=udp", username: "1:x", credential: "s=" };
const bytes = (length: number, fill = 7) => toBase64Url(new Uint8Array(length).fill(fill));

const TABLE = [
  [parseToDevice, { type: "challenge", nonce: bytes(32) }],
  [parseToDevice, {
    type: "registered",
    iceServers: [TURN, { urls: "stun:[::1]:3478" }],
    shell: "https://meet.example.org:8443",
  }],
  [parseToDevice, { type: "ice-servers", iceServers: [] }],
  [parseToDevice, { type: "deliver", peer: 1, sealed: bytes(MAX_SEALED_BYTES) }],
  [parseToDevice, { type: "gone", peer: Number.MAX_SAFE_INTEGER }],
  [parseToDevice, { type: "refused", code: "already_registered" }],
  [parseFromDevice, {
    type: "register",
    key: bytes(32),
    signature: bytes(64),
    presence: bytes(MAX_PRESENCE_BYTES),
  }],
  [parseFromDevice, { type: "presence", presence: bytes(1) }],
  [parseFromDevice, { type: "people", tags: bytes(16) }],
  [parseFromDevice, { type: "send", peer: 3, sealed: bytes(2) }],
  [parseToBrowser, { type: "found", device: DEVICE, presence: bytes(9), iceServers: [TURN] }],
  [parseToBrowser, { type: "absent", device: DEVICE }],
  [parseToBrowser, { type: "deliver", device: DEVICE, sealed: bytes(3) }],
  [parseToBrowser, { type: "refused", code: "too_many" }],
  [parseFromBrowser, { type: "find", device: DEVICE }],
  [parseFromBrowser, { type: "send", device: DEVICE, sealed: bytes(100) }],
] as const;

const PARSERS = [parseToDevice, parseFromDevice, parseToBrowser, parseFromBrowser];

for (const [parse, message] of TABLE) {
  const text = JSON.stringify(message);

  Deno.test(`signal message ${parse.name} ${message.type} is read as it was written`, () => {
    assert.deepEqual(parse(text), message);
  });

  Deno.test(`signal message ${parse.name} ${message.type} is refused cut at every byte`, () => {
    for (let end = 0; end < text.length; end++) {
      assert.equal(parse(text.slice(0, end)), undefined);
    }
  });

  Deno.test(`signal message ${parse.name} ${message.type} is refused with a field more or less`, () => {
    assert.equal(parse(JSON.stringify({ ...message, extra: 1 })), undefined);
    assert.equal(parse(text.replace("{", '{"__proto__":{},')), undefined);
    for (const name of Object.keys(message)) {
      const rest = Object.fromEntries(Object.entries(message).filter(([key]) => key !== name));
      assert.equal(parse(JSON.stringify(rest)), undefined);
    }
  });

  Deno.test(`signal message ${parse.name} ${message.type} is refused with a field of another type`, () => {
    for (const name of Object.keys(message)) {
      for (const value of [null, true, -1, 1.5, 0, "", "\u0000", [[]], {}, "x y"]) {
        assert.equal(parse(JSON.stringify({ ...message, [name]: value })), undefined);
      }
    }
  });
}

Deno.test("signal messages refuse byte strings of a wrong length", () => {
  const sealed = bytes(MAX_SEALED_BYTES + 1);
  assert.equal(
    parseFromBrowser(JSON.stringify({ type: "send", device: DEVICE, sealed })),
    undefined,
  );
  for (const length of [0, 31, 33]) {
    const text = JSON.stringify({ type: "challenge", nonce: bytes(length) });
    assert.equal(parseToDevice(text), undefined);
  }
});

Deno.test("signal messages take whole short tags, and no more than 1024", () => {
  const counts = [0, 7, 8, 9, 16, 8 * 1024 - 1, 8 * 1024, 8 * 1025];
  const taken = counts.filter((count) =>
    parseFromDevice(JSON.stringify({ type: "people", tags: bytes(count) })) !== undefined
  );
  assert.deepEqual(taken, [8, 16, 8 * 1024]);
});

Deno.test("signal messages take exactly the base64url that the byte reader takes", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."AQghw04_-+=/é"), maxLength: 9 }),
      (sealed) => {
        const read = parseFromDevice(JSON.stringify({ type: "send", peer: 1, sealed }));
        let canonical = sealed.length > 0;
        try {
          fromBase64Url(sealed);
        } catch {
          canonical = false; // the oracle says no
        }
        assert.equal(read !== undefined, canonical);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("signal messages refuse ICE servers beyond the limits or of another scheme", () => {
  const read = (iceServers: unknown) =>
    parseToDevice(JSON.stringify({ type: "registered", iceServers, shell: "http://a" }));
  assert.ok(read(Array(8).fill(TURN)));
  assert.equal(read(Array(9).fill(TURN)), undefined);
  for (
    const urls of [
      "http://x",
      "turn:",
      "stun:a b",
      "turn:a?transport=sctp",
      "stun:" + "a".repeat(300),
    ]
  ) {
    assert.equal(read([{ urls }]), undefined);
  }
  assert.equal(read([{ ...TURN, username: "u".repeat(257) }]), undefined);
  assert.equal(read([{ ...TURN, password: "p" }]), undefined);
});

Deno.test("signal messages above the size limit are refused before they are read", () => {
  const message = JSON.stringify({ type: "find", device: DEVICE });
  assert.ok(parseFromBrowser(message.padEnd(MAX_SIGNAL_LENGTH)));
  assert.equal(parseFromBrowser(message.padEnd(MAX_SIGNAL_LENGTH + 1)), undefined);
});

Deno.test("signal parsers never throw", () => {
  const values = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom("[".repeat(8000), '{"type":"toString"}'),
  );
  fc.assert(fc.property(values, (text) => {
    for (const parse of PARSERS) assert.equal(parse(text), undefined);
  }));
});

Deno.test("registration text is the domain, the nonce and the key", () => {
  const text = registrationText(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
  const domain = "706f7274686f6c652f72656769737465722f7631"; // "porthole/register/v1"
  assert.equal(toHex(text), domain + "01".repeat(32) + "02".repeat(32));
});
