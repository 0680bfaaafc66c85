import assert from "node:assert/strict";
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import { type ConfirmationContext, ConfirmationExchange } from "./confirmation.ts";
import { decodeEnvelope, signEnvelope } from "./cose.ts";
import { randomBytes, sha256 } from "./digest.ts";
import { type CborValue, decodeCbor, encodeCbor } from "./strict_cbor.ts";
import { newSigner } from "./test_ends.ts";

const PRINTS = { browser: new Uint8Array(32).fill(1), device: new Uint8Array(32).fill(2) };

async function newPair() {
  const [browser, device] = [await newSigner(), await newSigner()];
  const wires = { offerWire: randomBytes(1093), answerWire: randomBytes(1073) };
  const ours: ConfirmationContext = {
    role: "browser",
    own: browser,
    peerPublicKey: device.publicKey,
    signed: { local: PRINTS.browser, remote: PRINTS.device },
    ...wires,
  };
  const theirs: ConfirmationContext = {
    role: "device",
    own: device,
    peerPublicKey: browser.publicKey,
    signed: { local: PRINTS.device, remote: PRINTS.browser },
    ...wires,
  };
  return { ours, theirs };
}

/** The exchange of both, each with the certificates that it signed. Rejects where it fails. */
async function confirm(ours: ConfirmationContext, theirs: ConfirmationContext): Promise<void> {
  const [browser, device] = [new ConfirmationExchange(ours), new ConfirmationExchange(theirs)];
  const nonce = await browser.start(ours.signed);
  const proof = await browser.receive(await device.start(theirs.signed));
  await browser.receive((await device.receive(nonce))!);
  await device.receive(proof!);
  assert.ok(browser.done && device.done);
}

Deno.test("confirmation holds between two ends that saw the same, and no others", async () => {
  const { ours, theirs } = await newPair();
  await confirm(ours, theirs);
  const other = new Uint8Array(32).fill(3);
  const differing: Partial<ConfirmationContext>[] = [
    { offerWire: randomBytes(1093) },
    { answerWire: randomBytes(1073) },
    { signed: { local: PRINTS.device, remote: other } },
    { signed: { local: other, remote: PRINTS.browser } },
    { own: await newSigner() },
    { role: "browser" },
  ];
  for (const change of differing) {
    await assert.rejects(confirm(ours, { ...theirs, ...change }), { code: "bad_signature" });
  }
});

/** A browser that waits for the proof, and what a device must sign for it. */
async function waiting() {
  const { ours, theirs } = await newPair();
  const browser = new ConfirmationExchange(ours);
  const browserNonce = (await browser.start(ours.signed)).slice(1);
  const deviceNonce = randomBytes(32);
  const proof = await browser.receive(concat(new Uint8Array([1]), deviceNonce));
  const domain = utf8("porthole/channel-transcript/v1");
  const hashes = [await sha256(ours.offerWire), await sha256(ours.answerWire)];
  const transcript = await sha256(domain, ...hashes, PRINTS.browser, PRINTS.device);
  const fields: [number, CborValue][] = [
    [0, 1],
    [1, 2],
    [2, transcript],
    [3, browserNonce],
    [4, deviceNonce],
  ];
  const signed = async (entries: [number, CborValue][]): Promise<Bytes> => {
    const envelope = await signEnvelope("chan", encodeCbor(new Map(entries)), theirs.own);
    return concat(new Uint8Array([2]), envelope);
  };
  return { browser, proof: proof!, fields, signed, transcript, browserNonce, deviceNonce };
}

Deno.test("confirmation signs exactly the fields of PROTOCOL.md, and takes exactly those", async () => {
  const { browser, proof, fields, signed, transcript, browserNonce, deviceNonce } = await waiting();
  const payload = decodeCbor(decodeEnvelope(proof.slice(1), 512).payload, 512);
  const mine = new Map<number, CborValue>([
    [0, 1],
    [1, 1],
    [2, transcript],
    [3, deviceNonce],
    [4, browserNonce],
  ]);
  assert.deepEqual(payload, mine);
  await browser.receive(await signed(fields));
  assert.ok(browser.done);
});

Deno.test("confirmation refuses a well signed proof with any field missing, further or different", async () => {
  const changes: ((fields: [number, CborValue][]) => [number, CborValue][])[] = [
    ...[0, 1, 2, 3, 4].map((key) => (fields: [number, CborValue][]) =>
      fields.filter((entry) => entry[0] !== key)
    ),
    ...([[0, 2], [1, 1], [2, randomBytes(32)], [3, randomBytes(32)], [4, randomBytes(32)], [
      5,
      0,
    ]] as const)
      .map((entry) => (fields: [number, CborValue][]): [number, CborValue][] => [
        ...fields.filter(([key]) => key !== entry[0]),
        [...entry],
      ]),
  ];
  for (const change of changes) {
    const { browser, fields, signed } = await waiting();
    await assert.rejects(browser.receive(await signed(change(fields))), { code: "bad_signature" });
    await assert.rejects(browser.receive(await signed(fields)), { code: "malformed" });
    assert.equal(browser.done, false);
  }
});

Deno.test("confirmation refuses nonces of another size, a second one, and foreign messages", async () => {
  for (const size of [0, 16, 31, 33, 64]) {
    const { ours } = await newPair();
    const browser = new ConfirmationExchange(ours);
    await browser.start(ours.signed);
    const nonce = concat(new Uint8Array([1]), randomBytes(size));
    await assert.rejects(browser.receive(nonce), { code: "malformed" });
  }
  for (const message of [concat(new Uint8Array([1]), randomBytes(32)), new Uint8Array([3, 1])]) {
    const { browser } = await waiting();
    await assert.rejects(browser.receive(message), { code: "malformed" });
  }
  const { browser } = await waiting();
  await assert.rejects(browser.receive(new Uint8Array()), { code: "malformed" });
});
