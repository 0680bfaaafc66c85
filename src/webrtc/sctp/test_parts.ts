/**
 * A peer made by hand for tests: it writes each packet itself and reads each answer, so that it can
 * say what no association of ours ever would.
 */
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../lib/bytes.ts";
import { SctpAssociation, type SctpOptions, type SctpOutput } from "./association.ts";
import * as chunks from "./packet/chunk.ts";
import { seal, verificationTag, writeCommonHeader } from "./packet/common_header.ts";
import { BEGIN, DATA_HEADER_BYTES, END, writeDataHeader } from "./packet/data_chunk.ts";
import { makeInitBody, readInit } from "./packet/init_chunk.ts";
import { sackBytes, type SackContent, writeSack } from "./packet/sack_chunk.ts";
import { padded } from "./packet/words.ts";

export const PEER_TAG = 0x0badcafe;
export const PEER_TSN = 1000;

/** Bytes from hexadecimal digits with blanks. */
export function hex(text: string): Uint8Array {
  return fromHex(text.replace(/\s/g, ""));
}

export function same(actual: Uint8Array, expected: string): void {
  assert.equal(toHex(actual), expected.replace(/\s/g, ""));
}

/** A packet with a right checksum around these chunks, each padded already. */
export function packetOf(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 12);
  const packet = new Uint8Array(length);
  writeCommonHeader(packet, 0, tag);
  let at = 12;
  for (const part of parts) {
    packet.set(part, at);
    at += part.length;
  }
  seal(packet, 0, length);
  return packet;
}

/** A DATA chunk: a whole message of stream 1 unless told otherwise. */
export function data(
  tsn: number,
  bytes: Uint8Array,
  more: { flags?: number; streamId?: number; ssn?: number } = {},
): Uint8Array {
  const chunk = new Uint8Array(padded(DATA_HEADER_BYTES + bytes.length));
  const { flags = BEGIN | END, streamId = 1, ssn = 0 } = more;
  writeDataHeader(chunk, 0, { tsn, flags, streamId, ssn, protocol: 53 }, bytes.length);
  chunk.set(bytes, DATA_HEADER_BYTES);
  return chunk;
}

export function sack(content: Partial<SackContent> & { cumulativeTsn: number }): Uint8Array {
  const whole = { window: 100_000, ranges: [], duplicates: [], ...content };
  const chunk = new Uint8Array(sackBytes(whole));
  writeSack(chunk, 0, whole);
  return chunk;
}

/** A chunk as it came out. */
export interface SeenChunk {
  readonly tag: number;
  readonly type: number;
  readonly flags: number;
  /** Header included, padding not. */
  readonly bytes: Uint8Array;
}

export class HandMadePeer {
  readonly association: SctpAssociation;
  now = 0;
  /** Tag and TSN of the association, once it has said them. */
  tag = 0;
  tsn = 0;
  readonly messages: (SctpOutput & { type: "message" })[] = [];
  closedBecause: string | undefined;
  isEstablished = false;
  deadline = Infinity;
  #seed = 1;

  constructor(options: Partial<SctpOptions> = {}) {
    this.association = new SctpAssociation({
      random: () => (this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0),
      headroom: 21,
      tailroom: 16,
      ...options,
    });
  }

  /** Takes all outputs; gives the chunks of all packets. */
  drain(): SeenChunk[] {
    const seen: SeenChunk[] = [];
    for (let out = this.association.poll(); out !== undefined; out = this.association.poll()) {
      if (out.type === "packet") {
        seen.push(...readPacket(out.buffer.subarray(out.offset, out.offset + out.length)));
      } else if (out.type === "message") this.messages.push(out);
      else if (out.type === "closed") this.closedBecause = out.reason;
      else if (out.type === "established") this.isEstablished = true;
      else if (out.type === "deadline") this.deadline = out.at;
    }
    return seen;
  }

  /** Hands over a packet with the right tag, and gives what comes back. */
  say(...parts: readonly Uint8Array[]): SeenChunk[] {
    return this.sayRaw(packetOf(this.tag, ...parts));
  }

  sayRaw(packet: Uint8Array): SeenChunk[] {
    this.association.receive(this.now, packet);
    return this.drain();
  }

  /** Time passes in one step, or from deadline to deadline. */
  wait(ms: number): SeenChunk[] {
    const end = this.now + ms;
    const seen: SeenChunk[] = [];
    while (this.deadline <= end) {
      this.now = Math.max(this.now, this.deadline);
      this.deadline = Infinity;
      this.association.tick(this.now);
      seen.push(...this.drain());
    }
    this.now = end;
    return seen;
  }

  init(tag = PEER_TAG, more: { window?: number; streams?: number } = {}): Uint8Array {
    const { window = 100_000, streams = 16 } = more;
    return chunks.makeChunk(
      chunks.INIT,
      0,
      makeInitBody({
        tag,
        window,
        outboundStreams: streams,
        inboundStreams: streams,
        initialTsn: PEER_TSN,
      }),
    );
  }

  /** Says INIT and gives the cookie of the answer; learns tag and TSN. */
  askForCookie(tag = PEER_TAG): { cookie: Uint8Array; tag: number } {
    const [answer] = this.sayRaw(packetOf(0, this.init(tag)));
    assert.equal(answer!.type, chunks.INIT_ACK);
    assert.equal(answer!.tag, tag);
    const end = answer!.bytes.length;
    const init = readInit(answer!.bytes, { type: 2, flags: 0, at: 0, end })!;
    this.tsn = init.initialTsn;
    return { cookie: init.cookie!, tag: init.tag };
  }

  /** The whole handshake, begun by this peer. */
  connect(): this {
    const { cookie, tag } = this.askForCookie();
    this.tag = tag;
    const seen = this.say(chunks.makeChunk(chunks.COOKIE_ECHO, 0, cookie));
    assert.deepEqual(seen.map(({ type }) => type), [chunks.COOKIE_ACK]);
    assert.deepEqual(this.wait(0).map(({ type }) => type), [chunks.HEARTBEAT], "a size probe");
    assert(this.isEstablished);
    return this;
  }
}

/** Chunks of a sound packet. */
export function readPacket(packet: Uint8Array): SeenChunk[] {
  const copy = packet.slice();
  seal(copy, 0, copy.length);
  assert.deepEqual(copy, packet, "the checksum is right");
  const walk = new chunks.ChunkWalk();
  walk.start(copy, 12);
  const seen: SeenChunk[] = [];
  while (walk.next()) {
    const { type, flags, at, end } = walk;
    seen.push({ tag: verificationTag(copy), type, flags, bytes: copy.slice(at, end) });
  }
  return seen;
}
