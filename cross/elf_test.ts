import assert from "node:assert/strict";
import {
  Elf,
  padLastSegment,
  PT_LOAD,
  PT_NOTE,
  READ_EXECUTE,
  type Segment,
  sharedPages,
} from "./elf.ts";
import { fuse } from "./single_file/fuse.ts";

const HEADER_BYTES = 64;
const ENTRY_BYTES = 56;

const text: Segment = {
  ...{ type: PT_LOAD, flags: READ_EXECUTE, offset: 0, address: 0 },
  ...{ fileBytes: 0x400, memoryBytes: 0x400, align: 0x1000 },
};
const data: Segment = {
  ...{ type: PT_LOAD, flags: 6, offset: 0x400, address: 0x21400 },
  ...{ fileBytes: 0x100, memoryBytes: 0x2345, align: 0x1000 },
};
const note: Segment = {
  ...{ type: PT_NOTE, flags: 4, offset: 0x200, address: 0x200 },
  ...{ fileBytes: 0x20, memoryBytes: 0x20, align: 4 },
};

/** An executable that nothing could run, with these program headers. */
function executable(segments: readonly Segment[], bytes = 0x600): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(bytes);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  view.setBigUint64(24, 0x80n, true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setUint16(54, ENTRY_BYTES, true);
  view.setUint16(56, segments.length, true);
  const elf = new Elf(file);
  segments.forEach((segment, index) => elf.replaceSegment(index, segment));
  return file;
}

Deno.test("program headers are read as they were written", () => {
  const elf = new Elf(executable([text, data, note]));
  assert.deepEqual(elf.segments(), [text, data, note]);
  assert.equal(elf.entry, 0x80);
});

Deno.test("what is no 64-bit executable is refused, cut at every byte", () => {
  const file = executable([text, data], HEADER_BYTES + 2 * ENTRY_BYTES);
  new Elf(file);
  for (let end = 0; end < file.length; end++) {
    assert.throws(() => new Elf(file.slice(0, end)), /^Error: Cannot read the executable/);
  }
  const narrow = file.slice();
  narrow[4] = 1;
  assert.throws(() => new Elf(narrow), /not ELF64/);
});

Deno.test("segments that share a page are named, for the size of page that is asked for", () => {
  const near = { ...data, address: 0x8000 };
  assert.deepEqual(sharedPages([text, near]), ["0x0 and 0x8000"]);
  assert.deepEqual(sharedPages([text, near], 0x4000), []);
  assert.deepEqual(sharedPages([text, data]), []);
  assert.deepEqual(sharedPages([note, text]), [], "a note is not loaded");
});

Deno.test("padding ends the last segment at 64 KiB, so that what follows it shares no page", () => {
  const file = executable([text, data, note]);
  const behind = { ...text, address: 0x24000, memoryBytes: 0x100 };
  assert.deepEqual(sharedPages([text, data, behind]), ["0x21400 and 0x24000"]);
  padLastSegment(new Elf(file));
  const [, padded] = new Elf(file).segments();
  assert.equal(padded!.address + padded!.memoryBytes, 0x30000);
  assert.deepEqual(sharedPages([text, padded!, { ...behind, address: 0x30000 }]), []);
});

const stub = new Uint8Array(100);
stub.set(new TextEncoder().encode("PORTHOLE"));
const program = new TextEncoder().encode("console.log(1);");

Deno.test("a fused file is the runtime, with one segment more that holds everything", () => {
  const runtime = executable([text, data, note]);
  const before = runtime.slice();
  const fused = fuse({ runtime, stub, program, args: ["run", "-A"] });
  assert.deepEqual(runtime, before, "the runtime is left alone");

  const elf = new Elf(fused);
  const segment = elf.segments()[2]!;
  assert.deepEqual(elf.segments().slice(0, 2), [text, data]);
  assert.deepEqual([segment.type, segment.flags], [PT_LOAD, READ_EXECUTE]);
  assert.deepEqual([segment.address, segment.offset], [0x30000, 0x10000]);
  assert.equal(segment.offset + segment.fileBytes, fused.length);
  assert.deepEqual(sharedPages(elf.segments()), []);

  const config = new DataView(fused.buffer, segment.offset);
  const [address, entry, at, bytes, args, count] = Array.from(
    { length: 6 },
    (_, index) => Number(config.getBigUint64(8 + index * 8, true)),
  );
  assert.deepEqual([address, entry, count, bytes], [segment.address, 0x80, 2, program.length]);
  const within = (start: number, length: number) =>
    new TextDecoder().decode(
      fused.subarray(segment.offset + start, segment.offset + start + length),
    );
  assert.equal(within(args!, 7), "run\0-A\0");
  assert.equal(within(at!, bytes!), "console.log(1);");
  assert.equal(elf.entry, segment.address + 56);
});

Deno.test("the same inputs fuse to the same bytes", () => {
  const parts = { runtime: executable([text, data, note]), stub, program, args: ["run"] };
  assert.deepEqual(fuse(parts), fuse(parts));
});

Deno.test("a runtime that is laid out in another way is refused", () => {
  const attempt = (segments: readonly Segment[], first = stub) => () =>
    fuse({ runtime: executable(segments), stub: first, program, args: [] });
  assert.throws(attempt([text, data]), /has no note/);
  assert.throws(attempt([text, note, data]), /follows its note/);
  assert.throws(attempt([text, data, note], new Uint8Array(100)), /does not begin with its config/);
});
