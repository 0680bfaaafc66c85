import assert from "node:assert/strict";
import { generateExchangeKey, sharedSecret } from "./seal.ts";

Deno.test("a secret of zeros is refused even where WebCrypto lets a key of small order pass", async () => {
  const [own, other] = [await generateExchangeKey(false), await generateExchangeKey(false)];
  const lenient = () => Promise.resolve(new ArrayBuffer(32));
  Object.defineProperty(crypto.subtle, "deriveBits", { value: lenient, configurable: true });
  try {
    await assert.rejects(sharedSecret(own, other.publicKey), /small order/);
  } finally {
    Reflect.deleteProperty(crypto.subtle, "deriveBits"); // the prototype's is seen again
  }
  assert.equal((await sharedSecret(own, other.publicKey)).length, 32);
});
