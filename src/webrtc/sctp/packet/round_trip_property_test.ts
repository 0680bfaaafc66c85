/** Properties of the parsers: what is written is read, wherever it stands and whatever is behind it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CookieJar } from "../cookie.ts";
import { packetOf, sack } from "../test_parts.ts";
import * as chunk from "./chunk.ts";
import { isPacket, verificationTag } from "./common_header.ts";
import { DATA_HEADER_BYTES, readData, writeDataHeader } from "./data_chunk.ts";
import { makeError, readCauses } from "./error_chunk.ts";
import { makeInitBody, readInit } from "./init_chunk.ts";
import { makeParameters, readParameters } from "./parameters.ts";
import { denyReconfig } from "./reconfig_chunk.ts";
import { tsnPlus } from "./serial.ts";
import { ReceivedSack } from "./sack_chunk.ts";
import { padded } from "./words.ts";

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const bytes = fc.uint8Array({ maxLength: 40 });
const PLAIN = { noNullPrototype: true };
const parameter = fc.record({ type: u16, value: bytes }, PLAIN);
const INIT_FIELDS = {
  tag: u32,
  window: u32,
  outboundStreams: u16,
  inboundStreams: u16,
  initialTsn: u32,
};

/** The chunk in the middle of others' bytes, and the walk that stands on it. */
function between(before: Uint8Array, one: Uint8Array, behind: Uint8Array) {
  const buffer = new Uint8Array(before.length + padded(one.length) + behind.length);
  buffer.set(before);
  buffer.set(one, before.length);
  buffer.set(behind, before.length + padded(one.length));
  const walk = new chunk.ChunkWalk();
  walk.start(buffer, before.length);
  assert(walk.next());
  return { buffer, walk };
}

Deno.test("DATA is read as it was written, whatever stands around it (RFC 9260 3.3.1)", () => {
  const header = fc.record({ tsn: u32, flags: fc.nat(15), streamId: u16, ssn: u16, protocol: u32 });
  fc.assert(fc.property(bytes, header, bytes, bytes, (before, content, user, behind) => {
    const one = new Uint8Array(DATA_HEADER_BYTES + user.length + 3);
    writeDataHeader(one, 0, content, user.length);
    one.set(user, DATA_HEADER_BYTES);
    const { buffer, walk } = between(before, one.slice(0, DATA_HEADER_BYTES + user.length), behind);
    assert.deepEqual(readData(buffer, walk), { ...content, bytes: user });
  }));
});

Deno.test("SACK is read as it was written, over the wrap of TSNs (3.3.4)", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.nat(200)), {
    maxLength: 50,
  });
  fc.assert(
    fc.property(u32, u32, steps, fc.array(u32, { maxLength: 20 }), (tsn, window, steps, twice) => {
      let at = 0;
      const offsets = steps.map(([gap, length]) => {
        const first = at + gap + 1;
        at = first + length;
        return { first, last: at };
      });
      const ranges = offsets.map(({ first, last }) => ({
        first: tsnPlus(tsn, first),
        last: tsnPlus(tsn, last),
      }));
      const one = sack({ cumulativeTsn: tsn, window, ranges, duplicates: twice });
      const { buffer, walk } = between(new Uint8Array(12), one, new Uint8Array(4));
      const read = new ReceivedSack();
      assert(read.read(buffer, walk));
      assert.deepEqual([read.cumulativeTsn, read.window], [tsn, window]);
      assert.equal(read.duplicates, twice.length);
      const found = offsets.map((_, i) => ({ first: read.gapStart(i), last: read.gapEnd(i) }));
      assert.deepEqual(found, offsets);
    }),
  );
});

Deno.test("a SACK whose counts do not fit its length is none, whichever they are (3.3.4)", () => {
  fc.assert(fc.property(u16, u16, fc.nat(30), (gaps, duplicates, words) => {
    const body = new Uint8Array(12 + 4 * words);
    new DataView(body.buffer).setUint16(8, gaps);
    new DataView(body.buffer).setUint16(10, duplicates);
    const one = chunk.makeChunk(chunk.SACK, 0, body);
    const { buffer, walk } = between(new Uint8Array(12), one, new Uint8Array(400_000));
    assert.equal(new ReceivedSack().read(buffer, walk), gaps + duplicates === words);
  }));
});

