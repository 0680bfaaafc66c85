import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac, createSign, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { createSelfSignedCertificate } from "werift";
import {
  type Handshake,
  type HandshakeMessage,
  lateMessages,
  lateRecords,
  records,
  verifyClient,
} from "./dtls_guard.ts";

function record(type: number, epoch: number, body: readonly number[] = [1, 2, 3]): Buffer {
  return Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 1, 2, 0, body.length, ...body]);
}

Deno.test("a datagram is cut into its whole records at any length", () => {
  const whole = Buffer.concat([record(22, 0), record(23, 1, []), record(21, 1)]);
  const ends = [16, 29, 45];
  for (let length = 0; length <= whole.length; length++) {
    const found = records(whole.subarray(0, length));
    assert.equal(found.length, ends.filter((end) => end <= length).length);
  }
  const [first, second, third] = records(whole);
  assert.deepEqual([first!.type, first!.epoch, first!.sequenceNumber], [22, 0, 0x102]);
  assert.deepEqual(first!.version, { major: 0xfe, minor: 0xfd });
  assert.deepEqual([...third!.fragment], [1, 2, 3]);
  assert.equal(second!.fragment.length, 0);
});

Deno.test("any bytes are cut without a throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    const length = records(Buffer.from(bytes)).reduce((sum, { bytes }) => sum + bytes.length, 0);
    assert.ok(length <= bytes.length);
  }));
});

Deno.test("after the handshake only encrypted records of known kinds are left", () => {
  const data = record(23, 1);
  const finished = record(22, 1);
  const foreign = [record(21, 0), record(22, 0), record(20, 0), record(20, 1), record(25, 1)];
  const mixed = Buffer.concat([foreign[0]!, data, foreign[1]!, finished, ...foreign.slice(2)]);
  assert.deepEqual(lateRecords(mixed, () => true), Buffer.concat([data, finished]));
  assert.equal(lateRecords(Buffer.concat(foreign), () => true), undefined);
  const alert = record(21, 1);
  assert.deepEqual(lateRecords(alert, () => true), alert);
  assert.equal(lateRecords(alert, () => false), undefined);
});

function message(type: number, fragment: Uint8Array): HandshakeMessage {
  return { msg_type: type, fragment, serialize: () => Buffer.concat([Buffer.of(type), fragment]) };
}

Deno.test("of late handshake messages only Finished is left", () => {
  const finished = message(20, Buffer.alloc(12));
  assert.deepEqual(lateMessages([message(1, Buffer.alloc(4)), finished]), [finished]);
});

/** A handshake as an honest client would leave it, made without the code under test. */
async function honest(): Promise<Handshake & { readonly key: string }> {
  const { certPem, keyPem } = await createSelfSignedCertificate({ signature: 3, hash: 4 }, 23);
  const body = certPem.replace(/-----[^-]+-----/g, "");
  const masterSecret = Buffer.alloc(48, 7);
  const before = [message(1, Buffer.of(1)), message(11, Buffer.of(2)), message(16, Buffer.of(3))];
  const messages = [...before, certificateVerify(before, keyPem)];
  messages.push(finished(messages, masterSecret));
  const certificate = Buffer.from(body, "base64");
  return { messages, certificate, masterSecret, extendedMasterSecret: true, key: keyPem };
}

function bytesOf(messages: readonly HandshakeMessage[]): Buffer {
  return Buffer.concat(messages.map((one) => one.serialize()));
}

function certificateVerify(before: readonly HandshakeMessage[], key: string): HandshakeMessage {
  const signature = createSign("sha256").update(bytesOf(before)).sign(key);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(signature.length);
  return message(15, Buffer.concat([Buffer.of(4, 3), length, signature]));
}

function finished(before: readonly HandshakeMessage[], secret: Uint8Array): HandshakeMessage {
  const hash = createHash("sha256").update(bytesOf(before)).digest();
  const seed = Buffer.concat([Buffer.from("client finished"), hash]);
  const a = createHmac("sha256", secret).update(seed).digest();
  const block = createHmac("sha256", secret).update(Buffer.concat([a, seed])).digest();
  return message(20, block.subarray(0, 12));
}

Deno.test("an honest client is accepted", async () => {
  verifyClient(await honest());
});

Deno.test("a client that leaves out, changes or borrows anything is refused", async () => {
  const good = await honest();
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
    .export({ format: "pem", type: "pkcs8" }).toString();
  const before = good.messages.slice(0, 3);
  const [proof, last] = good.messages.slice(3) as [HandshakeMessage, HandshakeMessage];
  const stolen = [...before, certificateVerify(before, other)];
  const rsaScheme = message(15, Buffer.concat([Buffer.of(4, 1), proof.fragment.subarray(2)]));
  const bent = Buffer.from(last.fragment);
  bent[0]! ^= 1;
  const cases: [RegExp, Partial<Handshake>][] = [
    [/extended master secret/, { extendedMasterSecret: false }],
    [/missing/, { messages: [...before, last] }],
    [/missing/, { messages: [...before, proof] }],
    [/missing/, { messages: [...before, last, proof] }],
    [/not its own/, { messages: [...stolen, finished(stolen, good.masterSecret)] }],
    [/scheme/, { messages: [...before, rsaScheme, last] }],
    [/too short/, { messages: [...before, message(15, Buffer.of(4, 3)), last] }],
    [/length/, { messages: [...before, message(15, Buffer.of(4, 3, 0, 9, 1)), last] }],
    [/Finished/, { messages: [...before, proof, message(20, bent)] }],
    [/Finished/, { messages: [...before, proof, message(20, Buffer.alloc(0))] }],
    [/Finished/, { masterSecret: Buffer.alloc(48, 8) }],
    [/not its own/, { messages: [message(1, Buffer.of(9)), ...good.messages.slice(1)] }],
  ];
  for (const [reason, change] of cases) {
    assert.throws(() => verifyClient({ ...good, ...change }), reason);
  }
});
