/** The fixed part of an RTP packet (RFC 3550 5.1). Pure; every length is checked. */

const HEADER_BYTES = 12;
const VERSION = 2;

export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** A view into the packet, without padding; may be empty. */
  readonly payload: Uint8Array;
}

/**
 * Reads a packet; undefined for what is not one. Contributing sources and extensions are skipped.
 */
export function parseRtp(bytes: Uint8Array): RtpPacket | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0]! >> 6 !== VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = payloadStart(bytes, view);
  const padding = (bytes[0]! & 0x20) === 0 ? 0 : bytes[bytes.length - 1]!;
  const end = bytes.length - padding;
  if (start === undefined || end < start || ((bytes[0]! & 0x20) !== 0 && padding === 0)) {
    return undefined;
  }
  return {
    payloadType: bytes[1]! & 0x7f,
    marker: (bytes[1]! & 0x80) !== 0,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: bytes.subarray(start, end),
  };
}

function payloadStart(bytes: Uint8Array, view: DataView): number | undefined {
  const afterSources = HEADER_BYTES + 4 * (bytes[0]! & 0x0f);
  if ((bytes[0]! & 0x10) === 0) return afterSources;
  if (bytes.length < afterSources + 4) return undefined;
  return afterSources + 4 + 4 * view.getUint16(afterSources + 2); // RFC 3550 5.3.1
}

/** How far `a` is after `b` on the 16-bit circle: -32768 to 32767. */
export function sequenceDistance(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}
