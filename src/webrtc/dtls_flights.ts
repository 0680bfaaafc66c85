/**
 * Gives each record that werift hands out a number of its own (RFC 6347 4.1, 4.2.4). werift keeps
 * its flights as bytes and sends the same bytes again, and gives all fragments of a message one
 * number: an end that refuses replays, as Firefox does, would never see what it has lost. A record
 * that is sealed already is opened and sealed anew, so that no nonce serves twice either.
 *
 *   werift's flight --renew--> socket
 */
import { Buffer } from "node:buffer";
import {
  type DirectionKeys,
  type DtlsRecord,
  RECORD_HEADROOM,
  RECORD_TAILROOM,
  RecordOpener,
  records,
  RecordSealer,
} from "./dtls_record.ts";

const NUMBER_AT = 5; // RFC 6347 4.1
const NUMBER_BYTES = 6;

/** Sealing side of a connection. */
export interface Sealing {
  readonly keys: DirectionKeys;
  /** The only one with these keys. */
  readonly sealer: RecordSealer;
}

export class FlightNumbers {
  readonly #sealing: () => Sealing;
  #next = 0;

  /** `sealing` is asked for when the first record of epoch 1 is to leave, and may throw. */
  constructor(sealing: () => Sealing) {
    this.#sealing = sealing;
  }

  /**
   * The datagram with records of the same content and numbers that were never used. Throws an Error
   * when a record is not what the handshake of one connection has.
   */
  renew(datagram: Uint8Array): Buffer {
    return Buffer.concat(records(datagram).map((record) => this.#renew(record)));
  }

  #renew(record: DtlsRecord): Uint8Array {
    if (record.epoch > 1) throw new Error(`Cannot send DTLS record: its epoch is ${record.epoch}`);
    if (record.epoch === 1) return this.#seal(record);
    const bytes = Buffer.from(record.bytes);
    bytes.writeUIntBE(this.#next++, NUMBER_AT, NUMBER_BYTES);
    return bytes;
  }

  #seal(record: DtlsRecord): Uint8Array {
    const { keys, sealer } = this.#sealing();
    const content = new RecordOpener(keys).open(record);
    if (typeof content !== "object") throw new Error("Cannot send DTLS record: it is not our own");
    const { length } = content;
    const buffer = new Uint8Array(RECORD_HEADROOM + length + RECORD_TAILROOM);
    buffer.set(content, RECORD_HEADROOM);
    const sealed = sealer.seal(record.type, { buffer, offset: RECORD_HEADROOM, length });
    if (sealed === undefined) throw new Error("Cannot send DTLS record: numbers are used up");
    return sealed;
  }
}
