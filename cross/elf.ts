/**
 * Just enough of ELF64 (little endian) to put a program beside a runtime: the program headers, and what the kernel makes of
 * them. An executable is mapped page by page, and boards have pages of 4, 16 (Raspberry Pi 5) or 64 KiB: two segments that
 * share a page of 64 KiB can not be given different rights there, or not be loaded at all.
 */

export const PT_LOAD = 1;
export const PT_NOTE = 4;
/** PF_R | PF_X. */
export const READ_EXECUTE = 5;
/** The largest page of an arm64 kernel: what is right for it is right for all. */
export const LARGEST_PAGE = 0x10000;

const HEADER = { entry: 24, table: 32, entrySize: 54, count: 56, bytes: 64 } as const;
const FIELD = {
  type: 0,
  flags: 4,
  offset: 8,
  address: 16,
  physical: 24,
  fileBytes: 32,
  memoryBytes: 40,
  align: 48,
} as const;
const MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1] as const; // "\x7fELF", 64 bits, little endian

/** One program header. Addresses and sizes are below 2^53 in any file that fits on a disk. */
export interface Segment {
  type: number;
  flags: number;
  offset: number;
  address: number;
  fileBytes: number;
  memoryBytes: number;
  align: number;
}

/** Reads and changes the headers of an executable in place. */
export class Elf {
  readonly #view: DataView;
  readonly #table: number;
  readonly #entrySize: number;
  readonly #count: number;

  /** Throws an Error if the bytes are no ELF64 executable, little endian. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    if (bytes.length < HEADER.bytes || MAGIC.some((byte, at) => bytes[at] !== byte)) {
      throw new Error("Cannot read the executable: it is not ELF64, little endian");
    }
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#table = this.#read(HEADER.table);
    this.#entrySize = this.#view.getUint16(HEADER.entrySize, true);
    this.#count = this.#view.getUint16(HEADER.count, true);
    if (this.#table + this.#count * this.#entrySize > bytes.length) {
      throw new Error("Cannot read the executable: its program headers are cut off");
    }
  }

  get entry(): number {
    return this.#read(HEADER.entry);
  }

  set entry(address: number) {
    this.#write(HEADER.entry, address);
  }

  /** In the order of the file. */
  segments(): Segment[] {
    return Array.from({ length: this.#count }, (_, index) => {
      const at = this.#table + index * this.#entrySize;
      return {
        type: this.#view.getUint32(at + FIELD.type, true),
        flags: this.#view.getUint32(at + FIELD.flags, true),
        offset: this.#read(at + FIELD.offset),
        address: this.#read(at + FIELD.address),
        fileBytes: this.#read(at + FIELD.fileBytes),
        memoryBytes: this.#read(at + FIELD.memoryBytes),
        align: this.#read(at + FIELD.align),
      };
    });
  }

  /** Puts a program header in the place of another. */
  replaceSegment(index: number, segment: Segment): void {
    const at = this.#table + index * this.#entrySize;
    this.#view.setUint32(at + FIELD.type, segment.type, true);
    this.#view.setUint32(at + FIELD.flags, segment.flags, true);
    this.#write(at + FIELD.offset, segment.offset);
    this.#write(at + FIELD.address, segment.address);
    this.#write(at + FIELD.physical, segment.address);
    this.#write(at + FIELD.fileBytes, segment.fileBytes);
    this.#write(at + FIELD.memoryBytes, segment.memoryBytes);
    this.#write(at + FIELD.align, segment.align);
  }

  #read(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }

  #write(at: number, value: number): void {
    this.#view.setBigUint64(at, BigInt(value), true);
  }
}

/** The next multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** Pairs of segments that share a page of this size, in words; empty for an executable that loads everywhere. */
export function sharedPages(segments: readonly Segment[], page = LARGEST_PAGE): string[] {
  const loads = segments.filter(({ type, memoryBytes }) => type === PT_LOAD && memoryBytes > 0)
    .toSorted((one, other) => one.address - other.address);
  return loads.flatMap((one, index) => {
    const next = loads[index + 1];
    const lastPage = Math.floor((one.address + one.memoryBytes - 1) / page);
    if (next === undefined || Math.floor(next.address / page) > lastPage) return [];
    return [`0x${one.address.toString(16)} and 0x${next.address.toString(16)}`];
  });
}

/**
 * Rounds the end of the last segment (its .bss) up to a whole page of 64 KiB. `deno compile` of 2.9 puts its own segment
 * behind it at a boundary of 4 KiB, which does not load on kernels with larger pages (denoland/deno#36282): its base is
 * padded before.
 */
export function padLastSegment(elf: Elf): void {
  const segments = elf.segments();
  const end = ({ address, memoryBytes }: Segment) => address + memoryBytes;
  let last = -1;
  segments.forEach((segment, index) => {
    if (segment.type !== PT_LOAD) return;
    if (last < 0 || end(segment) > end(segments[last]!)) last = index;
  });
  const segment = segments[last];
  if (segment === undefined) throw new Error("Cannot pad the executable: nothing of it is loaded");
  const memoryBytes = roundUp(end(segment), LARGEST_PAGE) - segment.address;
  elf.replaceSegment(last, { ...segment, memoryBytes });
}
