import assert from "node:assert/strict";
import fc from "fast-check";
import { Tokenizer } from "cborg";
import { type Bytes, concat, equalBytes, fromHex } from "../lib/bytes.ts";
import { OPERATIONS } from "../protocol/access.ts";
import { ChainError, type ChainRoot, type VerifiedChain, verifyChain } from "./chain.ts";
import { signClaim } from "./claim.ts";
import { decodeEnvelope, encodeEnvelope, signEnvelope } from "./cose.ts";
import { randomBytes } from "./digest.ts";
import type { Signer } from "./ed25519.ts";
import { type GrantFields, grantHash, type GrantKind, readGrant, signGrant } from "./grant.ts";
import { redeemInvite } from "./invite_link.ts";
import { deviceId, keyId } from "./key_id.ts";
import { isWithin, type Scope } from "./scope.ts";
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from "./strict_cbor.ts";
import { flipped, newDevice, newInvite, newSigner, NOON, SCOPE } from "./test_ends.ts";
import { HOSTILE_CBOR } from "./test_hostile_cbor.ts";

const EPOCH = 5;
const DAY = 24 * 3600;

/** A device, its owner, and the keys of three links. */
async function newWorld() {
  const device = await newSigner();
  return {
    device,
    owner: await newSigner(),
    audience: await deviceId(device.publicKey),
    holders: [await newSigner(), await newSigner(), await newSigner()] as const,
  };
}
type World = Awaited<ReturnType<typeof newWorld>>;

/** One link of a chain to build: its kind, and what is not as it should be. */
interface Plan {
  readonly kind?: GrantKind;
  readonly fields?: Partial<GrantFields>;
  readonly signer?: Signer;
  /** Makes another object of the finished token. */
  readonly replace?: (token: Bytes, signer: Signer) => Promise<Bytes>;
}

/** Signs a chain of links. Whatever is not said holds: each link is within the one before. */
async function build(world: World, plans: readonly Plan[]): Promise<Bytes[]> {
  const chain: Bytes[] = [];
  for (const [i, { kind = "guest", fields, signer, replace }] of plans.entries()) {
    const parent = chain[i - 1];
    const by = signer ?? (i === 0 ? world.owner : world.holders[i - 1]!);
    const token = await signGrant(kind, {
      audience: world.audience,
      holder: world.holders[i]!.publicKey,
      id: randomBytes(16),
      notBefore: NOON,
      expires: NOON + DAY,
      epoch: EPOCH,
      scope: SCOPE,
      depth: plans.length - 1 - i,
      ttl: DAY,
      ...(kind === "invite" ? { uses: 2 } : {}),
      ...(parent ? { parent: await grantHash(parent) } : {}),
      ...fields,
    }, by);
    chain.push(replace ? await replace(token, by) : token);
  }
  return chain;
}

const INVITE: Plan = { kind: "invite" };
const GUEST: Plan = {};

async function verify(
  world: World,
  chain: readonly Bytes[],
  epoch = EPOCH,
): Promise<VerifiedChain> {
  const known: ChainRoot[] = [world.owner, world.device].map(({ publicKey }) => ({
    publicKey,
    epoch,
  }));
  const ids = await Promise.all(known.map(({ publicKey }) => keyId(publicKey)));
  const roots = (id: Bytes) => known.find((_, i) => equalBytes(ids[i]!, id));
  return await verifyChain({ chain, audience: world.audience, roots });
}

/** Asserts that the chain is refused by this rule and no other. */
async function assertRefused(
  world: World,
  chain: readonly Bytes[],
  rule: RegExp,
  epoch = EPOCH,
): Promise<void> {
  await assert.rejects(verify(world, chain, epoch), (error) => {
    assert.ok(error instanceof ChainError, `another error: ${error}`);
    assert.equal(error.code, "grant_invalid");
    assert.match(error.message, rule);
    return true;
  });
}

