/** Checks of tokens, chains, links, and the encoding and signatures below them. */
import { type Step, stepsOf } from "./step.ts";

export const TOKENS_STEPS: readonly Step[] = [
  ...stepsOf("src/trust/claim_proof.ts", {
    "src/trust/claim_proof_test.ts": [
      [
        "this session",
        "PROOF_DOMAIN, sessionId, browserPublicKey",
        "PROOF_DOMAIN, browserPublicKey",
        "proof of a claim is this HMAC over session, browser, device and claim",
      ],
      [
        "this browser",
        "sessionId, browserPublicKey, device, claimId)",
        "sessionId, device, claimId)",
        "proof of a claim is this HMAC over session, browser, device and claim",
      ],
      [
        "this device",
        "sessionId, browserPublicKey, device, claimId)",
        "sessionId, browserPublicKey, claimId)",
        "proof of a claim is this HMAC over session, browser, device and claim",
      ],
      [
        "this claim",
        "sessionId, browserPublicKey, device, claimId)",
        "sessionId, browserPublicKey, device)",
        "proof of a claim is this HMAC over session, browser, device and claim",
      ],
    ],
  }),
  ...stepsOf("src/trust/claim.ts", {
    "src/trust/token_fields_test.ts": [
      [
        "its issuer",
        "equalBytes(claim.issuer, await keyId(devicePublicKey)) &&",
        " true &&",
        "claim that its device signed in another's name or for another is refused",
      ],
      [
        "its audience",
        "equalBytes(claim.audience, await deviceId(devicePublicKey));",
        "true;",
        "claim that its device signed in another's name or for another is refused",
      ],
    ],
    "src/trust/claim_test.ts": [
      [
        "its signature",
        '  await verifyEnvelope("claim", openToken(token, () => "claim").envelope, devicePublicKey);\n',
        "",
        "claim is refused cut, changed, of another kind or for another device",
      ],
    ],
  }),
  ...stepsOf("src/trust/pair_link.ts", {
    "src/trust/pair_link_test.ts": [
      [
        "its claim",
        "    await verifyClaim(claim, devicePublicKey!);\n",
        "",
        "pairing link is refused cut, changed or prolonged anywhere",
      ],
      [
        "its version",
        "if (version![0] !== VERSION)",
        "if (false)",
        "pairing link is refused cut, changed or prolonged anywhere",
      ],
    ],
  }),
  ...stepsOf("src/trust/token.ts", {
    "src/trust/grant_test.ts": [
      [
        "its version",
        "  map.expect(KEY.version, VERSION);\n",
        "",
        "grant is refused with any key missing, further or of another type",
      ],
      [
        "its keys, each and no other",
        "const map = readMap(value, LAYOUTS[kind]);",
        "const map = readMap(value, { required: [], optional: Object.values(KEY) });",
        "grant is refused with any key missing, further or of another type",
      ],
      [
        "its size",
        "decodeEnvelope(token, MAX_TOKEN_BYTES)",
        "decodeEnvelope(token, Infinity)",
        "grant is refused cut at every byte, and read otherwise after any change or not at all",
      ],
    ],
  }),
  ...stepsOf("src/trust/grant.ts", {
    "src/trust/grant_test.ts": [
      [
        "it ends after it begins",
        "if (grant.expires <= grant.notBefore)",
        "if (false)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "an invite that can be redeemed",
        'if (kind === "invite" && grant.depth === 0)',
        "if (false)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "nothing is 0 that counts",
        "if (value === 0) throw",
        "if (false) throw",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the range of depth",
        "map.uint(KEY.depth, MAX_GRANT_DEPTH)",
        "map.uint(KEY.depth, 9)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the range of ttl",
        "positive(map, KEY.ttl, MAX_TTL_SECONDS)",
        "positive(map, KEY.ttl, Infinity)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the range of uses",
        "positive(map, KEY.uses, MAX_USES)",
        "positive(map, KEY.uses, Infinity)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the range of its end",
        "map.uint(KEY.expires, MAX_TIME)",
        "map.uint(KEY.expires, Infinity)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the range of its epoch",
        "map.uint(KEY.epoch, MAX_COUNT)",
        "map.uint(KEY.epoch, Infinity)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the size of its parent",
        "map.bytes(KEY.parent, GRANT_HASH_BYTES)",
        "map.bytesUpTo(KEY.parent, 99)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the size of its id",
        "map.bytes(KEY.id, TOKEN_ID_BYTES)",
        "map.bytesUpTo(KEY.id, 99)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the size of its holder",
        "map.bytes(KEY.holder, PUBLIC_KEY_BYTES)",
        "map.bytesUpTo(KEY.holder, 99)",
        "grant is neither written nor read with fields outside the profile",
      ],
      [
        "the size of its audience",
        "map.bytes(KEY.audience, DEVICE_ID_BYTES)",
        "map.bytesUpTo(KEY.audience, 99)",
        "grant is neither written nor read with fields outside the profile",
      ],
    ],
    "src/trust/token_fields_test.ts": [
      [
        "the size of its issuer",
        "map.bytes(KEY.issuer, KEY_ID_BYTES)",
        "map.bytesUpTo(KEY.issuer, 99)",
        "grant with an id, key or name of another size is not read",
      ],
    ],
  }),
  ...stepsOf("src/trust/chain.ts", {
    "src/trust/chain_test.ts": [
      [
        "a known root",
        'if (root === undefined) throw refuse("it is issued by nobody known");',
        "if (root === undefined) return summary(links);",
        "chain is refused if nobody known issued its first link",
      ],
      [
        "the device that it is for",
        "if (!equalBytes(link.grant.audience, options.audience))",
        "if (false)",
        "chain is refused for another device, in any of its links",
      ],
      [
        "that each link narrows",
        "if (parent) await checkNarrowing(link.grant, parent);",
        "",
        "chain is refused if a link names another parent, none, or the first has one",
      ],
      [
        "each link is signed by the holder before",
        "    key = link.grant.holder;\n",
        "",
        "chain of an invite and a guest gives its holder, its links and what is left of them",
      ],
      [
        "the epoch",
        "first.epoch !== root.epoch",
        "first.epoch > root.epoch",
        "chain is refused if its epoch is not the one of its root, but before or after it",
      ],
      [
        "no later epoch",
        "first.epoch !== root.epoch",
        "first.epoch < root.epoch",
        "chain is refused if its epoch is not the one of its root, but before or after it",
      ],
      [
        "one to three links: none",
        "chain.length < 1 || chain.length > MAX_CHAIN_LINKS",
        "chain.length > MAX_CHAIN_LINKS",
        "chain is refused without links, and with four",
      ],
      [
        "one to three links: four",
        "chain.length < 1 || chain.length > MAX_CHAIN_LINKS",
        "chain.length < 1",
        "chain is refused without links, and with four",
      ],
      [
        "its size",
        'if (size > MAX_CHAIN_BYTES) throw refuse("it is too long");',
        "",
        "chain is refused above 1024 bytes, however good its links are",
      ],
      [
        "an invite is followed by a guest",
        'if (grant.kind === "invite" && next !== "guest") throw refuse("an invite is not redeemed");',
        "",
        "chain holds in each order that the grammar has, and in no other",
      ],
      [
        "the first link has no parent, others have",
        'if ((grant.parent === undefined) !== (i === 0)) throw refuse("a link is out of its place");',
        "",
        "chain is refused if nobody known issued its first link",
      ],
      [
        "the issuer of a link",
        'if (!equalBytes(grant.issuer, await keyId(key))) throw refuse("a link has another issuer");',
        "",
        "chain is refused if its root's key is not the one that its key id names",
      ],
      [
        "the signature of a link",
        "    await verifyEnvelope(grant.kind, envelope, key);\n",
        "",
        "chain is refused if a link bears the right issuer and another's signature",
      ],
      [
        "the parent of a link",
        'if (!grant.parent || !equalBytes(grant.parent, hash)) throw refuse("a link has another parent");',
        "",
        "chain is refused if a link names another parent, none, or the first has one",
      ],
      [
        "scope only narrower",
        'if (!isWithin(grant.scope, outer.scope)) throw refuse("its scope widens");',
        "",
        "chain is refused if a link has a service more and is well signed",
      ],
      [
        "end only earlier",
        'if (grant.expires > outer.expires) throw refuse("it ends later than its parent");',
        "",
        "chain is refused if a link ends a second later and is well signed",
      ],
      [
        "begin only later",
        'if (grant.notBefore < outer.notBefore) throw refuse("it begins before its parent");',
        "",
        "chain is refused if a link begins a second earlier and is well signed",
      ],
      [
        "ttl only shorter",
        'if (grant.ttl > outer.ttl) throw refuse("its ttl is longer than its parent\'s");',
        "",
        "chain is refused if a link has a second of ttl more and is well signed",
      ],
      [
        "depth only smaller",
        'if (grant.depth >= outer.depth) throw refuse("its depth does not shrink");',
        "",
        "chain is refused if a link has the same depth and is well signed",
      ],
      [
        "one epoch",
        'if (grant.epoch !== outer.epoch) throw refuse("its epoch is not its parent\'s");',
        "",
        "chain is refused if a link has a later epoch and is well signed",
      ],
    ],
  }),
  ...stepsOf("src/trust/scope.ts", {
    "src/trust/scope_test.ts": [
      [
        "that it names something",
        "if (services.length + cameras.length === 0)",
        "if (false)",
        "scope refuses each thing that it may not hold",
      ],
      [
        "ascending numbers, each once",
        "if (!isAscending)",
        "if (false)",
        "scope refuses each thing that it may not hold",
      ],
      [
        "operations that there are",
        "if (bits < 1 || bits > ALL_BITS) throw",
        "if (false) throw",
        "scope refuses each thing that it may not hold",
      ],
      [
        "its range of operations",
        "operationsOf(map.uint(KEY.operations, ALL_BITS))",
        "operationsOf(map.uint(KEY.operations, ALL_BITS) || 1)",
        "scope refuses each thing that it may not hold",
      ],
      [
        "the number of things",
        "readList(value, MAX_SCOPE_NUMBERS)",
        "readList(value, 64)",
        "scope takes 32 services and 32 cameras and refuses one more",
      ],
      [
        "the range of numbers",
        "readUint(entry, MAX_SCOPE_NUMBER)",
        "(entry as number)",
        "scope refuses each thing that it may not hold",
      ],
      [
        "services within",
        "isSubset(inner.services, outer.services) && ",
        "true && ",
        "scope is within another exactly if it has nothing that the other lacks",
      ],
      [
        "cameras within",
        "isSubset(inner.cameras, outer.cameras) &&",
        "true &&",
        "scope is within another exactly if it has nothing that the other lacks",
      ],
      [
        "operations within",
        "isSubset(inner.operations, outer.operations);",
        "true;",
        "scope is within another exactly if it has nothing that the other lacks",
      ],
    ],
  }),
  ...stepsOf("src/trust/revocation.ts", {
    "src/trust/revocation_test.ts": [
      [
        "its issuer",
        "if (!equalBytes(revocation.issuer, await keyId(expected.issuerKey)))",
        "if (false)",
        "revocation is refused of another owner, for another device, and of another kind",
      ],
      [
        "the device that it is for",
        "if (!equalBytes(revocation.audience, expected.audience))",
        "if (false)",
        "revocation is refused of another owner, for another device, and of another kind",
      ],
      [
        "its signature",
        '  await verifyEnvelope("revoke", envelope, expected.issuerKey);\n',
        "",
        "revocation is refused cut or changed at any byte",
      ],
      [
        "the size of its target",
        "id.length !== TARGET_BYTES[kind] || sequence === 0",
        "sequence === 0",
        "revocation is neither written nor read with fields outside the profile",
      ],
      [
        "a number",
        "id.length !== TARGET_BYTES[kind] || sequence === 0",
        "id.length !== TARGET_BYTES[kind]",
        "revocation is neither written nor read with fields outside the profile",
      ],
    ],
  }),
  ...stepsOf("src/trust/invite_link.ts", {
    "src/trust/invite_link_test.ts": [
      [
        "its version",
        "if (bytes.length > 0 && bytes[0] !== VERSION)",
        "if (false)",
        "borrow link with any byte changed is refused by the page or by the device",
      ],
      ["its end", "  reader.end();\n", "", "borrow link is refused cut or prolonged anywhere"],
      [
        "the signature of a device's own",
        "    await verifyOwnInvite(link);\n",
        "",
        "borrow link of an invite that the device made is verified whole by the page",
      ],
    ],
  }),
  ...stepsOf("src/trust/strict_cbor.ts", {
    "src/trust/strict_cbor_test.ts": [
      [
        "its size",
        'if (bytes.length > maxBytes) throw new CborError("Cannot read CBOR: too long");',
        "",
        "cbor refuses what is longer than its reader allows",
      ],
      [
        "one encoding only",
        'if (!equalBytes(again, bytes)) throw new CborError("Cannot read CBOR: not deterministic");',
        "",
        "cbor refuses every hostile input as a CborError",
      ],
      [
        "integers that are safe",
        "if (Number.isSafeInteger(value) && !Object.is(value, -0)) return;",
        "return;",
        "cbor does not write what it would not read",
      ],
      [
        "keys that are known",
        "if (!known.has(key)) throw new CborError(`Cannot read map: unknown key ${key}`);",
        "",
        "cbor readers refuse other types, lengths, ranges and keys",
      ],
      [
        "keys that are there",
        "if (!value.has(key)) throw new CborError(`Cannot read map: key ${key} is missing`);",
        "",
        "cbor readers refuse other types, lengths, ranges and keys",
      ],
      [
        "a map is a map",
        'if (!(value instanceof Map)) throw new CborError("Cannot read map: another type");',
        "if (!(value instanceof Map)) return new MapReader(new Map());",
        "cbor readers refuse other types, lengths, ranges and keys",
      ],
      [
        "the length of a list",
        'if (value.length > max) throw new CborError("Cannot read list: too long");',
        "",
        "cbor readers refuse other types, lengths, ranges and keys",
      ],
      [
        "the size of a text",
        'if (utf8(value).length > maxBytes) throw new CborError("Cannot read text: too long");',
        "",
        "cbor readers refuse other types, lengths, ranges and keys",
      ],
      [
        "the size of bytes",
        'if (!fits) throw new CborError("Cannot read bytes: wrong length");',
        "",
        "cbor readers refuse other types, lengths, ranges and keys",
      ],
      [
        "the range of a number",
        'if (typeof value !== "number" || value < 0 || value > max) {',
        'if (typeof value !== "number") {',
        "cbor readers refuse other types, lengths, ranges and keys",
      ],
      [
        "one number and no other",
        "if (this.#map.get(key) !== wanted) throw",
        "if (false) throw",
        "cbor readers refuse other types, lengths, ranges and keys",
      ],
    ],
    "src/trust/strict_cbor_cost_test.ts": [
      [
        "tokens of no other kind",
        "throw new CborError(`Cannot read CBOR: ${token.type.name} is not allowed`);",
        "return;",
        "cbor refuses foreign tokens, long lists and depth before anything is built of them",
      ],
      [
        "the length of lists and maps",
        'if (entries > MAX_ENTRIES) throw new CborError("Cannot read CBOR: too many entries");',
        "",
        "cbor refuses foreign tokens, long lists and depth before anything is built of them",
      ],
      [
        "the depth",
        'if (this.#missing.length > MAX_DEPTH) throw new CborError("Cannot read CBOR: too deep");',
        "",
        "cbor refuses foreign tokens, long lists and depth before anything is built of them",
      ],
    ],
  }),
  ...stepsOf("src/trust/cose.ts", {
    "src/trust/cose_test.ts": [
      [
        "one algorithm",
        "equalBytes(header, PROTECTED) &&",
        "true &&",
        "cose refuses every cut and every change before or at the signature",
      ],
      [
        "no other headers",
        "unprotected instanceof Map && unprotected.size === 0",
        "true",
        "cose refuses every cut and every change before or at the signature",
      ],
      [
        "four parts",
        "readList(decodeCbor(bytes, maxBytes), 4)",
        "readList(decodeCbor(bytes, maxBytes), 9)",
        "cose leaves a sender no choice of algorithm, headers or size",
      ],
      [
        "the signature",
        "if (!await verify(publicKey, signedBytes(kind, envelope.payload), envelope.signature))",
        "if (false)",
        "cose accepts a signature for its own kind, key and payload only",
      ],
      [
        "the kind is signed",
        "utf8(DOMAIN + kind), payload",
        "utf8(DOMAIN), payload",
        "cose signs the Sig_structure that an outside verifier builds by hand",
      ],
    ],
    "src/trust/token_fields_test.ts": [
      [
        "the size of a signature",
        "readBytes(signature, { length: SIGNATURE_BYTES })",
        "readBytes(signature, { max: 999 })",
        "signed object with a signature of another size is not taken apart",
      ],
    ],
  }),
  ...stepsOf("src/trust/ed25519.ts", {
    "src/trust/ed25519_test.ts": [
      [
        "a sound key",
        "!isSoundPoint(publicKey) || !isSoundPoint(signature.subarray(0, 32))",
        "!isSoundPoint(signature.subarray(0, 32))",
        "ed25519 refuses all twelve speccheck vectors, on which other verifiers differ",
      ],
      [
        "without torsion",
        "!point.isSmallOrder() && point.isTorsionFree()",
        "!point.isSmallOrder()",
        "ed25519 refuses all twelve speccheck vectors, on which other verifiers differ",
      ],
      [
        "the signature itself",
        "return await verifyAsync(signature, message, publicKey, { zip215: false });",
        "return true;",
        "ed25519 refuses all twelve speccheck vectors, on which other verifiers differ",
      ],
    ],
    "src/trust/ed25519_torsion_test.ts": [
      [
        "a sound R",
        "!isSoundPoint(publicKey) || !isSoundPoint(signature.subarray(0, 32))",
        "!isSoundPoint(publicKey)",
        "ed25519 refuses an R with a torsion component, which a cofactored verifier accepts",
      ],
      [
        "of no small order",
        "!point.isSmallOrder() && point.isTorsionFree()",
        "point.isTorsionFree()",
        "no point of small order is sound, the neutral one included",
      ],
    ],
  }),
];
