/** The odd signers are what they are said to be: a lax verifier takes what they sign, ours does not. */
import assert from "node:assert/strict";
import { verifyAsync } from "@noble/ed25519";
import { utf8 } from "../../src/lib/bytes.ts";
import { verify } from "../../src/trust/ed25519.ts";
import { Dice } from "../evil_rendezvous/dice.ts";
import {
  largeScalarSigner,
  mixedKeySigner,
  mixedPointSigner,
  smallKeySigner,
  smallPointSigner,
  soundSigner,
} from "./odd_signers.ts";

const MESSAGE = utf8("a message");

Deno.test("a sound signer of the same arithmetic is accepted", async () => {
  for (let seed = 0; seed < 5; seed++) {
    const signer = soundSigner(new Dice(seed));
    assert.equal(await verify(signer.publicKey, MESSAGE, await signer.sign(MESSAGE)), true);
  }
});

Deno.test("keys and points of small order or with torsion are accepted by ZIP 215 and not by us", async () => {
  const kinds = { smallKeySigner, mixedKeySigner, smallPointSigner, mixedPointSigner };
  for (const [name, make] of Object.entries(kinds)) {
    for (let seed = 0; seed < 10; seed++) {
      const { publicKey, sign } = make(new Dice(seed));
      const signature = await sign(MESSAGE);
      const lax = await verifyAsync(signature, MESSAGE, publicKey, { zip215: true });
      assert.equal(lax, true, `${name} ${seed}`);
      assert.equal(await verify(publicKey, MESSAGE, signature), false, `${name} ${seed}`);
    }
  }
});

Deno.test("a scalar above the order is refused where the same below it is accepted", async () => {
  const signer = soundSigner(new Dice(1));
  const large = largeScalarSigner(signer);
  const signature = await large.sign(MESSAGE);
  assert.equal(signature.length, 64);
  assert.equal(await verify(large.publicKey, MESSAGE, signature), false);
});
