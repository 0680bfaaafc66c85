/** Checks of presence, offer, answer, candidates, confirmation and their keys. */
import { type Step, stepsOf } from "./step.ts";

export const HANDSHAKE_STEPS: readonly Step[] = [
  ...stepsOf("src/trust/presence.ts", {
    "src/trust/presence_test.ts": [
      [
        "its signature",
        '  await verifyEnvelope("presence", envelope, devicePublicKey);\n',
        "",
        "presence gives back what its device signed, and is nobody else's",
      ],
      [
        "its version",
        "  map.expect(KEY.version, VERSION);\n",
        "",
        "presence that is well signed is refused with any field that it may not have",
      ],
      [
        "the device that it names",
        "if (!equalBytes(map.bytes(KEY.device, DEVICE_ID_BYTES), await deviceId(devicePublicKey)))",
        "if (false)",
        "presence that is well signed is refused with any field that it may not have",
      ],
    ],
  }),
  ...stepsOf("src/trust/browser_handshake.ts", {
    "src/trust/handshake_test.ts": [
      [
        "least version of the device",
        "if (heard.minVersion > HANDSHAKE_VERSION)",
        "if (false)",
        "handshake refuses to start with a presence that the device did not sign for itself",
      ],
      [
        "a claim and grants at once",
        "if (claim && grants)",
        "if (false)",
        "handshake does not start with a claim and grants at once",
      ],
      [
        "the claim of a link, at the start",
        'await refuseAs("malformed", "claim", () => verifyClaim(claim.token, devicePublicKey));',
        "",
        "handshake refuses to start with a presence that the device did not sign for itself",
      ],
      [
        "an offer once only",
        'if (this.#state.kind !== "ready") throw this.#outOfTurn("offer");',
        "",
        "handshake refuses each step out of turn",
      ],
      [
        "an answer once only",
        'if (state.kind !== "offered") throw this.#outOfTurn("accept answer");',
        "",
        "handshake tells the browser the device's signed reason and ends",
      ],
      [
        "a refusal is final",
        '        this.#set({ kind: "refused" });\n',
        "",
        "handshake tells the browser the device's signed reason and ends",
      ],
      [
        "whose key proves in the channel",
        "peerPublicKey: this.#session.devicePublicKey",
        "peerPublicKey: this.#session.browser.publicKey",
        "handshake brings both ends to the same fields and a confirmed channel",
      ],
    ],
    "src/trust/forged_test.ts": [
      [
        "the chosen version",
        "if (answer.version !== HANDSHAKE_VERSION)",
        "if (false)",
        "answer with a version that was not offered is refused, and the true one taken",
      ],
    ],
  }),
  ...stepsOf("src/trust/offer.ts", {
    "src/trust/handshake_test.ts": [
      [
        "its size",
        "WIRE_SIZES.includes(wire.length) && wire[0] === MESSAGE.offer",
        "wire[0] === MESSAGE.offer",
        "handshake refuses an offer cut anywhere",
      ],
      [
        "the epoch of the key",
        "own.sealing.find((candidate) => candidate.epoch === epoch)",
        "own.sealing[0]",
        "handshake refuses an offer made for another device or key",
      ],
      [
        "characters of the label",
        "if (!isLabel(label))",
        "if (false)",
        "handshake refuses signed offers whose session key, versions, label or claim it cannot take",
      ],
    ],
    "src/trust/offer_test.ts": [
      [
        "its type byte",
        "WIRE_SIZES.includes(wire.length) && wire[0] === MESSAGE.offer",
        "WIRE_SIZES.includes(wire.length)",
        "offer is marked with the tag of its pass, or with one that nobody knows",
      ],
      [
        "its payload's version",
        "  map.expect(KEY.version, PAYLOAD_VERSION);\n",
        "",
        "offer that is well signed is malformed with any field missing, further or of another type",
      ],
      [
        "binding to device, key and seal",
        "if (!equalBytes(map.bytes(KEY.binding, binding.length), binding))",
        "if (false)",
        "offer that is well signed is malformed with any field missing, further or of another type",
      ],
      [
        "binding: the device",
        'utf8("porthole/offer-binding/v1"), to.device, to.sealingKey, enc',
        'utf8("porthole/offer-binding/v1"), to.sealingKey, enc',
        "offer that is well signed is malformed with any field missing, further or of another type",
      ],
      [
        "binding: the key",
        'utf8("porthole/offer-binding/v1"), to.device, to.sealingKey, enc',
        'utf8("porthole/offer-binding/v1"), to.device, enc',
        "offer that is well signed is malformed with any field missing, further or of another type",
      ],
      [
        "binding: the seal",
        'utf8("porthole/offer-binding/v1"), to.device, to.sealingKey, enc',
        'utf8("porthole/offer-binding/v1"), to.device, to.sealingKey',
        "offer that is well signed is malformed with any field missing, further or of another type",
      ],
      [
        "the seal's device",
        'utf8("porthole/offer/v1"), to.device, uint32(to.epoch)',
        'utf8("porthole/offer/v1"), uint32(to.epoch)',
        "offer that is well signed is malformed with any field missing, further or of another type",
      ],
      [
        "its signature",
        '    await verifyEnvelope("offer", envelope, offer.browserPublicKey);\n',
        "",
        "offer that is well signed is malformed with any field missing, further or of another type",
      ],
      [
        "a claim and grants at once",
        "if (map.has(KEY.claim) && map.has(KEY.grants))",
        "if (false)",
        "offer is refused with grants or a time that the device cannot take",
      ],
      [
        "the grammar of candidates",
        "candidates: readCandidates(map.value(KEY.candidates))",
        "candidates: map.value(KEY.candidates) as readonly string[]",
        "offer that is well signed is malformed with any field missing, further or of another type",
      ],
      [
        "the range of the time",
        "map.uint(KEY.time, MAX_TIME)",
        "map.uint(KEY.time, Infinity)",
        "offer is refused with grants or a time that the device cannot take",
      ],
      [
        "the number of links",
        "readList(value, MAX_CHAIN_LINKS)",
        "readList(value, Infinity)",
        "offer is refused with grants or a time that the device cannot take",
      ],
      [
        "an empty chain",
        "if (tokens.length === 0)",
        "if (false)",
        "offer is refused with grants or a time that the device cannot take",
      ],
      [
        "the size of a link",
        "readBytes(token, { max: MAX_TOKEN_BYTES })",
        "readBytes(token, { max: Infinity })",
        "offer is refused with grants or a time that the device cannot take",
      ],
    ],
    "src/trust/forged_test.ts": [
      [
        "the number of versions",
        "map.list(KEY.versions, MAX_VERSIONS)",
        "map.list(KEY.versions, Infinity)",
        "offer that is well signed is malformed with a field of another size, range or grammar",
      ],
      [
        "the range of versions",
        "readUint(version, 255)",
        "(version as number)",
        "offer that is well signed is malformed with a field of another size, range or grammar",
      ],
      [
        "the size of its proof",
        "map.bytes(CLAIM_KEY.proof, CLAIM_PROOF_BYTES)",
        "map.bytesUpTo(CLAIM_KEY.proof, Infinity)",
        "offer that is well signed is malformed with a field of another size, range or grammar",
      ],
      [
        "the size of the session id",
        "map.bytes(KEY.session, SESSION_ID_BYTES)",
        "map.bytesUpTo(KEY.session, 99)",
        "offer that is well signed is malformed with a field of another size, range or grammar",
      ],
      [
        "the size of the browser's key",
        "map.bytes(KEY.browser, PUBLIC_KEY_BYTES)",
        "map.bytesUpTo(KEY.browser, 99)",
        "offer that is well signed is malformed with a field of another size, range or grammar",
      ],
      [
        "the size of the boot nonce",
        "map.bytes(KEY.bootNonce, BOOT_NONCE_BYTES)",
        "map.bytesUpTo(KEY.bootNonce, 99)",
        "offer that is well signed is malformed with a field of another size, range or grammar",
      ],
    ],
  }),
  ...stepsOf("src/trust/padding.ts", {
    "src/trust/padding_test.ts": [
      [
        "one of a few sizes",
        'if (!sizes.includes(padded.length)) throw new RangeError("Cannot take padding off: foreign size");',
        "",
        "padding is refused in a foreign size, with a length beyond it, or with more than zeros",
      ],
    ],
    "src/trust/seal_test.ts": [
      [
        "zeros behind",
        "end > padded.length || !isZero",
        "end > padded.length",
        "padding comes off as it was put on and hides the length up to the next size",
      ],
      [
        "a length that is there",
        "end > padded.length || !isZero",
        "!isZero",
        "padding comes off as it was put on and hides the length up to the next size",
      ],
    ],
  }),
  ...stepsOf("src/trust/device_handshake.ts", {
    "src/trust/handshake_test.ts": [
      [
        "the form of a claim",
        'token && await refuseAs("malformed", "claim", () => readClaim(token))',
        "token && { id: token.slice(0, 16), boot: token.slice(0, 8) }",
        "handshake proves the secret of a claim to the device without sending it",
      ],
      [
        "a session key of small order",
        '    await refuseAs("malformed", "offer", () => sharedSecret(key, offer.exchangeKey));\n',
        "",
        "handshake refuses signed offers whose session key, versions, label or claim it cannot take",
      ],
      [
        "the boot nonce",
        'if (!bootNonces.some((nonce) => equalBytes(nonce, offer.bootNonce))) return "stale";',
        "",
        "handshake opens an offer to the previous key and knows the previous boot nonce",
      ],
      [
        "a common version",
        'offer.versions.includes(HANDSHAKE_VERSION) ? undefined : "version"',
        "undefined",
        "handshake refuses signed offers whose session key, versions, label or claim it cannot take",
      ],
      [
        "the proof of a claim",
        "return equalBytes(claim.proof, await claimProof(key, context));",
        "return true;",
        "handshake proves the secret of a claim to the device without sending it",
      ],
      [
        "one answer only",
        'this.#state.kind !== "received" || this.objection',
        "this.objection",
        "handshake tells the browser the device's signed reason and ends",
      ],
      [
        "no answer against an objection",
        'this.#state.kind !== "received" || this.objection',
        'this.#state.kind !== "received"',
        "handshake opens an offer to the previous key and knows the previous boot nonce",
      ],
      [
        "one refusal only",
        'if (this.#state.kind !== "received") throw this.#outOfTurn("refuse");',
        "",
        "handshake refuses each step out of turn",
      ],
      [
        "candidates and proofs after the answer only",
        'if (this.#state.kind !== "answered") throw this.#outOfTurn(what);',
        "",
        "handshake refuses each step out of turn",
      ],
      [
        "whose key proves in the channel",
        "peerPublicKey: offer.browserPublicKey",
        "peerPublicKey: device.publicKey",
        "handshake brings both ends to the same fields and a confirmed channel",
      ],
    ],
  }),
  ...stepsOf("src/trust/seal.ts", {
    "src/trust/shared_secret_test.ts": [
      [
        "a key of small order",
        "if (secret.every((byte) => byte === 0))",
        "if (false)",
        "a secret of zeros is refused even where WebCrypto lets a key of small order pass",
      ],
    ],
    "src/trust/seal_test.ts": [
      [
        "each message opens once",
        "      this.#next++;\n",
        "",
        "seal counts: each message opens once, in order, and junk does not put it out of step",
      ],
      [
        "the info",
        "{ recipientKey: key.pair, enc, info }",
        "{ recipientKey: key.pair, enc, info: new Uint8Array() }",
        "seal opens the base-mode vector of RFC 9180 A.1.1",
      ],
      [
        "the clear bytes around",
        "context.open(sealed, additional)",
        "context.open(sealed)",
        "seal opens the base-mode vector of RFC 9180 A.1.1",
      ],
    ],
  }),
  ...stepsOf("src/trust/answer.ts", {
    "src/trust/handshake_test.ts": [
      [
        "its size",
        "!WIRE_SIZES.includes(wire.length) || wire[0] !== MESSAGE.answer",
        "wire[0] !== MESSAGE.answer",
        "handshake refuses an answer cut or changed anywhere, and still takes the true one",
      ],
    ],
    "src/trust/answer_test.ts": [
      [
        "its type byte",
        "!WIRE_SIZES.includes(wire.length) || wire[0] !== MESSAGE.answer",
        "!WIRE_SIZES.includes(wire.length)",
        "answer with the type of another message or of another size is malformed",
      ],
      [
        "its signature",
        '() => verifyEnvelope("answer", envelope, context.devicePublicKey)',
        "() => {}",
        "answer is accepted for its own session, offer and key only, even under the same seal",
      ],
      [
        "its payload's version",
        "  map.expect(KEY.version, PAYLOAD_VERSION);\n",
        "",
        "answer with a reason or keys that nobody knows is refused though it is signed",
      ],
      [
        "its session",
        "equalBytes(map.bytes(KEY.session, SESSION_ID_BYTES), context.sessionId)",
        "true",
        "answer is accepted for its own session, offer and key only, even under the same seal",
      ],
      [
        "its transcript",
        "equalBytes(map.bytes(KEY.transcript, expected.length), expected)",
        "true",
        "answer is accepted for its own session, offer and key only, even under the same seal",
      ],
      [
        "the reasons that there are",
        "if (reason === undefined)",
        "if (false)",
        "answer with a reason or keys that nobody knows is refused though it is signed",
      ],
      [
        "transcript: the offer as it travelled",
        "await sha256(offer.wire), await sha256(offer.text), exchangeKey",
        "await sha256(offer.text), exchangeKey",
        "answer is accepted for its own session, offer and key only, even under the same seal",
      ],
      [
        "transcript: the offer as it was signed",
        "await sha256(offer.wire), await sha256(offer.text), exchangeKey",
        "await sha256(offer.wire), exchangeKey",
        "answer is accepted for its own session, offer and key only, even under the same seal",
      ],
      [
        "transcript: the device's session key",
        "await sha256(offer.wire), await sha256(offer.text), exchangeKey",
        "await sha256(offer.wire), await sha256(offer.text)",
        "answer is accepted for its own session, offer and key only, even under the same seal",
      ],
      [
        "fields of a refusal",
        "isRefusal ? REFUSED : ACCEPTED",
        "{ required: HEAD, optional: [KEY.chosen, KEY.transport, KEY.refusal] }",
        "answer with a reason or keys that nobody knows is refused though it is signed",
      ],
    ],
  }),
  ...stepsOf("src/trust/trickle.ts", {
    "src/trust/handshake_test.ts": [
      [
        "its size",
        "wire.length !== WIRE_BYTES || wire[0] !== MESSAGE.candidate",
        "wire[0] !== MESSAGE.candidate",
        "handshake refuses candidates replayed, out of order, changed, reflected or cut",
      ],
      [
        "its type byte",
        "wire.length !== WIRE_BYTES || wire[0] !== MESSAGE.candidate",
        "wire.length !== WIRE_BYTES",
        "handshake refuses candidates replayed, out of order, changed, reflected or cut",
      ],
      [
        "how many may be sent",
        "if (this.#sealed >= MAX_TRICKLED_CANDIDATES)",
        "if (false)",
        "handshake keeps the order of candidates that are sealed and opened at once",
      ],
    ],
    "src/trust/trickle_test.ts": [
      [
        "how many may come",
        "if (++this.#opened > MAX_TRICKLED_CANDIDATES)",
        "if (false)",
        "trickle takes 64 candidates and refuses the next, though it is well sealed",
      ],
      [
        "the grammar of one that comes",
        "checkCandidate(new TextDecoder().decode(unpad(text, TEXT_SIZES)))",
        "new TextDecoder().decode(unpad(text, TEXT_SIZES))",
        "trickle neither sends nor takes what is not one candidate",
      ],
      [
        "the grammar of one that is sent",
        "pad(utf8(checkCandidate(candidate)), TEXT_SIZES)",
        "pad(utf8(candidate), TEXT_SIZES)",
        "trickle neither sends nor takes what is not one candidate",
      ],
    ],
  }),
  ...stepsOf("src/trust/transport_fields.ts", {
    "src/trust/handshake_test.ts": [
      [
        "the grammar of ufrag",
        "!UFRAG.test(ufrag) || !PWD.test(pwd)",
        "!PWD.test(pwd)",
        "handshake refuses fields that could break a line of SDP",
      ],
      [
        "the grammar of pwd",
        "!UFRAG.test(ufrag) || !PWD.test(pwd)",
        "!UFRAG.test(ufrag)",
        "handshake refuses fields that could break a line of SDP",
      ],
      [
        "the size of the fingerprint",
        "map.bytes(KEY.fingerprint, FINGERPRINT_BYTES)",
        "map.bytesUpTo(KEY.fingerprint, 99)",
        "handshake refuses fields that could break a line of SDP",
      ],
      [
        "the grammar of a candidate",
        "candidate.length <= MAX_CANDIDATE_BYTES && CANDIDATE.test(candidate) &&",
        "candidate.length <= MAX_CANDIDATE_BYTES &&",
        "handshake refuses fields that could break a line of SDP",
      ],
    ],
    "src/trust/forged_test.ts": [
      [
        "the words of setup",
        "map.uint(KEY.setup, SETUPS.length - 1)",
        "map.uint(KEY.setup, 99)",
        "offer that is well signed is malformed with a field of another size, range or grammar",
      ],
      [
        "the number of candidates",
        "readList(value, MAX_OFFERED_CANDIDATES)",
        "readList(value, Infinity)",
        "offer that is well signed is malformed with a field of another size, range or grammar",
      ],
    ],
    "src/trust/transport_fields_test.ts": [
      [
        "the size of a candidate",
        "const fits = candidate.length <= MAX_CANDIDATE_BYTES && CANDIDATE.test(candidate) &&\n    utf8(candidate).length <= MAX_CANDIDATE_BYTES;",
        "const fits = CANDIDATE.test(candidate);",
        "candidate is as long as its limit, and no longer, whatever its grammar says",
      ],
    ],
  }),
  ...stepsOf("src/trust/session_keys.ts", {
    "src/trust/session_keys_test.ts": [
      [
        "both session keys",
        [{ text: "    await sharedSecret(own, others.exchangeKey),\n", instead: "" }, {
          text: "    await sharedSecret(own.exchange, other.exchangeKey),\n",
          instead: "",
        }],
        "",
        "session keys are drawn from both agreements and the offer, as PROTOCOL.md says",
      ],
      [
        "the device's sealing key",
        [{ text: "    await sharedSecret(own, others.sealingKey),\n", instead: "" }, {
          text: "    await sharedSecret(own.sealing, other.exchangeKey),\n",
          instead: "",
        }],
        "",
        "session keys are drawn from both agreements and the offer, as PROTOCOL.md says",
      ],
      [
        "the offer",
        "secret: Bytes, salt: Bytes): Promise<SessionKeys> {\n",
        "secret: Bytes, _salt: Bytes): Promise<SessionKeys> {\n  const salt = new Uint8Array(32);\n",
        "session keys are drawn from both agreements and the offer, as PROTOCOL.md says",
      ],
      [
        "a key for each direction",
        'draw("from-device")',
        'draw("from-browser")',
        "session keys are drawn from both agreements and the offer, as PROTOCOL.md says",
      ],
    ],
  }),
  ...stepsOf("src/trust/restart.ts", {
    "src/trust/restart_test.ts": [
      [
        "a number above all before",
        "if (counter <= this.#received)",
        "if (false)",
        "what came before, or is older than what came, is refused; what got lost is not missed",
      ],
      [
        "the session that it names",
        "session === undefined || session !== toHex(this.#session)",
        "session === undefined",
        "a message of this end, or of another session with the same keys, is refused",
      ],
    ],
  }),
  ...stepsOf("src/trust/confirmation.ts", {
    "src/trust/handshake_test.ts": [
      [
        "our certificate is the signed one",
        "if (equalBytes(seen.local, signed.local) && equalBytes(seen.remote, signed.remote)) return;",
        "if (equalBytes(seen.remote, signed.remote)) return;",
        "confirmation refuses a certificate that is not the signed one",
      ],
      [
        "theirs is the signed one",
        "if (equalBytes(seen.local, signed.local) && equalBytes(seen.remote, signed.remote)) return;",
        "if (equalBytes(seen.local, signed.local)) return;",
        "confirmation refuses a certificate that is not the signed one",
      ],
      [
        "one start",
        'if (this.#state.kind !== "idle") throw this.#outOfTurn("start");',
        "",
        "confirmation refuses a certificate that is not the signed one",
      ],
      [
        "one nonce, after the start",
        'if (this.#state.kind !== "waiting") throw this.#outOfTurn("take nonce");',
        'if (!("nonce" in this.#state)) this.#state = { kind: "waiting", transcript: new Uint8Array(32), nonce: new Uint8Array(32) };',
        "confirmation refuses reflection, foreign sessions, foreign keys and wrong order",
      ],
      [
        "no proof before the nonce",
        'if (state.kind !== "proving") throw this.#outOfTurn("take proof");',
        'if (state.kind !== "proving") return this.#set({ kind: "done" }) as undefined;',
        "confirmation refuses proofs cut or changed anywhere, for good",
      ],
      [
        "what it signs",
        "if (!equalBytes(envelope.payload, state.expected))",
        "if (false)",
        "confirmation refuses the same device's proof for another session of the same browser",
      ],
      [
        "its signature",
        '() => verifyEnvelope("chan", envelope, this.#context.peerPublicKey)',
        "() => {}",
        "confirmation refuses proofs cut or changed anywhere, for good",
      ],
      [
        "a failure is final",
        '        this.#set({ kind: "failed" });\n',
        "",
        "confirmation refuses a certificate that is not the signed one",
      ],
      [
        "foreign messages",
        'throw new HandshakeError("malformed", "Cannot accept confirmation: foreign type");',
        "return undefined;",
        "confirmation refuses proofs cut or changed anywhere, for good",
      ],
    ],
    "src/trust/confirmation_test.ts": [
      [
        "the size of the nonce",
        "if (theirs.length !== NONCE_BYTES)",
        "if (false)",
        "confirmation refuses nonces of another size, a second one, and foreign messages",
      ],
      [
        "transcript: the offer",
        "await sha256(domain, await sha256(offerWire), await sha256(answerWire), browser, device)",
        "await sha256(domain, await sha256(answerWire), browser, device)",
        "confirmation holds between two ends that saw the same, and no others",
      ],
      [
        "transcript: the answer",
        "await sha256(domain, await sha256(offerWire), await sha256(answerWire), browser, device)",
        "await sha256(domain, await sha256(offerWire), browser, device)",
        "confirmation holds between two ends that saw the same, and no others",
      ],
      [
        "transcript: the browser's certificate",
        "await sha256(domain, await sha256(offerWire), await sha256(answerWire), browser, device)",
        "await sha256(domain, await sha256(offerWire), await sha256(answerWire), device)",
        "confirmation holds between two ends that saw the same, and no others",
      ],
      [
        "transcript: the device's certificate",
        "await sha256(domain, await sha256(offerWire), await sha256(answerWire), browser, device)",
        "await sha256(domain, await sha256(offerWire), await sha256(answerWire), browser)",
        "confirmation holds between two ends that saw the same, and no others",
      ],
      [
        "who signs: role",
        "      [KEY.role, ROLE_NUMBER[role]],\n",
        "",
        "confirmation signs exactly the fields of PROTOCOL.md, and takes exactly those",
      ],
      [
        "the transcript is signed",
        "      [KEY.transcript, signed.transcript],\n",
        "",
        "confirmation holds between two ends that saw the same, and no others",
      ],
      [
        "our nonce is signed by them",
        "      [KEY.otherNonce, signed.otherNonce],\n",
        "",
        "confirmation signs exactly the fields of PROTOCOL.md, and takes exactly those",
      ],
      [
        "their nonce is signed by them",
        "      [KEY.ownNonce, signed.ownNonce],\n",
        "",
        "confirmation signs exactly the fields of PROTOCOL.md, and takes exactly those",
      ],
    ],
  }),
];