Deno.test("INIT and INIT ACK are read as they were written (3.3.2, 3.3.3)", () => {
  fc.assert(
    fc.property(
      fc.record(INIT_FIELDS, PLAIN),
      fc.option(bytes),
      bytes,
      (content, cookie, behind) => {
        const answer = cookie === null ? undefined : { cookie, unrecognized: [] };
        const type = answer === undefined ? chunk.INIT : chunk.INIT_ACK;
        const one = chunk.makeChunk(type, 0, makeInitBody(content, answer));
        const { buffer, walk } = between(new Uint8Array(12), one, behind);
        const { cookie: read, unrecognized, hasHostName, ...fixed } = readInit(buffer, walk)!;
        assert.deepEqual(fixed, content);
        assert.deepEqual(read, cookie ?? undefined);
        assert.deepEqual([unrecognized, hasHostName], [[], false]);
      },
    ),
  );
});

Deno.test("parameters are read as they were written, and cut anywhere not beyond the cut (3.2.1)", () => {
  fc.assert(fc.property(fc.array(parameter, { maxLength: 20 }), fc.nat(), (parameters, seed) => {
    const whole = makeParameters(parameters);
    assert.deepEqual(readParameters(whole, 0, whole.length), parameters);
    assert.deepEqual(
      readCauses(makeError(parameters), {
        type: chunk.ERROR,
        flags: 0,
        at: 0,
        end: 4 + whole.length,
      }),
      parameters,
    );
    const end = seed % (whole.length + 1);
    const read = readParameters(whole, 0, end) ?? [];
    assert.deepEqual(read, parameters.slice(0, read.length));
  }));
});

Deno.test("sound chunks with any one byte changed are read or refused, and never throw", () => {
  const fields = fc.record(INIT_FIELDS, PLAIN);
  const sound = fc.oneof(
    fields.map((content) => chunk.makeChunk(chunk.INIT, 0, makeInitBody(content))),
    fc.record({ content: fields, cookie: bytes }).map(({ content, cookie }) =>
      chunk.makeChunk(chunk.INIT_ACK, 0, makeInitBody(content, { cookie, unrecognized: [] }))
    ),
    fc.array(parameter, { maxLength: 5 }).map(makeError),
    fc.array(parameter, { maxLength: 5 }).map((all) =>
      chunk.makeChunk(chunk.RE_CONFIG, 0, makeParameters(all))
    ),
    fc.tuple(u32, fc.array(u32)).map(([cumulativeTsn, duplicates]) =>
      sack({ cumulativeTsn, duplicates })
    ),
  );
  fc.assert(fc.property(sound, fc.nat(), fc.nat(255), (one, place, value) => {
    const changed = one.slice();
    changed[place % changed.length] = value;
    const walk = new chunk.ChunkWalk();
    walk.start(changed, 0);
    while (walk.next()) {
      assert(walk.end <= changed.length);
      readData(changed, walk);
      const init = readInit(changed, walk);
      assert((init?.cookie?.length ?? 0) <= changed.length);
      readCauses(changed, walk);
      const denial = denyReconfig(changed, walk);
      assert((denial?.length ?? 0) <= 28, "two answers at most (RFC 6525 3.1)");
      const read = new ReceivedSack();
      if (read.read(changed, walk)) {
        for (let i = 0; i < read.gaps; i++) assert(read.gapStart(i) + read.gapEnd(i) >= 0);
      }
    }
  }));
});

Deno.test("only whole packets with a right checksum are packets (6.8)", () => {
  const body = fc.uint8Array({ minLength: 4, maxLength: 40 });
  fc.assert(
    fc.property(u32, body, fc.nat(), fc.integer({ min: 1, max: 255 }), (tag, body, at, flip) => {
      const packet = packetOf(tag, body);
      assert(isPacket(packet));
      assert.equal(verificationTag(packet), tag);
      const changed = packet.slice();
      changed[at % changed.length]! ^= flip;
      assert(!isPacket(changed));
      assert(!isPacket(packet.subarray(0, at % packet.length)));
    }),
  );
});

Deno.test("a cookie gives back what was baked, to its own jar alone and unchanged alone (5.1.3)", () => {
  let seed = 0;
  const random = () => seed++;
  const [jar, other] = [new CookieJar(random), new CookieJar(random)];
  const content = fc.record({
    createdAt: fc.double({ noNaN: true }),
    localTag: u32,
    peer: fc.record(INIT_FIELDS, PLAIN),
    tieLocalTag: u32,
    tiePeerTag: u32,
  }, PLAIN);
  fc.assert(fc.property(content, fc.nat(), bytes, (baked, at, noise) => {
    const cookie = jar.bake(baked);
    assert.deepEqual(jar.open(cookie), baked);
    assert.equal(other.open(cookie), undefined);
    const changed = cookie.slice();
    changed[at % cookie.length]! ^= 0x10;
    assert.equal(jar.open(changed), undefined);
    assert.equal(jar.open(cookie.subarray(0, at % cookie.length)), undefined);
    assert.equal(jar.open(noise), undefined);
  }));
});
