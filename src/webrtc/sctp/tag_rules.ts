/** Which verification tag a packet must have, by the chunk that is looked at (RFC 9260 8.5, 8.5.1). */
import type { Tags } from "./handshake.ts";
import * as chunks from "./packet/chunk.ts";
import { COMMON_HEADER_BYTES, verificationTag } from "./packet/common_header.ts";
import { padded } from "./packet/words.ts";

/** Whether the chunk may be taken in this packet. The peer's tag is 0 while unknown. */
export function isTagged(packet: Uint8Array, chunk: chunks.Chunk, { local, peer }: Tags): boolean {
  const tag = verificationTag(packet);
  switch (chunk.type) {
    case chunks.INIT:
      return tag === 0 && isAlone(packet, chunk);
    case chunks.INIT_ACK:
      return tag === local && isAlone(packet, chunk);
    case chunks.COOKIE_ECHO:
      return chunk.at === COMMON_HEADER_BYTES; // the cookie says which tag is right
    case chunks.ABORT:
    case chunks.SHUTDOWN_COMPLETE:
      if ((chunk.flags & chunks.REFLECTED_TAG) !== 0) return tag !== 0 && tag === peer;
      return tag === local;
    default:
      return tag === local;
  }
}

/** 6.10: never bundled. */
function isAlone(packet: Uint8Array, { at, end }: chunks.Chunk): boolean {
  return at === COMMON_HEADER_BYTES && padded(end) >= packet.length;
}
