/**
 * The single-file method: puts a stub, a program and Deno's arguments into a copy of the Deno executable, so that running the
 * result is running `deno ARGUMENTS PROGRAM <what was typed>`. Nothing is unpacked and there is no second file. The runtime's
 * note (its build id) gives its program header to one more segment that holds all three:
 *
 *     the runtime as it is | up to 64 KiB | config, stub | arguments | program
 *
 * `strip` destroys the result, as it does that of `deno compile`. A runtime that is laid out in another way is refused.
 */
import {
  Elf,
  LARGEST_PAGE,
  PT_LOAD,
  PT_NOTE,
  READ_EXECUTE,
  roundUp,
  type Segment,
} from "../elf.ts";

export interface Fusion {
  readonly runtime: Uint8Array;
  /** As `stub.ts` makes it. */
  readonly stub: Uint8Array;
  readonly program: Uint8Array;
  /** What stands between `deno` and the program's path. */
  readonly args: readonly string[];
}

/** Bytes of `struct config` (stub.c): the entry is right behind. */
const CONFIG_BYTES = 56;
const MAGIC = "PORTHOLE";
/** Boundary of the program in the segment. */
const PROGRAM_ALIGN = 16;

/** The bytes of the executable. Throws an Error if the runtime cannot be fused. */
export function fuse({ runtime, stub, program, args }: Fusion): Uint8Array<ArrayBuffer> {
  if (new TextDecoder("latin1").decode(stub.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new Error("Cannot fuse: the stub does not begin with its config");
  }
  const headers = new Elf(runtime.slice());
  const { note, address } = place(headers.segments());
  const typed = new TextEncoder().encode(args.map((arg) => `${arg}\0`).join(""));
  const programAt = roundUp(stub.length + typed.length, PROGRAM_ALIGN);
  const offset = roundUp(runtime.length, LARGEST_PAGE);
  const bytes = programAt + program.length;

  const fused = new Uint8Array(offset + bytes);
  fused.set(runtime);
  fused.set(stub, offset);
  fused.set(typed, offset + stub.length);
  fused.set(program, offset + programAt);
  const elf = new Elf(fused);
  const config = [address, elf.entry, programAt, program.length, stub.length, args.length];
  const view = new DataView(fused.buffer, offset + MAGIC.length);
  config.forEach((value, index) => view.setBigUint64(index * 8, BigInt(value), true));
  elf.replaceSegment(note, {
    type: PT_LOAD,
    flags: READ_EXECUTE,
    ...{ offset, address, fileBytes: bytes, memoryBytes: bytes, align: LARGEST_PAGE },
  });
  elf.entry = address + CONFIG_BYTES;
  return fused;
}

/** Which header becomes ours, and the first free address for what it describes. */
function place(segments: readonly Segment[]): { note: number; address: number } {
  const note = segments.findIndex(({ type }) => type === PT_NOTE);
  if (note < 0) throw new Error("Cannot fuse: the runtime has no note whose place could be taken");
  const loads = segments.filter(({ type }) => type === PT_LOAD);
  if (segments.slice(note).some(({ type }) => type === PT_LOAD)) {
    throw new Error(
      "Cannot fuse: a segment of the runtime follows its note; they must stay in order",
    );
  }
  const end = Math.max(...loads.map(({ address, memoryBytes }) => address + memoryBytes));
  return { note, address: roundUp(end, LARGEST_PAGE) };
}