Deno.test("chain of an invite and a guest gives its holder, its links and what is left of them", async () => {
  const world = await newWorld();
  const narrow: GrantFields["scope"] = { services: [4], cameras: [], operations: ["view"] };
  const chain = await build(world, [
    INVITE,
    { fields: { scope: narrow, notBefore: NOON + 1, expires: NOON + 2, ttl: 3 } },
  ]);
  const verified = await verify(world, chain, EPOCH);
  assert.deepEqual(verified, {
    holder: world.holders[1].publicKey,
    links: chain.map((token) => ({ ...readGrant(token), token })),
    scope: narrow,
    notBefore: NOON + 1,
    expires: NOON + 2,
    ttl: 3,
  });
  assert.deepEqual(verified.links.map(({ kind, uses, depth }) => [kind, uses, depth]), [
    ["invite", 2, 1],
    ["guest", undefined, 0],
  ]);
});

Deno.test("chain holds in each order that the grammar has, and in no other", async () => {
  const world = await newWorld();
  const kinds: Record<string, Plan> = { i: INVITE, g: GUEST };
  const good = ["g", "ig", "gg", "igg", "gig", "ggg"];
  const orders = ["g", "i"].flatMap((a) =>
    ["", "g", "i"].flatMap((b) => (b ? ["", "g", "i"] : [""]).map((c) => a + b + c))
  );
  assert.equal(orders.length, 14);
  for (const order of orders) {
    const plans = [...order].map((letter, i) => {
      const depth = Math.max(order.length - 1 - i, letter === "i" ? 1 : 0);
      return { ...kinds[letter], fields: { depth } };
    });
    const chain = await build(world, plans);
    if (good.includes(order)) assert.equal((await verify(world, chain)).links.length, order.length);
    else await assertRefused(world, chain, /an invite is not redeemed/);
  }
});

Deno.test("chain may begin with the device itself", async () => {
  const world = await newWorld();
  const chain = await build(world, [{ ...INVITE, signer: world.device }, GUEST]);
  assert.deepEqual((await verify(world, chain)).holder, world.holders[1].publicKey);
});

Deno.test("chain that a browser made from a borrow link holds", async () => {
  const device = await newDevice();
  const owner = await newSigner();
  const browser = await newSigner();
  const { link } = await newInvite(device, owner);
  const { holder, links } = await verifyChain({
    chain: await redeemInvite(link, browser.publicKey),
    audience: await deviceId(device.signer.publicKey),
    roots: () => ({ publicKey: owner.publicKey, epoch: 0 }),
  });
  assert.deepEqual(holder, browser.publicKey);
  assert.equal(links.length, 2);
});

Deno.test("chain is refused without links, and with four", async () => {
  const world = await newWorld();
  await assertRefused(world, [], /1 to 3 links/);
  const three = await build(world, [GUEST, GUEST, GUEST]);
  await verify(world, three);
  await assertRefused(world, [...three, three[2]!], /1 to 3 links/);
});

Deno.test("chain is refused above 1024 bytes, however good its links are", async () => {
  const world = await newWorld();
  const plans = (count: number): Plan[] => {
    const numbers = Array.from({ length: count }, (_, i) => 1000 + i);
    const scope: Scope = { services: numbers, cameras: numbers, operations: ["view"] };
    return [0, 1, 2].map(() => ({ fields: { scope } }));
  };
  const size = (chain: Bytes[]) => chain.reduce((sum, token) => sum + token.length, 0);
  const fitting = await build(world, plans(21));
  assert.ok(size(fitting) <= 1024, `${size(fitting)}`);
  await verify(world, fitting);
  const long = await build(world, plans(24));
  assert.ok(size(long) > 1024);
  await assertRefused(world, long, /too long/);
});

Deno.test("chain whose last link is an invite is refused", async () => {
  const world = await newWorld();
  await assertRefused(
    world,
    await build(world, [{ ...INVITE, fields: { depth: 1 } }]),
    /an invite is not redeemed/,
  );
});

Deno.test("chain whose invite is followed by an invite is refused", async () => {
  const world = await newWorld();
  const chain = await build(world, [INVITE, INVITE, GUEST]);
  await assertRefused(world, chain, /an invite is not redeemed/);
});

