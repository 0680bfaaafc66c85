import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { concat } from "../lib/bytes.ts";
import { AnnexBSplitter, MAX_NAL_BYTES } from "./annexb.ts";

const CODE = Uint8Array.of(0, 0, 0, 1);
const SHORT_CODE = Uint8Array.of(0, 0, 1);
const NALS = [
  Uint8Array.of(0x67, 1, 1, 0, 3),
  Uint8Array.of(0x68),
  Uint8Array.of(0x65, 0, 0, 3, 1),
];

function split(chunks: readonly Uint8Array[]): Uint8Array[] {
  const splitter = new AnnexBSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.flush()];
}

function stream(): Uint8Array {
  return concat(CODE, NALS[0]!, SHORT_CODE, NALS[1]!, CODE, NALS[2]!);
}

Deno.test("a stream is split at long and short start codes", () => {
  deepEqual(split([stream()]), NALS);
});

Deno.test("a stream in two pieces, cut at every byte, gives the same units", () => {
  const bytes = stream();
  for (let cut = 0; cut <= bytes.length; cut++) {
    deepEqual(split([bytes.subarray(0, cut), bytes.subarray(cut)]), NALS, `cut at ${cut}`);
  }
});

Deno.test("a stream byte by byte gives the same units", () => {
  deepEqual(split(Array.from(stream(), (byte) => Uint8Array.of(byte))), NALS);
});

Deno.test("what comes before the first start code and trailing zeros are dropped", () => {
  deepEqual(split([concat(Uint8Array.of(9, 9, 0), stream(), Uint8Array.of(0, 0, 0))]), NALS);
});

Deno.test("a unit is given as soon as the next start code is there", () => {
  const splitter = new AnnexBSplitter();
  equal(splitter.push(concat(CODE, NALS[1]!)).length, 0);
  deepEqual(splitter.push(SHORT_CODE), [NALS[1]]);
});

Deno.test("garbage without a start code costs nothing", () => {
  const splitter = new AnnexBSplitter();
  for (let sent = 0; sent <= 2 * MAX_NAL_BYTES; sent += 65_536) {
    equal(splitter.push(new Uint8Array(65_536).fill(7)).length, 0);
  }
});

Deno.test("a unit above the limit is refused", () => {
  const splitter = new AnnexBSplitter();
  splitter.push(CODE);
  throws(() => {
    for (let sent = 0; sent <= MAX_NAL_BYTES; sent += 65_536) {
      splitter.push(new Uint8Array(65_536).fill(7));
    }
  }, { code: "broken" });
});

Deno.test("any bytes in any pieces give the units of the whole", () => {
  const byte = fc.constantFrom(0, 0, 0, 1, 1, 2, 0x65);
  fc.assert(fc.property(fc.array(fc.array(byte)), (pieces) => {
    const chunks = pieces.map((piece) => Uint8Array.from(piece));
    deepEqual(split(chunks), split([concat(...chunks)]));
  }));
});
