/**
 * The device's end of the handshake (`handshake.ts` draws it). It decides nothing: who may come in is the admission
 * rule's to say (`src/control/admission.ts`), from the verified fields that stand here.
 *
 *     received -- answer --> answering --> answered
 *         |
 *         +------ refuse --> refused
 */
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import { type Answer, sealAnswer } from "./answer.ts";
import { checkNumber } from "./check_number.ts";
import { readClaim } from "./claim.ts";
import { claimProof } from "./claim_proof.ts";
import { type Confirmation, ConfirmationExchange } from "./confirmation.ts";
import { sha256 } from "./digest.ts";
import type { Signer } from "./ed25519.ts";
import { type RefusalReason, refuseAs } from "./handshake_error.ts";
import { deviceId } from "./key_id.ts";
import { HANDSHAKE_VERSION } from "./message.ts";
import { type Offer, type OfferMessage, openOffer, type SealingKey } from "./offer.ts";
import { RestartChannel } from "./restart.ts";
import { generateExchangeKey, sharedSecret } from "./seal.ts";
import { deviceSessionKeys, type SessionKeys } from "./session_keys.ts";
import { Trickle } from "./trickle.ts";

export interface ReceiveOptions {
  /** M1 as it came. */
  readonly offer: Bytes;
  readonly device: Signer;
  /** The sealing key of the current epoch, and the one before while it is honoured. */
  readonly sealing: readonly SealingKey[];
  /** The current boot nonce, and the one before. */
  readonly bootNonces: readonly Bytes[];
}

/** A claim that came with an offer. Nothing of it is believed yet but its form. */
export interface ReceivedClaim {
  /** `cti`, 16 bytes. */
  readonly id: Bytes;
  /** Run of the device that made it, 8 bytes. */
  readonly boot: Bytes;
  readonly token: Bytes;
  readonly proof: Bytes;
}

type State =
  | { readonly kind: "received" }
  | { readonly kind: "answering" }
  | {
    readonly kind: "answered";
    readonly trickle: Trickle;
    readonly restarts: RestartChannel;
    readonly confirmation: Confirmation;
    /** M2. */
    readonly answer: Bytes;
  }
  | { readonly kind: "refused" };

interface Received {
  readonly offer: Offer & OfferMessage;
  readonly claim?: ReceivedClaim;
  readonly device: Signer;
  readonly deviceId: Bytes;
  readonly sealing: SealingKey;
  readonly objection?: RefusalReason;
}

/** One verified offer. */
export class DeviceHandshake {
  readonly #received: Received;
  #state: State = { kind: "received" };

  private constructor(received: Received) {
    this.#received = received;
  }

  /**
   * Opens an offer and verifies its signature. Rejects with a HandshakeError if it cannot be read: then there is nobody to
   * answer. What is read and still cannot be taken gives an `objection`, to be told with `refuse`.
   */
  static async receive(options: ReceiveOptions): Promise<DeviceHandshake> {
    const { device, sealing, bootNonces } = options;
    const own = await deviceId(device.publicKey);
    const offer = await openOffer(options.offer, { device: own, sealing });
    const token = offer.claim?.token;
    const read = token && await refuseAs("malformed", "claim", () => readClaim(token));
    const key = sealing.find((candidate) => candidate.epoch === offer.epoch)!; // it was opened with that one
    // A session key of small order fails here, while there is nobody to answer, and not in `answer`.
    await refuseAs("malformed", "offer", () => sharedSecret(key, offer.exchangeKey));
    return new DeviceHandshake({
      offer,
      claim: read && offer.claim && { id: read.id, boot: read.boot, ...offer.claim },
      device,
      deviceId: own,
      sealing: key,
      objection: objectionTo(offer, bootNonces),
    });
  }

  /** Why the offer cannot be answered whoever made it: `stale` or `version`. */
  get objection(): RefusalReason | undefined {
    return this.#received.objection;
  }

  get browserPublicKey(): Bytes {
    return this.#received.offer.browserPublicKey;
  }

  /** 16 random bytes of the browser; unique as far as the browser is honest. */
  get sessionId(): Bytes {
    return this.#received.offer.sessionId;
  }

  /** The boot nonce that the offer names. */
  get bootNonce(): Bytes {
    return this.#received.offer.bootNonce;
  }

  /** At most 64 bytes, without controls. */
  get label(): string {
    return this.#received.offer.label;
  }

  get remote(): TransportFields {
    return this.#received.offer.transport;
  }

  get candidates(): readonly string[] {
    return this.#received.offer.candidates;
  }

