import { deepEqual, equal, throws } from "node:assert/strict";
import { concat, fromHex } from "../lib/bytes.ts";
import { MAX_UNIT_NALS, UnitAssembler } from "./access_unit.ts";
import { AnnexBSplitter } from "./annexb.ts";

function assemble(nals: readonly string[]): number[] {
  const assembler = new UnitAssembler();
  const units = nals.map((nal) => assembler.push(fromHex(nal), 0));
  return [...units, assembler.flush(0)].flatMap((unit) =>
    unit === undefined ? [] : unit.nals.length
  );
}

Deno.test("a unit ends where the next picture, or what belongs in front of it, begins", () => {
  deepEqual(assemble(["6742", "68ce", "6588", "6180", "6180"]), [3, 1, 1]);
  deepEqual(assemble(["6588", "6540", "6180", "6140"]), [2, 2], "slices");
  deepEqual(assemble(["09f0", "6588", "09f0", "0605", "6180"]), [2, 3], "delimiter and SEI");
  deepEqual(assemble(["6588", "0c00", "6742", "68ce", "6588"]), [2, 3], "filler stays behind");
});

Deno.test("units without a picture are not given", () => {
  deepEqual(assemble(["6742", "68ce"]), []);
});

Deno.test("key frames are told apart", () => {
  const assembler = new UnitAssembler();
  assembler.push(fromHex("6588"), 0);
  equal(assembler.push(fromHex("6180"), 7)?.keyFrame, true);
  equal(assembler.flush(9)?.keyFrame, false);
});

Deno.test("the first bytes of the next picture complete a unit", () => {
  const splitter = new AnnexBSplitter();
  const assembler = new UnitAssembler();
  const code = Uint8Array.of(0, 0, 1);
  for (const nal of splitter.push(concat(code, fromHex("6588"), code))) assembler.push(nal, 0);
  equal(assembler.announce(splitter.begun, 0), undefined);
  splitter.push(fromHex("61"));
  equal(assembler.announce(splitter.begun, 0), undefined, "it may be a slice of the same picture");
  splitter.push(fromHex("9a"));
  equal(assembler.announce(splitter.begun, 5)?.timestamp, 5);
  equal(assembler.announce(splitter.begun, 5), undefined, "once");
});

Deno.test("a picture above the limit is refused", () => {
  const assembler = new UnitAssembler();
  throws(() => {
    for (let i = 0; i <= MAX_UNIT_NALS; i++) assembler.push(fromHex("6540"), 0);
  }, { code: "broken" });
});
