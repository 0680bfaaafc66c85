/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { type Bytes, equalBytes } from "../../src/lib/bytes.ts";
import { verifyChain } from "../../src/trust/chain.ts";
import { createSigner, generateSigningKey, type Signer } from "../../src/trust/ed25519.ts";
import { deviceId, deviceIdText, keyId } from "../../src/trust/key_id.ts";
import { verifyRevocation } from "../../src/trust/revocation.ts";
import { readLink } from "./links.ts";
import { createSigning } from "./signing.ts";

const newSigner = async (): Promise<Signer> => await createSigner(await generateSigningKey(false));
const TERMS = {
  scope: { services: [2, 7], cameras: [3], operations: ["view", "operate"] },
  epoch: 1,
  notBefore: 1000,
  expires: 4600,
  ttl: 3600,
  uses: 1,
} as const;

function rest(fragment: string): string {
  assert.ok(fragment.startsWith("borrow="));
  return fragment.slice("borrow=".length);
}

Deno.test("an invite that an owner signs here gives a guest a chain that the device verifies", async () => {
  const [device, owner, guest] = [await newSigner(), await newSigner(), await newSigner()];
  const signing = createSigning({ signer: owner, devicePublicKey: device.publicKey });
  const { fragment } = await signing.invite(TERMS);
  const link = await readLink({
    kind: "borrow",
    text: rest(fragment),
    browser: () => Promise.resolve(guest),
  });
  const audience = await deviceId(device.publicKey);
  assert.equal(link.device, deviceIdText(audience));
  const { grants } = await link.credentials();
  const issuer = await keyId(owner.publicKey);
  const root = { publicKey: owner.publicKey, epoch: TERMS.epoch };
  const chain = await verifyChain({
    chain: grants!,
    audience,
    roots: (id: Bytes) => equalBytes(id, issuer) ? root : undefined,
  });
  assert.deepEqual(chain.scope, TERMS.scope);
  assert.deepEqual(chain.holder, guest.publicKey);
  assert.equal(chain.expires, 4600);
});

Deno.test("a link is read without this browser's key, and a damaged one not at all", async () => {
  const [device, owner] = [await newSigner(), await newSigner()];
  const signing = createSigning({ signer: owner, devicePublicKey: device.publicKey });
  const { fragment } = await signing.invite(TERMS);
  const browser = () => Promise.reject(new Error("no key in this browser"));
  const link = await readLink({ kind: "borrow", text: rest(fragment), browser });
  await assert.rejects(link.credentials(), /no key/);
  for (const kind of ["borrow", "pair"] as const) {
    for (const text of ["", "abc", rest(fragment).slice(1), `${rest(fragment)}A`, "!"]) {
      await assert.rejects(readLink({ kind, text, browser }), SyntaxError);
    }
  }
});

Deno.test("a revocation that is signed here names the device and the next number", async () => {
  const [device, owner] = [await newSigner(), await newSigner()];
  const signing = createSigning({ signer: owner, devicePublicKey: device.publicKey });
  const target = { kind: "owner", id: new Uint8Array(8).fill(5) } as const;
  const statement = await signing.revocation({ target, issuedAt: 1000, sequence: 3 });
  const audience = await deviceId(device.publicKey);
  const read = await verifyRevocation(statement, { audience, issuerKey: owner.publicKey });
  assert.deepEqual(read.target, target);
  assert.equal(read.sequence, 3);
  assert.equal(read.issuedAt, 1000);
});
