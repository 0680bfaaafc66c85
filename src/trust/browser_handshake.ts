/**
 * The browser's end of the handshake (`handshake.ts` draws it).
 *
 *     ready -- offer --> offering --> offered -- answer --> answered
 *       ^                  |             |
 *       +--- does not fit -+             +----- signed refusal --> refused
 *
 * An answer that does not hold leaves the state at `offered`: it may be the rendezvous' own, and the device's may follow.
 */
import { type Bytes, equalBytes } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import { answerExchangeKey, openAnswer } from "./answer.ts";
import { checkNumber } from "./check_number.ts";
import { verifyClaim } from "./claim.ts";
import { claimKey, claimProof } from "./claim_proof.ts";
import { type Confirmation, ConfirmationExchange } from "./confirmation.ts";
import { randomBytes, sha256 } from "./digest.ts";
import type { Signer } from "./ed25519.ts";
import { HandshakeError, refuseAs } from "./handshake_error.ts";
import { deviceId } from "./key_id.ts";
import { tidyLabel } from "./label.ts";
import { HANDSHAKE_VERSION, SESSION_ID_BYTES } from "./message.ts";
import { type OfferedClaim, type OfferMessage, sealOffer } from "./offer.ts";
import { passTag } from "./pass.ts";
import { type Presence, verifyPresence } from "./presence.ts";
import { RestartChannel } from "./restart.ts";
import { type ExchangeKey, generateExchangeKey } from "./seal.ts";
import { Serial } from "./serial.ts";
import { browserSessionKeys, type SessionKeys } from "./session_keys.ts";
import { MAX_TIME } from "./token.ts";
import { Trickle } from "./trickle.ts";

export interface BrowserHandshakeOptions {
  /** The device as this browser knows it: from a pairing link, or kept since. */
  readonly devicePublicKey: Bytes;
  /** M0, from the rendezvous. */
  readonly presence: Bytes;
  readonly browser: Signer;
  /** From a pairing link. */
  readonly claim?: { readonly secret: Bytes; readonly token: Bytes };
  /** A guest's chain (`redeemInvite`), the root's link first. Not together with a claim. */
  readonly grants?: readonly Bytes[];
  /** What the device gave at the end of the last session: it knows this offer among a flood of strangers' by it. */
  readonly pass?: Bytes;
  /** Unix seconds by this browser's clock. An owner's tells a board without a clock the time. */
  readonly time: number;
  /** What owners will read, like "Firefox on Linux". Characters that may not be in it are left out. */
  readonly label: string;
}

/** What the peer connection gave. */
export interface OfferedFields {
  readonly transport: TransportFields;
  /** Those that are known already; the others follow the answer. */
  readonly candidates: readonly string[];
}

type State =
  | { readonly kind: "ready" }
  | { readonly kind: "offering" }
  | { readonly kind: "offered"; readonly offer: OfferMessage; readonly local: TransportFields }
  | {
    readonly kind: "answered";
    readonly trickle: Trickle;
    readonly restarts: RestartChannel;
    readonly confirmation: Confirmation;
    /** M1 and M2. */
    readonly wires: readonly [offer: Bytes, answer: Bytes];
  }
  | { readonly kind: "refused" };

/** All that is fixed once the presence was verified. */
interface Session extends BrowserHandshakeOptions {
  readonly device: Bytes;
  readonly heard: Presence;
  readonly sessionId: Bytes;
  /** `eB`. */
  readonly exchange: ExchangeKey;
}

/** One attempt to reach one device. A new attempt takes a new one, from a fresh presence. */
export class BrowserHandshake {
  readonly #session: Session;
  readonly #answers = new Serial();
  #state: State = { kind: "ready" };

  private constructor(session: Session) {
    this.#session = session;
  }

  /**
   * Verifies the presence (M0). Rejects with a HandshakeError: `bad_signature` if it is not this device's, `version` if
   * this page is too old for the device, `malformed` if the claim is another device's or comes with grants.
   */
  static async start(options: BrowserHandshakeOptions): Promise<BrowserHandshake> {
    const { devicePublicKey, presence, claim, grants } = options;
    const heard = await refuseAs(
      "bad_signature",
      "presence",
      () => verifyPresence(presence, devicePublicKey),
    );
    if (heard.minVersion > HANDSHAKE_VERSION) {
      throw new HandshakeError("version", "Cannot reach device: it asks for a newer handshake");
    }
    if (claim && grants) {
      throw new HandshakeError("malformed", "Cannot reach device: a claim and grants at once");
    }
    if (claim) {
      await refuseAs("malformed", "claim", () => verifyClaim(claim.token, devicePublicKey));
    }
    return new BrowserHandshake({
      ...options,
      device: await deviceId(devicePublicKey),
      heard,
      sessionId: randomBytes(SESSION_ID_BYTES),
      exchange: await generateExchangeKey(false),
    });
  }

