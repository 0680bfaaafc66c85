import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { HANDSHAKE, HandshakeReader } from "./dtls_handshake.ts";

/** One fragment of a message, as it is on the wire. */
function fragment(
  type: number,
  sequence: number,
  { body, from = 0, to = body.length }: { body: Buffer; from?: number; to?: number },
): Buffer {
  const header = Buffer.alloc(12);
  header[0] = type;
  header.writeUIntBE(body.length, 1, 3);
  header.writeUInt16BE(sequence, 4);
  header.writeUIntBE(from, 6, 3);
  header.writeUIntBE(to - from, 9, 3);
  return Buffer.concat([header, body.subarray(from, to)]);
}

const BODY = Buffer.from("0123456789");

/** What a client says, and in which epoch. */
const CLIENT: readonly (readonly [number, number])[] = [
  [HANDSHAKE.CLIENT_HELLO, 0],
  [HANDSHAKE.CERTIFICATE, 0],
  [HANDSHAKE.CLIENT_KEY_EXCHANGE, 0],
  [HANDSHAKE.CERTIFICATE_VERIFY, 0],
  [HANDSHAKE.FINISHED, 1],
];

function typesOf(messages: readonly { readonly msg_type: number }[]): number[] {
  return messages.map(({ msg_type }) => msg_type);
}

/** A reader that has taken so many messages of a client. */
function readerAfter(count: number): HandshakeReader {
  const reader = new HandshakeReader("server");
  CLIENT.slice(0, count).forEach(([type, epoch], sequence) => {
    assert.equal(reader.take(fragment(type, sequence, { body: BODY }), epoch).length, 1);
  });
  return reader;
}

Deno.test("a client's messages come out in order, as they stand in the transcript", () => {
  const reader = readerAfter(CLIENT.length);
  assert.deepEqual(typesOf(reader.taken), CLIENT.map(([type]) => type));
  assert.deepEqual(reader.taken[2]!.serialize(), fragment(16, 2, { body: BODY }));
  assert.equal(reader.refused, 0);
});

Deno.test("a server's messages may leave out the cookie and the request for a certificate", () => {
  for (
    const types of [[3, 2, 11, 12, 13, 14, 20], [3, 2, 11, 12, 14, 20], [2, 11, 12, 14, 20]]
  ) {
    const reader = new HandshakeReader("client");
    types.forEach((type, sequence) =>
      reader.take(fragment(type, sequence, { body: BODY }), type === 20 ? 1 : 0)
    );
    assert.deepEqual(typesOf(reader.taken), types);
  }
});

Deno.test("no message is taken out of its place, twice, or in the wrong epoch", () => {
  for (let count = 0; count < CLIENT.length; count++) {
    for (const type of [0, 1, 2, 3, 4, 11, 12, 13, 14, 15, 16, 20, 255]) {
      for (const epoch of [0, 1]) {
        const [right, rightEpoch] = CLIENT[count]!;
        if (type === right && epoch === rightEpoch) continue;
        const reader = readerAfter(count);
        assert.deepEqual(reader.take(fragment(type, count, { body: BODY }), epoch), []);
        assert.equal(reader.taken.length, count);
        assert.equal(reader.take(fragment(right, count, { body: BODY }), rightEpoch).length, 1);
      }
    }
  }
});

Deno.test("a second key exchange is not taken, wherever it comes", () => {
  const other = Buffer.from("of somebody else");
  for (let count = 3; count <= CLIENT.length; count++) {
    for (let sequence = 0; sequence < 8; sequence++) {
      const reader = readerAfter(count);
      assert.deepEqual(reader.take(fragment(16, sequence, { body: other }), 0), []);
    }
  }
});

Deno.test("fragments in any order and overlap make one message", () => {
  fc.assert(fc.property(
    fc.shuffledSubarray([[0, 4], [2, 7], [6, 10], [0, 10], [9, 10]], {
      minLength: 3,
      maxLength: 5,
    }),
    (cuts) => {
      const reader = new HandshakeReader("server");
      const here = new Set<number>();
      let came = 0;
      for (const [from, to] of cuts as [number, number][]) {
        const whole = here.size === BODY.length;
        for (let at = from; at < to; at++) here.add(at);
        const ready = reader.take(fragment(1, 0, { body: BODY, from, to }), 0);
        if (!whole) came += ready.length;
        for (const { fragment } of ready) assert.deepEqual(fragment, BODY);
      }
      assert.equal(came, here.size === BODY.length ? 1 : 0);
    },
  ));
});

Deno.test("messages that come early wait for their turn, in one record or in several", () => {
  const reader = new HandshakeReader("server");
  assert.deepEqual(reader.take(fragment(16, 2, { body: BODY }), 0), []);
  assert.deepEqual(reader.take(fragment(11, 1, { body: BODY }), 0), []);
  assert.deepEqual(typesOf(reader.take(fragment(1, 0, { body: BODY }), 0)), [1, 11, 16]);
});

Deno.test("the same hello once more is given out again, another one is not", () => {
  const reader = readerAfter(1);
  assert.deepEqual(typesOf(reader.take(fragment(1, 0, { body: BODY }), 0)), [1]);
  assert.deepEqual(reader.take(fragment(1, 0, { body: Buffer.from("9876543210") }), 0), []);
  assert.deepEqual(readerAfter(2).take(fragment(1, 0, { body: BODY }), 0), []);
});

Deno.test("huge, far and cut fragments are dropped, and keep no memory", () => {
  const reader = new HandshakeReader("server");
  const huge = Buffer.alloc(12);
  huge[0] = 1;
  huge.writeUIntBE(0xffffff, 1, 3);
  assert.deepEqual(reader.take(huge, 0), []);
  assert.deepEqual(reader.take(fragment(1, 9, { body: BODY }), 0), []);
  assert.equal(reader.refused, 2);
  const whole = fragment(1, 0, { body: BODY });
  for (let length = 0; length < whole.length; length++) {
    assert.deepEqual(reader.take(whole.subarray(0, length), 0), []);
  }
  const outside = fragment(1, 0, { body: BODY, from: 5 });
  outside.writeUIntBE(6, 6, 3);
  assert.deepEqual(reader.take(outside, 0), []);
  assert.equal(reader.take(whole, 0).length, 1);
});

Deno.test("any content is taken without a throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, sealed) => {
    new HandshakeReader("server").take(bytes, sealed ? 1 : 0);
    new HandshakeReader("client").take(bytes, sealed ? 1 : 0);
  }));
});