Deno.test("chain is refused if nobody known issued its first link", async () => {
  const world = await newWorld();
  const stranger = await newSigner();
  const chain = await build(world, [{ signer: stranger }]);
  await assertRefused(world, chain, /nobody known/);
  const later = await build(world, [GUEST, GUEST]);
  await assertRefused(world, later.slice(1), /out of its place/);
});

Deno.test("chain is refused if its root's key is not the one that its key id names", async () => {
  const world = await newWorld();
  const chain = await build(world, [GUEST]);
  const { publicKey } = world.device;
  await assert.rejects(
    verifyChain({ chain, audience: world.audience, roots: () => ({ publicKey, epoch: 0 }) }),
    /another issuer/,
  );
});

Deno.test("chain is refused if a link is issued by another than the holder before", async () => {
  const world = await newWorld();
  for (const signer of [world.owner, await newSigner(), world.holders[2]]) {
    const chain = await build(world, [INVITE, { signer }]);
    await assertRefused(world, chain, /another issuer/);
  }
  const third = await build(world, [GUEST, GUEST, { signer: world.holders[0] }]);
  await assertRefused(world, third, /another issuer/);
});

Deno.test("chain is refused if a link bears the right issuer and another's signature", async () => {
  const world = await newWorld();
  const thief = await newSigner();
  const posing = ({ publicKey }: Signer): Signer => ({ publicKey, sign: thief.sign });
  await assertRefused(
    world,
    await build(world, [{ ...INVITE, signer: posing(world.owner) }, GUEST]),
    /signature/,
  );
  await assertRefused(
    world,
    await build(world, [INVITE, { signer: posing(world.holders[0]) }]),
    /signature/,
  );
});

/** Signs the payload anew as another kind. */
const signedAs = (kind: Parameters<typeof signEnvelope>[0]): Plan["replace"] => (token, signer) =>
  signEnvelope(kind, decodeEnvelope(token, 1024).payload, signer);

Deno.test("chain is refused if a link was signed as another kind", async () => {
  const world = await newWorld();
  const kinds = ["claim", "owner", "invite", "revoke", "presence", "offer", "answer", "chan"];
  for (const kind of kinds as Parameters<typeof signEnvelope>[0][]) {
    const chain = await build(world, [INVITE, { replace: signedAs(kind) }]);
    await assertRefused(world, chain, /signature/);
  }
  const invite = await build(world, [{ ...INVITE, replace: signedAs("guest") }, GUEST]);
  await assertRefused(world, invite, /signature/);
});

Deno.test("chain is refused if a claim is passed as its invite", async () => {
  const world = await newWorld();
  const claim = await signClaim(world.device, { id: randomBytes(16), boot: randomBytes(8) });
  const chain = await build(world, [{ ...INVITE, replace: () => Promise.resolve(claim) }, GUEST]);
  await assertRefused(world, chain, /cannot be read/);
  await assertRefused(world, [claim], /cannot be read/);
});

Deno.test("chain is refused for another device, in any of its links", async () => {
  const world = await newWorld();
  const other = { fields: { audience: new Uint8Array(16) } };
  await assertRefused(world, await build(world, [other]), /another device/);
  await assertRefused(world, await build(world, [INVITE, other]), /another device/);
  const elsewhere = { ...world, audience: new Uint8Array(16) };
  await assertRefused(elsewhere, await build(world, [INVITE, GUEST]), /another device/);
});

Deno.test("chain is refused if a link names another parent, none, or the first has one", async () => {
  const world = await newWorld();
  const other = { fields: { parent: randomBytes(16) } };
  await assertRefused(world, await build(world, [INVITE, other]), /another parent/);
  await assertRefused(world, await build(world, [GUEST, GUEST, other]), /another parent/);
  const none = { fields: { parent: undefined } };
  await assertRefused(world, await build(world, [INVITE, none]), /out of its place/);
  await assertRefused(world, await build(world, [other]), /out of its place/);
});

Deno.test("chain is refused if its links were taken from two chains with the same keys", async () => {
  const world = await newWorld();
  const [first, second] = [
    await build(world, [INVITE, GUEST]),
    await build(world, [INVITE, GUEST]),
  ];
  await assertRefused(world, [first[0]!, second[1]!], /another parent/);
  const three = await build(world, [GUEST, GUEST, GUEST]);
  await assertRefused(world, [three[0]!, three[2]!], /another issuer/);
  await assertRefused(world, [...three].reverse(), /out of its place/);
});

