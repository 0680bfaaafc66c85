/** Ends that know all keys and keep no rule: what they say is well signed and sealed, and still may not be taken. */
import assert from "node:assert/strict";
import { type Bytes, concat, utf8 } from "../lib/bytes.ts";
import { sealAnswer } from "./answer.ts";
import { signEnvelope } from "./cose.ts";
import { randomBytes, sha256 } from "./digest.ts";
import { deviceId } from "./key_id.ts";
import { openOffer } from "./offer.ts";
import { pad } from "./padding.ts";
import { generateExchangeKey, sealTo } from "./seal.ts";
import { deviceSessionKeys } from "./session_keys.ts";
import { type CborValue, encodeCbor } from "./strict_cbor.ts";
import {
  BROWSER_TRANSPORT,
  DEVICE_TRANSPORT,
  makeOffer,
  newClaim,
  newDevice,
  newSigner,
  NOON,
  receiveOffer,
  startBrowser,
  type TestDevice,
} from "./test_ends.ts";

type Entry = readonly [key: number, value: CborValue];

/** An offer with these fields in place of honest ones. */
async function forgedOffer(
  device: TestDevice,
  changes: readonly Entry[],
  type = 1,
): Promise<Bytes> {
  const browser = await newSigner();
  const { publicKey, epoch } = device.sealing;
  const id = await deviceId(device.signer.publicKey);
  const { ufrag, pwd, fingerprint } = BROWSER_TRANSPORT;
  const head = new Uint8Array([type, 0, 0, 0, epoch]);
  const sealing = await sealTo(publicKey, concat(utf8("porthole/offer/v1"), id, head.slice(1)));
  const domain = utf8("porthole/offer-binding/v1");
  const fields = new Map<number, CborValue>([
    [0, 1],
    [1, randomBytes(16)],
    [2, browser.publicKey],
    [3, randomBytes(32)],
    [4, device.bootNonce],
    [5, [1]],
    [6, await sha256(domain, id, publicKey, sealing.enc)],
    [7, new Map<number, CborValue>([[0, ufrag], [1, pwd], [2, fingerprint], [3, 0]])],
    [8, []],
    [9, "Mallory"],
    [12, NOON],
    ...changes,
  ]);
  const text = await signEnvelope("offer", encodeCbor(fields), browser);
  const header = concat(head, randomBytes(16), sealing.enc);
  return concat(header, await sealing.seal(pad(text, [1024, 2048, 4096]), header));
}

function transportWith(...entry: Entry): Entry {
  const { ufrag, pwd, fingerprint } = BROWSER_TRANSPORT;
  return [7, new Map<number, CborValue>([[0, ufrag], [1, pwd], [2, fingerprint], [3, 0], entry])];
}

const LINE = "candidate:1 1 udp 1 10.0.0.1 9 typ host";

Deno.test("offer that is well signed is malformed with a field of another size, range or grammar", async () => {
  const device = await newDevice();
  assert.equal((await receiveOffer(device, await forgedOffer(device, []))).label, "Mallory");
  const { token } = await newClaim(device);
  const bad: readonly Entry[] = [
    [0, 2],
    [1, randomBytes(15)],
    [1, randomBytes(17)],
    [2, randomBytes(31)],
    [3, randomBytes(31)],
    [4, randomBytes(15)],
    [5, Array(9).fill(1)],
    [5, [1, 256]],
    [5, [1, -1]],
    transportWith(0, "abc"),
    transportWith(0, "abcd\r\na=x"),
    transportWith(1, "short"),
    transportWith(1, `${"a".repeat(22)}\n`),
    transportWith(2, randomBytes(31)),
    transportWith(3, 3),
    transportWith(4, 0),
    [8, Array(33).fill(LINE)],
    [8, [`${LINE}\r\na=x`]],
    [8, [`${LINE} x ${"y".repeat(230)}`]],
    [9, ""],
    [9, "x".repeat(65)],
    [10, new Map([[0, token], [1, randomBytes(31)]])],
    [10, new Map([[0, token], [1, randomBytes(33)]])],
    [11, []],
    [12, -1],
  ];
  for (const entry of bad) {
    const offer = await forgedOffer(device, [entry]);
    await assert.rejects(receiveOffer(device, offer), { code: "malformed" }, String(entry));
  }
});

Deno.test("offer with the type of another message is malformed, however well it is sealed", async () => {
  const device = await newDevice();
  for (const type of [0, 2, 3, 255]) {
    const offer = await forgedOffer(device, [], type);
    await assert.rejects(receiveOffer(device, offer), { code: "malformed" });
  }
});

Deno.test("answer with a version that was not offered is refused, and the true one taken", async () => {
  const device = await newDevice();
  const browser = await startBrowser(device);
  const wire = await makeOffer(browser);
  const own = { device: await deviceId(device.signer.publicKey), sealing: [device.sealing] };
  const offer = await openOffer(wire, own);
  const answer = async (version: number) => {
    const exchange = await generateExchangeKey(false);
    const offerHash = await sha256(wire);
    const keys = await deviceSessionKeys(
      { exchange, sealing: device.sealing },
      { exchangeKey: offer.exchangeKey, offerHash },
    );
    return await sealAnswer({ kind: "accepted", version, transport: DEVICE_TRANSPORT }, {
      sessionId: offer.sessionId,
      offer,
      exchangeKey: exchange.publicKey,
      key: keys.answer,
      device: device.signer,
    });
  };
  for (const version of [0, 2, 255]) {
    await assert.rejects(browser.acceptAnswer(await answer(version)), { code: "version" });
  }
  assert.deepEqual(await browser.acceptAnswer(await answer(1)), DEVICE_TRANSPORT);
});
