import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FlightNumbers } from "./dtls_flights.ts";
import {
  CONTENT,
  RECORD_HEADROOM,
  RECORD_TAILROOM,
  RecordOpener,
  records,
  RecordSealer,
} from "./dtls_record.ts";

const KEYS = { key: Buffer.alloc(16, 1), salt: Buffer.from([2, 3, 4, 5]) };

/** A record in clear, as werift numbers it. */
function clear(type: number, number: number, body: readonly number[]): Buffer {
  return Buffer.from([type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, number, 0, body.length, ...body]);
}

/** A record as werift's cipher seals it. */
function sealedByWerift(content: Uint8Array, number: number, keys = KEYS): Uint8Array {
  const { length } = content;
  const buffer = new Uint8Array(RECORD_HEADROOM + length + RECORD_TAILROOM);
  buffer.set(content, RECORD_HEADROOM);
  return new RecordSealer(keys, number)
    .seal(CONTENT.HANDSHAKE, { buffer, offset: RECORD_HEADROOM, length })!;
}

function flights(): FlightNumbers {
  const sealing = { keys: KEYS, sealer: new RecordSealer(KEYS) };
  return new FlightNumbers(() => sealing);
}

Deno.test("records in clear keep all but their numbers, which ascend from the first to the last", () => {
  const numbers = flights();
  const hello = clear(22, 2, [1, 2, 3]);
  const fragments = Buffer.concat([clear(22, 3, [4]), clear(22, 3, [5, 6])]); // werift: one number
  const all = [hello, fragments, hello, clear(20, 4, [1])].map((one) => numbers.renew(one));
  const expected = [
    clear(22, 0, [1, 2, 3]),
    Buffer.concat([clear(22, 1, [4]), clear(22, 2, [5, 6])]),
    clear(22, 3, [1, 2, 3]),
    clear(20, 4, [1]),
  ];
  assert.deepEqual(all, expected);
  assert.deepEqual(hello, clear(22, 2, [1, 2, 3]), "werift's own bytes stay");
});

Deno.test("a sealed record is sealed anew each time, with another number and nonce", () => {
  const numbers = flights();
  const finished = Buffer.from("finished");
  const record = sealedByWerift(finished, 8);
  const opener = new RecordOpener(KEYS);
  for (let number = 0; number < 3; number++) {
    const [renewed] = records(numbers.renew(record));
    assert.equal(renewed!.sequenceNumber, number);
    assert.equal(Buffer.from(renewed!.fragment).readUIntBE(2, 6), number, "the explicit nonce");
    assert.deepEqual(opener.open(renewed!), finished);
  }
});

Deno.test("a record that is not our own is not sent", () => {
  const foreign = sealedByWerift(Buffer.from("finished"), 8, { ...KEYS, key: Buffer.alloc(16, 9) });
  assert.throws(() => flights().renew(foreign), /not our own/);
  foreign[4] = 2;
  assert.throws(() => flights().renew(foreign), /epoch is 2/);
});