/** Each is one step beyond what the parent has. */
const WIDER: Record<string, { fields: Partial<GrantFields>; rule: RegExp }> = {
  "has a service more": { fields: { scope: { ...SCOPE, services: [1, 2, 4] } }, rule: /widens/ },
  "has another service": { fields: { scope: { ...SCOPE, services: [2] } }, rule: /widens/ },
  "has a camera more": { fields: { scope: { ...SCOPE, cameras: [2, 3] } }, rule: /widens/ },
  "has a service's number as camera": {
    fields: { scope: { ...SCOPE, cameras: [1] } },
    rule: /widens/,
  },
  "has an operation more": {
    fields: { scope: { ...SCOPE, operations: OPERATIONS } },
    rule: /widens/,
  },
  "ends a second later": { fields: { expires: NOON + DAY + 1 }, rule: /ends later/ },
  "begins a second earlier": { fields: { notBefore: NOON - 1 }, rule: /begins before/ },
  "has a second of ttl more": { fields: { ttl: DAY + 1 }, rule: /ttl/ },
  "has the same depth": { fields: { depth: 1 }, rule: /depth/ },
  "has more depth": { fields: { depth: 2 }, rule: /depth/ },
  "has a later epoch": { fields: { epoch: EPOCH + 1 }, rule: /epoch/ },
  "has an earlier epoch": { fields: { epoch: EPOCH - 1 }, rule: /epoch/ },
};

for (const [what, { fields, rule }] of Object.entries(WIDER)) {
  Deno.test(`chain is refused if a link ${what} and is well signed`, async () => {
    const world = await newWorld();
    await assertRefused(world, await build(world, [INVITE, { fields }]), rule);
    const depth = "depth" in fields ? { depth: fields.depth! > 1 ? 1 : 0 } : {};
    const below = [
      { fields: { depth: 2 } },
      { fields: { depth: "depth" in fields ? 0 : 1 } },
      { fields: { ...fields, ...depth } },
    ];
    await assertRefused(world, await build(world, below), rule);
  });
}

