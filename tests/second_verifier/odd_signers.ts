/**
 * Keys and signatures on which verifiers of Ed25519 differ (security.md 3.1; "Taming the many EdDSAs", eprint 2020/1244).
 * Each signer here makes what a verifier without looks at the points takes: crypto/ed25519 of Go, and others.
 */
import { createHash } from "node:crypto";
import { Point } from "@noble/ed25519";
import { type Bytes, concat, fromHex } from "../../src/lib/bytes.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import type { Dice } from "../evil_rendezvous/dice.ts";

/** Order of the group that honest points are in (RFC 8032 5.1). */
export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** A point of order 8. */
const TORSION = Point.fromBytes(
  fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
  true,
);

/** The points of order 1, 2, 4 and 8. */
const SMALL = Array.from({ length: 8 }, (_, i) => TORSION.multiplyUnsafe(BigInt(i)));

/** Encodings of points of small order that RFC 8032 5.1.3 does not take: y not below p, or a sign of zero. */
const NOT_CANONICAL = [
  "0100000000000000000000000000000000000000000000000000000000000080",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
].map(fromHex);

/** A sound key that signs well: what the odd ones differ from. */
export function soundSigner(dice: Dice): Signer {
  const secret = scalar(dice);
  const publicKey = encoded(Point.BASE.multiply(secret));
  return signerWith(publicKey, (message) => {
    const nonce = scalar(dice);
    const point = encoded(Point.BASE.multiply(nonce));
    return join(point, nonce + challenge(point, publicKey, message) * secret);
  });
}

/** S is L too large: the same signature for those who do not look (RFC 8032 5.1.7). */
export function largeScalarSigner(signer: Signer): Signer {
  return {
    publicKey: signer.publicKey,
    async sign(message) {
      const signature = await signer.sign(message);
      return concat(signature.slice(0, 32), littleEndian(number(signature.slice(32)) + ORDER));
    },
  };
}

/** The key is of small order: anybody can sign for it. */
export function smallKeySigner(dice: Dice): Signer {
  const publicKey = dice.pick([...SMALL.map(encoded), ...NOT_CANONICAL]);
  return signerWith(publicKey, (message) =>
    untilCofactorVanishes(() => {
      const s = scalar(dice);
      const point = encoded(Point.BASE.multiply(s));
      return { signature: join(point, s), challenge: challenge(point, publicKey, message) };
    }));
}

/** The key is an honest one with a point of small order added. */
export function mixedKeySigner(dice: Dice): Signer {
  const secret = scalar(dice);
  const publicKey = encoded(Point.BASE.multiply(secret).add(dice.pick(SMALL.slice(1))));
  return signerWith(publicKey, (message) =>
    untilCofactorVanishes(() => {
      const nonce = scalar(dice);
      const point = encoded(Point.BASE.multiply(nonce));
      const hash = challenge(point, publicKey, message);
      return { signature: join(point, nonce + hash * secret), challenge: hash };
    }));
}

/** R is the identity: a signature with a nonce of 0. */
export function smallPointSigner(dice: Dice): Signer {
  const secret = scalar(dice);
  const publicKey = encoded(Point.BASE.multiply(secret));
  const point = encoded(SMALL[0]!);
  return signerWith(
    publicKey,
    (message) => join(point, challenge(point, publicKey, message) * secret),
  );
}

/** R has a point of small order added: holds for those who multiply by the cofactor. */
export function mixedPointSigner(dice: Dice): Signer {
  const secret = scalar(dice);
  const publicKey = encoded(Point.BASE.multiply(secret));
  return signerWith(publicKey, (message) => {
    const nonce = scalar(dice);
    const point = encoded(Point.BASE.multiply(nonce).add(dice.pick(SMALL.slice(1))));
    return join(point, nonce + challenge(point, publicKey, message) * secret);
  });
}

function signerWith(publicKey: Bytes, sign: (message: Bytes) => Bytes): Signer {
  return { publicKey, sign: (message) => Promise.resolve(sign(message)) };
}

/** Tries until the torsion is multiplied by a number that 8 divides: it is gone for verifiers without cofactor, too. */
function untilCofactorVanishes(
  attempt: () => { readonly signature: Bytes; readonly challenge: bigint },
): Bytes {
  for (;;) { // ends: one in eight does
    const { signature, challenge } = attempt();
    if (challenge % 8n === 0n) return signature;
  }
}

function challenge(point: Bytes, publicKey: Bytes, message: Bytes): bigint {
  const hash = createHash("sha512").update(concat(point, publicKey, message)).digest();
  return number(hash) % ORDER;
}

function join(point: Bytes, s: bigint): Bytes {
  return concat(point, littleEndian(s % ORDER));
}

function scalar(dice: Dice): bigint {
  return 1n + number(dice.bytes(40)) % (ORDER - 1n);
}

function encoded(point: Point): Bytes {
  return concat(point.toBytes());
}

function number(littleEndian: Uint8Array): bigint {
  return littleEndian.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function littleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}
