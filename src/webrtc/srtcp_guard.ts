/**
 * Keeps received SRTCP from being replayed (RFC 3711 3.3.2, 3.4), which werift does not: a browser's
 * old wishes for key frames and packets could be sent again by anyone who has seen them.
 */
import type { Buffer } from "node:buffer";
import { ReplayWindow } from "./dtls_record.ts";

/** In AEAD_AES_128_GCM, our only profile, the index is at the end (RFC 7714 9.2). */
const INDEX_BYTES = 4;
/** The bit in front of the index says that the packet is encrypted. */
const INDEX_MASK = 0x7fffffff;

/** What werift decrypts received SRTCP with. Throws for a packet that is not authentic. */
export interface SrtcpSession {
  decrypt: (packet: Buffer) => Buffer;
}

/** From now on `decrypt` throws for a packet that it has already taken. */
export function refuseReplays(session: SrtcpSession): void {
  const window = new ReplayWindow();
  const { decrypt } = session;
  session.decrypt = (packet) => {
    const at = packet.length - INDEX_BYTES;
    if (at < 0) throw new Error("Cannot take SRTCP: it has no index");
    const index = packet.readUInt32BE(at) & INDEX_MASK;
    if (!window.isFresh(index)) throw new Error("Cannot take SRTCP: it was here before");
    const plain = decrypt.call(session, packet);
    window.add(index);
    return plain;
  };
}
