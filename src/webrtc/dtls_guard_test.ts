import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { createSelfSignedCertificate } from "werift";
import {
  type Handshake,
  type ServerHandshake,
  type TranscriptMessage,
  verifyClient,
  verifyServer,
} from "./dtls_guard.ts";

function message(type: number, fragment: Uint8Array): TranscriptMessage {
  return { msg_type: type, fragment, serialize: () => Buffer.concat([Buffer.of(type), fragment]) };
}

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

function bytesOf(messages: readonly TranscriptMessage[]): Buffer {
  return Buffer.concat(messages.map((one) => one.serialize()));
}

function certificateVerify(before: readonly TranscriptMessage[], key: string): TranscriptMessage {
  const signature = createSign("sha256").update(bytesOf(before)).sign(key);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(signature.length);
  return message(15, Buffer.concat([Buffer.of(4, 3), length, signature]));
}

function finished(
  before: readonly TranscriptMessage[],
  secret: Uint8Array,
  label = "client finished",
): TranscriptMessage {
  const hash = createHash("sha256").update(bytesOf(before)).digest();
  const seed = Buffer.concat([Buffer.from(label), hash]);
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
  const [proof, last] = good.messages.slice(3) as [TranscriptMessage, TranscriptMessage];
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

/** A handshake as an honest server would leave it. */
async function honestServer(): Promise<ServerHandshake & { readonly params: Buffer }> {
  const { certPem, keyPem } = await createSelfSignedCertificate({ signature: 3, hash: 4 }, 23);
  const randoms = { client: Buffer.alloc(32, 1), server: Buffer.alloc(32, 2) };
  const params = Buffer.concat([Buffer.of(3, 0, 29, 32), Buffer.alloc(32, 9)]);
  const exchange = keyExchange(params, randoms, keyPem);
  const masterSecret = Buffer.alloc(48, 7);
  const before = [message(1, Buffer.of(1)), message(2, Buffer.of(2)), exchange];
  const messages = [...before, finished(before, masterSecret)];
  return {
    ...{ messages, randoms, masterSecret, params, extendedMasterSecret: true },
    certificate: Buffer.from(certPem.replace(/-----[^-]+-----/g, ""), "base64"),
    finished: finished(messages, masterSecret, "server finished").fragment,
  };
}

function keyExchange(
  params: Buffer,
  { client, server }: ServerHandshake["randoms"],
  key: string,
): TranscriptMessage {
  const signature = createSign("sha256").update(Buffer.concat([client, server, params])).sign(key);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(signature.length);
  return message(12, Buffer.concat([params, Buffer.of(4, 3), length, signature]));
}

Deno.test("an honest server is accepted", async () => {
  verifyServer(await honestServer());
});

Deno.test("a server that leaves out, changes or borrows anything is refused", async () => {
  const good = await honestServer();
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
    .export({ format: "pem", type: "pkcs8" }).toString();
  const [hello, answer, exchange, last] = good.messages as [
    TranscriptMessage,
    TranscriptMessage,
    TranscriptMessage,
    TranscriptMessage,
  ];
  const stolen = keyExchange(good.params, good.randoms, other);
  const bent = Buffer.from(good.finished);
  bent[0]! ^= 1;
  const cases: [RegExp, Partial<ServerHandshake>][] = [
    [/extended master secret/, { extendedMasterSecret: false }],
    [/ServerKeyExchange is missing/, { messages: [hello, answer, last] }],
    [/our Finished is missing/, { messages: [hello, answer, exchange] }],
    [/no curve/, { messages: [hello, answer, message(12, Buffer.of(1, 2, 3, 4, 5)), last] }],
    [/too short/, { messages: [hello, answer, message(12, Buffer.of(3, 0, 29, 32, 5)), last] }],
    [/not its own/, { messages: [hello, answer, stolen, last] }],
    [/not its own/, { randoms: { ...good.randoms, client: Buffer.alloc(32, 3) } }],
    [/Finished/, { finished: bent }],
    [/Finished/, { finished: Buffer.alloc(0) }],
    [/Finished/, { finished: last.fragment }],
    [/Finished/, { masterSecret: Buffer.alloc(48, 8) }],
  ];
  for (const [reason, change] of cases) {
    assert.throws(() => verifyServer({ ...good, ...change }), reason);
  }
});
