import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { createPublicKey, verify as nodeVerify } from "node:crypto";
import { concat, fromHex, utf8 } from "../lib/bytes.ts";
import {
  decodeEnvelope,
  encodeEnvelope,
  SignatureError,
  type SignedKind,
  signEnvelope,
  verifyEnvelope,
} from "./cose.ts";
import { CborError } from "./strict_cbor.ts";
import { flipped, newSigner } from "./test_ends.ts";

const PAYLOAD = fromHex("a10001");

Deno.test("cose writes exactly these bytes around payload and signature", () => {
  const signature = new Uint8Array(64).fill(0xab);
  const wire = concat(fromHex("8443a10132a043a100015840"), signature);
  assert.deepEqual(encodeEnvelope({ payload: PAYLOAD, signature }), wire);
  assert.deepEqual(decodeEnvelope(wire, 1024), { payload: PAYLOAD, signature });
});

Deno.test("cose signs the Sig_structure that an outside verifier builds by hand", async () => {
  const signer = await newSigner();
  const { signature } = decodeEnvelope(await signEnvelope("claim", PAYLOAD, signer), 1024);
  const signed = concat(
    fromHex("84"),
    fromHex("6a5369676e617475726531"), // "Signature1"
    fromHex("43a10132"),
    fromHex("55"), // 21 bytes
    utf8("porthole/cap/v1/claim"),
    fromHex("43a10001"),
  );
  const spki = concat(fromHex("302a300506032b6570032100"), signer.publicKey); // RFC 8410 4
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  assert.equal(nodeVerify(null, signed, key, signature), true);
});

Deno.test("cose accepts a signature for its own kind, key and payload only", async () => {
  const signer = await newSigner();
  const envelope = decodeEnvelope(await signEnvelope("offer", PAYLOAD, signer), 1024);
  await verifyEnvelope("offer", envelope, signer.publicKey);
  const kinds: SignedKind[] = [
    "claim",
    "owner",
    "invite",
    "guest",
    "revoke",
    "presence",
    "answer",
    "chan",
  ];
  for (const kind of kinds) {
    await assert.rejects(verifyEnvelope(kind, envelope, signer.publicKey), SignatureError);
  }
  const other = (await newSigner()).publicKey;
  await assert.rejects(verifyEnvelope("offer", envelope, other), SignatureError);
  const changed = { ...envelope, payload: fromHex("a10002") };
  await assert.rejects(verifyEnvelope("offer", changed, signer.publicKey), SignatureError);
});

Deno.test("cose refuses every cut and every change before or at the signature", async () => {
  const signer = await newSigner();
  const wire = await signEnvelope("claim", PAYLOAD, signer);
  for (let i = 0; i < wire.length; i++) {
    assert.throws(() => decodeEnvelope(wire.slice(0, i), 1024), CborError);
    await assert.rejects(async () => {
      await verifyEnvelope("claim", decodeEnvelope(flipped(wire, i), 1024), signer.publicKey);
    });
  }
});

Deno.test("cose leaves a sender no choice of algorithm, headers or size", () => {
  const tail = "43a100015840" + "ab".repeat(64);
  for (
    const head of [
      "8443a10127a0", // EdDSA, the polymorphic one
      "8443a10126a0", // ES256
      "8440a0", // no algorithm
      "8443a10132a1044101", // a key id in the unprotected bucket
      "8444a2013200a0",
      "d28443a10132a0", // tagged
      "8443a1013280",
      "84a10132a0",
    ]
  ) {
    assert.throws(() => decodeEnvelope(fromHex(head + tail), 1024), /Cannot read/, head);
  }
  assert.throws(() => decodeEnvelope(fromHex("8343a10132a043a10001"), 1024), CborError);
  assert.throws(() => decodeEnvelope(fromHex("8543a10132a0" + tail + "00"), 1024), CborError);
  assert.throws(() => decodeEnvelope(fromHex("8443a10132a0" + tail), 70), /too long/);
});