  get claim(): ReceivedClaim | undefined {
    return this.#received.claim;
  }

  /** The chain that came instead of a claim: 1 to 3 byte strings, for `verifyChain` to read. */
  get grants(): readonly Bytes[] | undefined {
    return this.#received.offer.grants;
  }

  /** Unix seconds by the browser's clock. As true as the browser. */
  get time(): number {
    return this.#received.offer.time;
  }

  /** Whether the offer's claim comes from someone who knows the secret behind this key (`claimKey`). */
  async provesClaim(key: Bytes): Promise<boolean> {
    const { claim, deviceId: device } = this.#received;
    if (claim === undefined) return false;
    const { sessionId, browserPublicKey } = this;
    const context = { sessionId, browserPublicKey, device, claimId: claim.id };
    return equalBytes(claim.proof, await claimProof(key, context));
  }

  /** M2. Once only. */
  async answer(transport: TransportFields): Promise<Bytes> {
    if (this.#state.kind !== "received" || this.objection) throw this.#outOfTurn("answer");
    this.#set({ kind: "answering" });
    const { wire, keys } = await this.#seal({
      kind: "accepted",
      version: HANDSHAKE_VERSION,
      transport,
    });
    this.#set({
      kind: "answered",
      trickle: new Trickle({ send: keys.fromDevice, receive: keys.fromBrowser }),
      restarts: new RestartChannel(this.sessionId, {
        send: keys.restartFromDevice,
        receive: keys.restartFromBrowser,
      }),
      confirmation: this.#confirm(transport, wire),
      answer: wire,
    });
    return wire;
  }

  /** M2 that says no, signed and sealed like one that says yes. Once only. */
  async refuse(reason: RefusalReason): Promise<Bytes> {
    if (this.#state.kind !== "received") throw this.#outOfTurn("refuse");
    this.#set({ kind: "refused" });
    return (await this.#seal({ kind: "refused", reason })).wire;
  }

  /** M3 with one candidate of this device, after the answer. Send them in the order of the calls. */
  async sealCandidate(candidate: string): Promise<Bytes> {
    return await this.#answered("send candidate").trickle.seal(candidate);
  }

  /** Opens an M3 of the browser. Rejects with a HandshakeError for anything else, which may be ignored. */
  async openCandidate(m3: Bytes): Promise<string> {
    return await this.#answered("accept candidate").trickle.open(m3);
  }

  /** M5, after the answer. Always the same object. */
  restarts(): RestartChannel {
    return this.#answered("restart").restarts;
  }

  /** M4, after the answer. Always the same object. */
  confirmation(): Confirmation {
    return this.#answered("confirm").confirmation;
  }

  /** Six digits that the browser shows too, after the answer (`check_number.ts` says what they are good for). */
  async checkNumber(): Promise<string> {
    const { answer } = this.#answered("show check number");
    return await checkNumber(this.#received.offer.wire, answer);
  }

  async #seal(answer: Answer): Promise<{ wire: Bytes; keys: SessionKeys }> {
    const { offer, sealing, device } = this.#received;
    const exchange = await generateExchangeKey(false);
    const offerHash = await sha256(offer.wire);
    const own = { exchange, sealing };
    const keys = await deviceSessionKeys(own, { exchangeKey: offer.exchangeKey, offerHash });
    const wire = await sealAnswer(answer, {
      sessionId: offer.sessionId,
      offer,
      exchangeKey: exchange.publicKey,
      key: keys.answer,
      device,
    });
    return { wire, keys };
  }

  #confirm(local: TransportFields, answerWire: Bytes): Confirmation {
    const { device, offer } = this.#received;
    return new ConfirmationExchange({
      role: "device",
      own: device,
      peerPublicKey: offer.browserPublicKey,
      signed: { local: local.fingerprint, remote: offer.transport.fingerprint },
      offerWire: offer.wire,
      answerWire,
    });
  }

  #answered(what: string): Extract<State, { kind: "answered" }> {
    if (this.#state.kind !== "answered") throw this.#outOfTurn(what);
    return this.#state;
  }

  #set(state: State): void {
    this.#state = state;
  }

  #outOfTurn(what: string): Error {
    return new Error(`Cannot ${what}: handshake is ${this.objection ?? this.#state.kind}`);
  }
}

function objectionTo(offer: Offer, bootNonces: readonly Bytes[]): RefusalReason | undefined {
  if (!bootNonces.some((nonce) => equalBytes(nonce, offer.bootNonce))) return "stale";
  return offer.versions.includes(HANDSHAKE_VERSION) ? undefined : "version";
}
