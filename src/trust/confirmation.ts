/**
 * M4, the confirmation, inside the first data channel (security.md 1.4): both ends sign both nonces and the fingerprints
 * of the certificates that the DTLS handshake really showed. Nothing else may use the connection before both verified.
 *
 *     idle -- start --> waiting -- peer's nonce --> proving -- peer's proof --> done
 *     any  -- what does not hold --> failed, for good
 *
 *     nonce:  1, 32 random bytes                   proof:  2, COSE_Sign1 "chan"
 */
import { type Bytes, concat, equalBytes, utf8 } from "../lib/bytes.ts";
import { decodeEnvelope, signEnvelope, verifyEnvelope } from "./cose.ts";
import { randomBytes, sha256 } from "./digest.ts";
import type { Signer } from "./ed25519.ts";
import { HandshakeError, refuseAs } from "./handshake_error.ts";
import { Serial } from "./serial.ts";
import { encodeCbor } from "./strict_cbor.ts";

/** Proves, inside channel 0, that both ends are who signed the offer and the answer. */
export interface Confirmation {
  /** First message to send. `seen` holds the SHA-256 fingerprints of the certificates of the DTLS handshake. */
  start(seen: { local: Bytes; remote: Bytes }): Promise<Bytes>;
  /** Takes a message of the peer; gives the next to send, if any. Rejects when the proof does not hold. */
  receive(message: Bytes): Promise<Bytes | undefined>;
  /** True once the peer's proof was verified and ours was given out. */
  readonly done: boolean;
}

export type Role = "browser" | "device";

/** What this end signed and was shown before there was a channel. */
export interface ConfirmationContext {
  readonly role: Role;
  readonly own: Signer;
  readonly peerPublicKey: Bytes;
  /** The fingerprints in offer and answer. */
  readonly signed: { readonly local: Bytes; readonly remote: Bytes };
  readonly offerWire: Bytes;
  readonly answerWire: Bytes;
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "waiting"; readonly transcript: Bytes; readonly nonce: Bytes }
  | { readonly kind: "proving"; readonly expected: Bytes }
  | { readonly kind: "done" }
  | { readonly kind: "failed" };

const TYPE = { nonce: 1, proof: 2 } as const;
const NONCE_BYTES = 32;
const MAX_PROOF_BYTES = 512;
const PAYLOAD_VERSION = 1;
const KEY = { version: 0, role: 1, transcript: 2, otherNonce: 3, ownNonce: 4 };
const ROLE_NUMBER = { browser: 1, device: 2 } as const;

/** One end of the exchange. Calls are taken one after the other. */
export class ConfirmationExchange implements Confirmation {
  readonly #context: ConfirmationContext;
  readonly #order = new Serial();
  #state: State = { kind: "idle" };

  constructor(context: ConfirmationContext) {
    this.#context = context;
  }

  get done(): boolean {
    return this.#state.kind === "done";
  }

  start(seen: { local: Bytes; remote: Bytes }): Promise<Bytes> {
    return this.#step(async () => {
      if (this.#state.kind !== "idle") throw this.#outOfTurn("start");
      this.#checkSeen(seen);
      const nonce = randomBytes(NONCE_BYTES);
      this.#set({ kind: "waiting", transcript: await this.#transcript(seen), nonce });
      return concat(new Uint8Array([TYPE.nonce]), nonce);
    });
  }

  receive(message: Bytes): Promise<Bytes | undefined> {
    return this.#step(async () => {
      const body = message.slice(1);
      if (message[0] === TYPE.nonce) return await this.#takeNonce(body);
      if (message[0] === TYPE.proof) return await this.#takeProof(body);
      throw new HandshakeError("malformed", "Cannot accept confirmation: foreign type");
    });
  }

  async #takeNonce(theirs: Bytes): Promise<Bytes> {
    if (this.#state.kind !== "waiting") throw this.#outOfTurn("take nonce");
    if (theirs.length !== NONCE_BYTES) {
      throw new HandshakeError("malformed", "Cannot accept confirmation: nonce of foreign size");
    }
    const { transcript, nonce } = this.#state;
    const { role, own } = this.#context;
    const other = role === "browser" ? "device" : "browser";
    const payload = proofPayload(role, { transcript, otherNonce: theirs, ownNonce: nonce });
    const proof = await signEnvelope("chan", payload, own);
    const expected = proofPayload(other, { transcript, otherNonce: nonce, ownNonce: theirs });
    this.#set({ kind: "proving", expected });
    return concat(new Uint8Array([TYPE.proof]), proof);
  }

  async #takeProof(proof: Bytes): Promise<undefined> {
    const state = this.#state;
    if (state.kind !== "proving") throw this.#outOfTurn("take proof");
    const envelope = await refuseAs(
      "malformed",
      "confirmation",
      () => decodeEnvelope(proof, MAX_PROOF_BYTES),
    );
    if (!equalBytes(envelope.payload, state.expected)) {
      throw new HandshakeError("bad_signature", "Cannot accept confirmation: another connection");
    }
    await refuseAs(
      "bad_signature",
      "confirmation",
      () => verifyEnvelope("chan", envelope, this.#context.peerPublicKey),
    );
    this.#set({ kind: "done" });
  }

  #checkSeen(seen: { local: Bytes; remote: Bytes }): void {
    const { signed } = this.#context;
    if (equalBytes(seen.local, signed.local) && equalBytes(seen.remote, signed.remote)) return;
    throw new HandshakeError(
      "bad_signature",
      "Cannot confirm: a certificate is not the signed one",
    );
  }

  async #transcript(seen: { local: Bytes; remote: Bytes }): Promise<Bytes> {
    const { role, offerWire, answerWire } = this.#context;
    const [browser, device] = role === "browser"
      ? [seen.local, seen.remote]
      : [seen.remote, seen.local];
    const domain = utf8("porthole/channel-transcript/v1");
    return await sha256(domain, await sha256(offerWire), await sha256(answerWire), browser, device);
  }

  /** Runs one call after the others; a failure is final. */
  #step<Result>(step: () => Promise<Result>): Promise<Result> {
    return this.#order.run(async () => {
      try {
        return await step();
      } catch (error) {
        this.#set({ kind: "failed" });
        throw error;
      }
    });
  }

  #set(state: State): void {
    this.#state = state;
  }

  #outOfTurn(what: string): HandshakeError {
    return new HandshakeError("malformed", `Cannot ${what}: confirmation is ${this.#state.kind}`);
  }
}

function proofPayload(
  role: Role,
  signed: { readonly transcript: Bytes; readonly otherNonce: Bytes; readonly ownNonce: Bytes },
): Bytes {
  return encodeCbor(
    new Map<number, number | Bytes>([
      [KEY.version, PAYLOAD_VERSION],
      [KEY.role, ROLE_NUMBER[role]],
      [KEY.transcript, signed.transcript],
      [KEY.otherNonce, signed.otherNonce],
      [KEY.ownNonce, signed.ownNonce],
    ]),
  );
}