  /**
   * M1, to be sent to the device. Once only, unless it throws. Throws a CborError for fields outside the grammar of RFC 8839 and a
   * RangeError if the candidates do not fit 4 KiB: send those later with `sealCandidate`.
   */
  async offer(fields: OfferedFields): Promise<Bytes> {
    if (this.#state.kind !== "ready") throw this.#outOfTurn("offer");
    this.#set({ kind: "offering" });
    try {
      const offer = await this.#sealOffer(fields);
      this.#set({ kind: "offered", offer, local: fields.transport });
      return offer.wire;
    } catch (error) {
      this.#set({ kind: "ready" });
      throw error;
    }
  }

  /**
   * Takes M2. Rejects with a HandshakeError: with the device's code if the device refused (the attempt is over), with
   * `malformed` or `bad_signature` if this is not the device's answer (wait on: the true one may come).
   */
  acceptAnswer(m2: Bytes): Promise<TransportFields> {
    return this.#answers.run(async () => {
      const state = this.#state;
      if (state.kind !== "offered") throw this.#outOfTurn("accept answer");
      const exchangeKey = answerExchangeKey(m2);
      const keys = await refuseAs(
        "malformed",
        "answer",
        () => this.#keys(state.offer, exchangeKey),
      );
      const { sessionId, devicePublicKey } = this.#session;
      const context = { sessionId, offer: state.offer, exchangeKey, key: keys.answer };
      const answer = await openAnswer(m2, { ...context, devicePublicKey });
      if (answer.kind === "refused") {
        this.#set({ kind: "refused" });
        throw new HandshakeError(answer.reason, `Cannot reach device: it says ${answer.reason}`);
      }
      if (answer.version !== HANDSHAKE_VERSION) {
        throw new HandshakeError("version", "Cannot accept answer: version was not offered");
      }
      this.#set({
        kind: "answered",
        trickle: new Trickle({ send: keys.fromBrowser, receive: keys.fromDevice }),
        restarts: new RestartChannel(sessionId, {
          send: keys.restartFromBrowser,
          receive: keys.restartFromDevice,
        }),
        confirmation: this.#confirm(state, { wire: m2, remote: answer.transport }),
        wires: [state.offer.wire, m2],
      });
      return answer.transport;
    });
  }

  /** M3 with one more candidate of this browser, after the answer. Send them in the order of the calls. */
  async sealCandidate(candidate: string): Promise<Bytes> {
    return await this.#answered("send candidate").trickle.seal(candidate);
  }

  /** Opens an M3 of the device. Rejects with a HandshakeError for anything else, which may be ignored. */
  async openCandidate(m3: Bytes): Promise<string> {
    return await this.#answered("accept candidate").trickle.open(m3);
  }

  /** Whether a later M0 is of the run of the device that this handshake is with. One that it did not sign says nothing. */
  async isSameRun(presence: Bytes): Promise<boolean> {
    const { devicePublicKey, heard } = this.#session;
    try {
      const { bootNonce } = await verifyPresence(presence, devicePublicKey);
      return equalBytes(bootNonce, heard.bootNonce);
    } catch {
      return true;
    }
  }

  /** M5, after the answer. Always the same object. */
  restarts(): RestartChannel {
    return this.#answered("restart").restarts;
  }

  /** M4, after the answer. Always the same object. */
  confirmation(): Confirmation {
    return this.#answered("confirm").confirmation;
  }

  /** Six digits that the device shows too, after the answer (`check_number.ts` says what they are good for). */
  async checkNumber(): Promise<string> {
    return await checkNumber(...this.#answered("show check number").wires);
  }

  async #sealOffer(fields: OfferedFields): Promise<OfferMessage> {
    const { browser, device, heard, sessionId, exchange, label, grants, pass } = this.#session;
    return await sealOffer({
      sessionId,
      browserPublicKey: browser.publicKey,
      exchangeKey: exchange.publicKey,
      bootNonce: heard.bootNonce,
      versions: [HANDSHAKE_VERSION],
      transport: fields.transport,
      candidates: fields.candidates,
      label: tidyLabel(label),
      claim: await this.#offeredClaim(),
      grants,
      time: this.#time(),
    }, {
      device,
      sealingKey: heard.sealingKey,
      epoch: heard.epoch,
      browser,
      tag: pass && await passTag(pass, heard.bootNonce),
    });
  }

  /** A clock that is far off must not keep its owner out: the device judges what it says. */
  #time(): number {
    return Math.min(Math.max(0, Math.trunc(this.#session.time)), MAX_TIME);
  }

  async #offeredClaim(): Promise<OfferedClaim | undefined> {
    const { claim, sessionId, browser, device, devicePublicKey } = this.#session;
    if (claim === undefined) return undefined;
    const { id } = await verifyClaim(claim.token, devicePublicKey);
    const context = { sessionId, browserPublicKey: browser.publicKey, device, claimId: id };
    return { token: claim.token, proof: await claimProof(await claimKey(claim.secret), context) };
  }

  async #keys(offer: OfferMessage, exchangeKey: Bytes): Promise<SessionKeys> {
    const { exchange, heard } = this.#session;
    const offerHash = await sha256(offer.wire);
    return await browserSessionKeys(exchange, {
      exchangeKey,
      sealingKey: heard.sealingKey,
      offerHash,
    });
  }

  #confirm(
    state: { readonly offer: OfferMessage; readonly local: TransportFields },
    answer: { readonly wire: Bytes; readonly remote: TransportFields },
  ): Confirmation {
    return new ConfirmationExchange({
      role: "browser",
      own: this.#session.browser,
      peerPublicKey: this.#session.devicePublicKey,
      signed: { local: state.local.fingerprint, remote: answer.remote.fingerprint },
      offerWire: state.offer.wire,
      answerWire: answer.wire,
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
    return new Error(`Cannot ${what}: handshake is ${this.#state.kind}`);
  }
}