Deno.test("chain is refused if its epoch is not the one of its root, but before or after it", async () => {
  const world = await newWorld();
  const chain = await build(world, [INVITE, GUEST]);
  await verify(world, chain, EPOCH);
  await assertRefused(world, chain, /not the root's/, EPOCH + 1);
  await assertRefused(world, chain, /not the root's/, EPOCH - 1);
});

Deno.test("chain is refused with a link in another encoding, though it is signed", async () => {
  const world = await newWorld();
  const replace: Plan["replace"] = (token, signer) => {
    const { payload } = decodeEnvelope(token, 1024);
    const long = concat(payload.slice(0, 2), new Uint8Array([0x18]), payload.slice(2));
    return signEnvelope("guest", long, signer);
  };
  await assertRefused(world, await build(world, [{ replace }]), /cannot be read/);
  const outer: Plan["replace"] = (token) => {
    assert.equal(token[0], 0x84);
    return Promise.resolve(concat(new Uint8Array([0x98, 0x04]), token.slice(1)));
  };
  await assertRefused(world, await build(world, [{ replace: outer }]), /cannot be read/);
});

/** Signs the payload anew with these changes to its map; undefined takes a key away. */
const changed = (key: number, value: CborValue | undefined): Plan["replace"] => (token, signer) => {
  const map = new Map(decodeCbor(decodeEnvelope(token, 1024).payload, 1024) as CborMap);
  if (value === undefined) map.delete(key);
  else map.set(key, value);
  return signEnvelope("guest", encodeCbor(map), signer);
};

Deno.test("chain is refused with a key too many or too few in a link, though it is signed", async () => {
  const world = await newWorld();
  for (const key of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
    const chain = await build(world, [INVITE, { replace: changed(key, undefined) }]);
    await assertRefused(world, chain, /cannot be read/);
  }
  for (const key of [12, 14, 15, 16]) {
    const chain = await build(world, [INVITE, { replace: changed(key, 1) }]);
    await assertRefused(world, chain, /cannot be read/);
  }
});

Deno.test("chain is refused with another algorithm or an unprotected header", async () => {
  const world = await newWorld();
  const [token] = await build(world, [GUEST]);
  const { payload, signature } = decodeEnvelope(token!, 1024);
  const eddsa = new Uint8Array([0xa1, 0x01, 0x27]); // {1: -8}, EdDSA, which RFC 9864 deprecates
  const header = new Uint8Array([0xa1, 0x01, 0x32]);
  assert.deepEqual(encodeCbor([header, new Map(), payload, signature]), token);
  const others: CborValue[] = [
    [eddsa, new Map(), payload, signature],
    [new Uint8Array(), new Map([[1, -19]]), payload, signature],
    [header, new Map([[4, new Uint8Array(8)]]), payload, signature],
    [header, new Map(), payload],
    [header, new Map(), payload, signature, signature],
  ];
  for (const other of others) await assertRefused(world, [encodeCbor(other)], /cannot be read/);
});

Deno.test("chain is refused with its signature cut, prolonged or with S + L", async () => {
  const world = await newWorld();
  const [token] = await build(world, [GUEST]);
  const { payload, signature } = decodeEnvelope(token!, 1024);
  const order = 2n ** 252n + 27742317777372353535851937790883648493n; // RFC 8032 5.1
  const scalar = signature.slice(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const malleable = concat(
    signature.slice(0, 32),
    Uint8Array.from({ length: 32 }, (_, i) => Number(((scalar + order) >> BigInt(8 * i)) & 255n)),
  );
  await assertRefused(world, [encodeEnvelope({ payload, signature: malleable })], /signature/);
  for (const length of [0, 63, 65]) {
    const other = new Uint8Array(length);
    other.set(signature.slice(0, length));
    await assertRefused(world, [encodeEnvelope({ payload, signature: other })], /cannot be read/);
  }
});

Deno.test("chain is refused with any link cut at any byte", async () => {
  const world = await newWorld();
  const chain = await build(world, [GUEST, INVITE, GUEST]);
  for (const [i, token] of chain.entries()) {
    for (let length = 0; length < token.length; length++) {
      await assertRefused(world, chain.with(i, token.slice(0, length)), /cannot be read/);
    }
    await assertRefused(world, chain.with(i, concat(token, new Uint8Array(1))), /cannot be read/);
  }
});

Deno.test("chain is refused with a bit changed in any byte of any link", async () => {
  const world = await newWorld();
  const chain = await build(world, [INVITE, GUEST]);
  await verify(world, chain);
  for (const [i, token] of chain.entries()) {
    for (let at = 0; at < token.length; at++) {
      await assertRefused(world, chain.with(i, flipped(token, at)), /Cannot accept grant/);
    }
  }
});

Deno.test("chain is refused after any change of any bytes of any link", async () => {
  const world = await newWorld();
  const chain = await build(world, [GUEST, INVITE, GUEST]);
  const change = fc.record({
    link: fc.nat(2),
    at: fc.nat(10_000),
    take: fc.nat(3),
    put: fc.uint8Array({ maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ link, at, take, put }) => {
      const token = chain[link]!;
      const start = at % token.length;
      const other = concat(token.slice(0, start), put, token.slice(start + take));
      fc.pre(!equalBytes(token, other));
      await assertRefused(world, chain.with(link, other), /Cannot accept grant/);
    }),
    { numRuns: 300 },
  );
});

const limits = fc.record({
  scope: fc.record({
    services: fc.subarray([1, 2], { minLength: 1 }),
    cameras: fc.subarray([1, 2]),
    operations: fc.subarray(["view", "talk"] as const, { minLength: 1 }),
  }, { noNullPrototype: true }),
  notBefore: fc.constantFrom(NOON, NOON + 1),
  expires: fc.constantFrom(NOON + DAY - 1, NOON + DAY),
  ttl: fc.constantFrom(DAY - 1, DAY),
}, { noNullPrototype: true });
type Limits = Pick<GrantFields, "scope" | "notBefore" | "expires" | "ttl">;

function narrows(inner: Limits, outer: Limits): boolean {
  return isWithin(inner.scope, outer.scope) && inner.notBefore >= outer.notBefore &&
    inner.expires <= outer.expires && inner.ttl <= outer.ttl;
}

/** The part that both have, or the narrower of both where a scope would be empty. */
function within(inner: Limits, outer: Limits, isEager: boolean): Limits {
  if (isEager) return inner;
  return {
    ...outer,
    notBefore: Math.max(inner.notBefore, outer.notBefore),
    expires: Math.min(inner.expires, outer.expires),
    ttl: Math.min(inner.ttl, outer.ttl),
  };
}

Deno.test("chain holds exactly if each link narrows the one before, and then all narrow the first", async () => {
  const world = await newWorld();
  let [held, refused] = [0, 0];
  const links = fc.tuple(limits, limits, limits, fc.boolean(), fc.boolean());
  await fc.assert(
    fc.asyncProperty(links, async ([first, b, c, isEager, isEagerToo]) => {
      const second = within(b, first, isEager);
      const third = within(c, second, isEagerToo);
      const chain = await build(world, [first, second, third].map((fields) => ({ fields })));
      if (narrows(second, first) && narrows(third, second)) {
        const { scope, notBefore, expires, ttl } = await verify(world, chain);
        assert.ok(narrows({ scope, notBefore, expires, ttl }, first));
        held++;
      } else {
        await assertRefused(world, chain, /widens|later|before|ttl/);
        refused++;
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(held > 20 && refused > 20, `${held} held, ${refused} refused`);
});

/**
 * Counts what a verification costs: items of CBOR that were read, and signatures that were looked at (noble hashes with
 * SHA-512, and nothing else does).
 */
async function workOf(step: () => Promise<unknown>): Promise<{ items: number; hashes: number }> {
  const work = { items: 0, hashes: 0 };
  const { next } = Tokenizer.prototype;
  const { digest } = crypto.subtle;
  Tokenizer.prototype.next = function () {
    work.items++;
    return next.call(this);
  };
  crypto.subtle.digest = function (algorithm, data) {
    if (algorithm === "SHA-512") work.hashes++;
    return digest.call(crypto.subtle, algorithm, data);
  };
  try {
    await step();
  } finally {
    Tokenizer.prototype.next = next;
    crypto.subtle.digest = digest;
  }
  return work;
}

Deno.test("chain's cost is counted: two signatures for two links, one for a first that is forged", async () => {
  const world = await newWorld();
  const chain = await build(world, [INVITE, GUEST]);
  const good = await workOf(() => verify(world, chain));
  assert.equal(good.hashes, 2);
  assert.ok(good.items > 60);
  const forged = chain.with(0, flipped(chain[0]!, chain[0]!.length - 20));
  assert.equal((await workOf(() => assertRefused(world, forged, /signature/))).hashes, 1);
  const stranger = await build(world, [{ ...INVITE, signer: await newSigner() }, GUEST]);
  assert.equal((await workOf(() => assertRefused(world, stranger, /nobody/))).hashes, 0);
});

Deno.test("chain refuses every hostile input of RFC 8949 in every place, at a bounded cost and without a signature", async () => {
  const world = await newWorld();
  const [good] = await build(world, [GUEST]);
  const { payload } = decodeEnvelope(good!, 1024);
  const scope = payload.length - 18; // behind it stand depth and ttl
  assert.equal(payload[scope], 0xa3);
  for (const [name, hex] of Object.entries(HOSTILE_CBOR)) {
    const hostile = fromHex(hex);
    const inScope = concat(payload.slice(0, scope), hostile, payload.slice(scope + 10));
    const tokens = [
      hostile,
      await signEnvelope("guest", hostile, world.owner),
      await signEnvelope("guest", inScope, world.owner),
    ];
    for (const token of tokens) {
      const rule = token.length > 1024 ? /too long/ : /cannot be read/;
      const { items, hashes } = await workOf(() => assertRefused(world, [token], rule));
      assert.equal(hashes, 0, name);
      assert.ok(items <= 2 * Math.min(token.length, 1024), `${name}: ${items} items`);
    }
  }
});
