/**
 * Sealing: what only the other end can read. HPKE base mode (RFC 9180: X25519, HKDF-SHA256, AES-128-GCM) for the offer,
 * and for what follows AES-128-GCM with one key per direction and a counter as nonce, in strict order.
 *
 * HPKE base mode says nothing about the sender and can be replayed: the handshake adds both (security.md 1.4).
 */
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { type Bytes, utf8 } from "../lib/bytes.ts";
import { Serial } from "./serial.ts";

export const X25519_BYTES = 32;
export const TAG_BYTES = 16;

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes128Gcm(),
});

/** An X25519 key pair of one end, with the public half as it travels. */
export interface ExchangeKey {
  readonly pair: CryptoKeyPair;
  readonly publicKey: Bytes;
}

/** A new X25519 key. Extractable only where it must be written to disk. */
export async function generateExchangeKey(extractable: boolean): Promise<ExchangeKey> {
  const made = await crypto.subtle.generateKey({ name: "X25519" }, extractable, ["deriveBits"]);
  const pair = made as CryptoKeyPair; // X25519 always gives a pair; some type libraries say "or a key"
  return { pair, publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
}

/** X25519 (RFC 7748 6.1). Rejects for a public key of small order, whose secret anybody knows. */
export async function sharedSecret(key: ExchangeKey, publicKey: Bytes): Promise<Bytes> {
  const other = await crypto.subtle.importKey("raw", publicKey, { name: "X25519" }, true, []);
  const algorithm = { name: "X25519", public: other };
  const secret = new Uint8Array(
    await crypto.subtle.deriveBits(algorithm, key.pair.privateKey, X25519_BYTES * 8),
  );
  if (secret.every((byte) => byte === 0)) {
    throw new RangeError("Cannot agree on a secret: public key of small order");
  }
  return secret;
}

/** One message to seal. `enc` is known before it is written, so that its text can name it. */
export interface Sealing {
  /** Encapsulated key, 32 bytes, in clear beside the sealed text. */
  readonly enc: Bytes;
  seal(text: Bytes, additional: Bytes): Promise<Bytes>;
}

/** Prepares one message to the owner of an X25519 key. */
export async function sealTo(publicKey: Bytes, info: Bytes): Promise<Sealing> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(publicKey);
  const context = await suite.createSenderContext({ recipientPublicKey, info });
  return {
    enc: new Uint8Array(context.enc),
    async seal(text, additional) {
      return new Uint8Array(await context.seal(text, additional));
    },
  };
}

/** Opens what was sealed to `key`. Rejects if any byte, the info or the additional data differ. */
export async function openSealed(
  key: ExchangeKey,
  message: {
    readonly enc: Bytes;
    readonly info: Bytes;
    readonly additional: Bytes;
    readonly sealed: Bytes;
  },
): Promise<Bytes> {
  const { enc, info, additional, sealed } = message;
  const context = await suite.createRecipientContext({ recipientKey: key.pair, enc, info });
  return new Uint8Array(await context.open(sealed, additional));
}

/** An AES-128-GCM key for one direction, drawn from a shared secret (RFC 5869). Not extractable. */
export async function directionKey(
  secret: Bytes,
  draw: { readonly salt: Bytes; readonly label: string },
): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const info = utf8(draw.label);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: draw.salt, info };
  const algorithm = { name: "AES-GCM", length: 128 };
  return await crypto.subtle.deriveKey(derivation, base, algorithm, false, ["encrypt", "decrypt"]);
}

/** Seals messages of one direction. The first has counter 0; a key must never serve two of these. */
export class CounterSealer {
  readonly #key: CryptoKey;
  readonly #order = new Serial();
  #next = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** Seals the next message. Results come in the order of the calls. */
  seal(text: Bytes, additional: Bytes): Promise<Bytes> {
    const counter = this.#next++;
    return this.#order.run(() => sealWith(this.#key, { counter, additional, text }));
  }
}

/** Opens messages of one direction, in exactly the order in which they were sealed. */
export class CounterOpener {
  readonly #key: CryptoKey;
  readonly #order = new Serial();
  #next = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** Opens the next message. Anything else rejects and changes nothing: a stranger cannot put it out of step. */
  open(sealed: Bytes, additional: Bytes): Promise<Bytes> {
    return this.#order.run(async () => {
      const text = await openWith(this.#key, { counter: this.#next, additional, sealed });
      this.#next++;
      return text;
    });
  }
}

/** Seals one message under a counter. The caller never uses a counter of a key twice. */
export async function sealWith(
  key: CryptoKey,
  message: { readonly counter: number; readonly additional: Bytes; readonly text: Bytes },
): Promise<Bytes> {
  const { counter, additional, text } = message;
  return new Uint8Array(await crypto.subtle.encrypt(gcm(counter, additional), key, text));
}

/** Opens what `sealWith` made. Rejects if key, counter or any byte differ. */
export async function openWith(
  key: CryptoKey,
  message: { readonly counter: number; readonly additional: Bytes; readonly sealed: Bytes },
): Promise<Bytes> {
  const { counter, additional, sealed } = message;
  return new Uint8Array(await crypto.subtle.decrypt(gcm(counter, additional), key, sealed));
}

/** Nonce: 4 zero bytes and the counter in 8, unique for a key. */
function gcm(counter: number, additional: Bytes): AesGcmParams {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setBigUint64(4, BigInt(counter));
  return { name: "AES-GCM", iv, additionalData: additional, tagLength: TAG_BYTES * 8 };
}
