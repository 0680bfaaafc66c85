/**
 * M3: candidates that come after the answer, sealed with one key per direction and counted. The rendezvous can withhold
 * them, and then all that follow are refused as well; it cannot reorder, repeat or make one.
 *
 *     byte   0       1 ..
 *            type    sealed, padded candidate
 */
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import { HandshakeError, refuseAs } from "./handshake_error.ts";
import { MESSAGE } from "./message.ts";
import { pad, unpad } from "./padding.ts";
import { CounterOpener, CounterSealer, TAG_BYTES } from "./seal.ts";
import { checkCandidate, MAX_CANDIDATE_BYTES } from "./transport_fields.ts";

/** Candidates that one side may send after the answer. Twice what the busiest of hosts gathers. */
export const MAX_TRICKLED_CANDIDATES = 64;

/** One size for all, with two bytes for the length. */
const TEXT_SIZES = [MAX_CANDIDATE_BYTES + 2];
const HEADER = new Uint8Array([MESSAGE.candidate]);
const WIRE_BYTES = HEADER.length + TEXT_SIZES[0]! + TAG_BYTES;

/** Candidates of one session, in both directions, as one end sees them. */
export class Trickle {
  readonly #sealer: CounterSealer;
  readonly #opener: CounterOpener;
  #sealed = 0;
  #opened = 0;

  constructor(keys: { readonly send: CryptoKey; readonly receive: CryptoKey }) {
    this.#sealer = new CounterSealer(keys.send);
    this.#opener = new CounterOpener(keys.receive);
  }

  /** Throws for a text that is not one candidate and for the 65th. Results come in the order of the calls. */
  async seal(candidate: string): Promise<Bytes> {
    const text = pad(utf8(checkCandidate(candidate)), TEXT_SIZES);
    if (this.#sealed >= MAX_TRICKLED_CANDIDATES) {
      throw new RangeError("Cannot send candidate: too many");
    }
    this.#sealed++;
    return concat(HEADER, await this.#sealer.seal(text, HEADER));
  }

  /** Opens the next candidate; rejects with a HandshakeError for anything else, which leaves it as it was. */
  async open(wire: Bytes): Promise<string> {
    if (wire.length !== WIRE_BYTES || wire[0] !== MESSAGE.candidate) {
      throw new HandshakeError("malformed", "Cannot accept candidate: foreign size or type");
    }
    const text = await refuseAs(
      "bad_signature",
      "candidate",
      () => this.#opener.open(wire.slice(HEADER.length), HEADER),
    );
    if (++this.#opened > MAX_TRICKLED_CANDIDATES) {
      throw new HandshakeError("malformed", "Cannot accept candidate: too many");
    }
    return await refuseAs(
      "malformed",
      "candidate",
      () => checkCandidate(new TextDecoder().decode(unpad(text, TEXT_SIZES))),
    );
  }
}
