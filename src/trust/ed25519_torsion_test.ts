import assert from "node:assert/strict";
import { Point, verifyAsync } from "@noble/ed25519";
import { type Bytes, concat, fromHex, utf8 } from "../lib/bytes.ts";
import { isSoundPoint, verify } from "./ed25519.ts";

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** A point of order 8 (eprint 2020/1244, table 1). */
const TORSION = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";

function scalar(bytes: Bytes): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) % ORDER;
}

function littleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

async function sha512(...parts: Bytes[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-512", concat(...parts)));
}

/** A signature by whoever has the key, with `added` to its R. */
async function signWith(added: Point) {
  const secret = scalar(crypto.getRandomValues(new Uint8Array(64)));
  const publicKey = new Uint8Array(Point.BASE.multiply(secret).toBytes());
  const message = utf8("a message");
  const nonce = scalar(crypto.getRandomValues(new Uint8Array(64)));
  const r = new Uint8Array(Point.BASE.multiply(nonce).add(added).toBytes());
  const challenge = scalar(await sha512(r, publicKey, message));
  const signature = concat(r, littleEndian((nonce + challenge * secret) % ORDER));
  return { publicKey, message, signature };
}

Deno.test("ed25519 refuses an R with a torsion component, which a cofactored verifier accepts", async () => {
  const honest = await signWith(Point.ZERO);
  assert.equal(await verify(honest.publicKey, honest.message, honest.signature), true);
  const { publicKey, message, signature } = await signWith(Point.fromHex(TORSION));
  assert.equal(await verifyAsync(signature, message, publicKey, { zip215: false }), true);
  assert.equal(await verify(publicKey, message, signature), false);
});

Deno.test("no point of small order is sound, the neutral one included", () => {
  const torsion = Point.fromHex(TORSION);
  let point = Point.ZERO;
  for (let i = 0; i < 8; i++) {
    assert.equal(isSoundPoint(point.toBytes()), false, `${i} times`);
    assert.equal(isSoundPoint(point.add(Point.BASE).toBytes()), i === 0, `${i} times, and B`);
    point = point.add(torsion);
  }
  assert.equal(isSoundPoint(fromHex("ff".repeat(32))), false);
});
