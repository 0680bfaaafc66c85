/**
 * Attacks by somebody who has no part in any session and only knows the port (werift-audit.md 3
 * and 4). Some of them are repeated from the address of a session's own peer, which is as easy for
 * whoever is on the path: nothing of it is authenticated either.
 */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { randomBytes } from "node:crypto";
import { createSelfSignedCertificate, DtlsClient, Message } from "werift";
import { type Attack, type Harm, type Scene, works } from "./attack.ts";
import { Viewer } from "./viewer.ts";

/** How long a stranger waits for a reply, in ms. */
const REPLY_LIMIT_MS = 500;
/** Forged records of a flood: as large as a record may be (RFC 6347 4.1), and as they usually are. */
const FLOOD_RECORDS = 6000;
const FLOOD_RECORD_BYTES = [16_384, 1200] as const;
/** Records that fit into a socket's buffer of 200 KB: all of a flood are to be looked at. */
const FLOOD_BATCH = 6;
/** STUN (RFC 8489 5): class and method of what a stranger is never to get. */
const BINDING_SUCCESS = 0x101;

/** RFC 6347 4.1. */
function record(type: number, epoch: number, fragment: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.set([type, 0xfe, 0xfd, 0, epoch]);
  header.writeUIntBE(200, 5, 6); // a number that the window takes for new
  header.writeUInt16BE(fragment.length, 11);
  return Buffer.concat([header, fragment]);
}

const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

/** `datagrams` from a stranger's socket, then from the address of a session's peer. */
function datagramAttack(name: string, make: () => Buffer[] | Promise<Buffer[]>): Attack {
  return {
    name,
    stockHarm: "another session ended",
    async run(scene) {
      const datagrams = await make();
      await asStranger(scene, datagrams);
      if (!await works(scene.honest)) return []; // seen as "another session ended"
      const viewer = await Viewer.connect(scene.device);
      for (const datagram of datagrams) await viewer.sendDatagram(datagram);
      await scene.device.drain();
      return await works(viewer) ? [] : ["session ended"];
    },
  };
}

export const alertInClear = datagramAttack(
  "a stranger sends an alert of 15 bytes",
  () => [
    record(ALERT, 0, Buffer.from([1, 0])), // close_notify
    record(ALERT, 0, Buffer.from([2, 40])), // handshake_failure
    record(ALERT, 1, Buffer.alloc(26)), // as if it were encrypted
  ],
);

export const unknownRecord = datagramAttack(
  "a stranger sends a record of unknown type",
  () => [record(25, 0, Buffer.from([0])), record(25, 1, Buffer.from([0])), Buffer.from([25])],
);

export const clientHello = datagramAttack(
  "a stranger sends a ClientHello",
  async () => [await firstFlight(), helloWithoutCommonSuite()],
);

export const unauthenticatedBinding: Attack = {
  name: "a stranger sends binding requests without the password",
  stockHarm: "answered a stranger",
  async run(scene) {
    const before = (await scene.device.look()).paths.join();
    const { connection } = scene.honest.connection.iceTransports[0]!;
    const usernames = [
      "evil:evil2",
      `${connection.remoteUsername}:${connection.localUsername}`,
      `${connection.remoteUsername}:`,
    ];
    const harms = new Set<Harm>();
    for (const username of usernames) {
      for (const key of [undefined, Buffer.from("a password that is wrong")]) {
        const replies = await asStranger(scene, [bindingRequest(username, key)]);
        const type = (reply: Buffer) => reply.length >= 20 ? reply.readUInt16BE(0) : 0;
        if (replies.some((reply) => type(reply) === BINDING_SUCCESS)) {
          harms.add("answered a stranger");
        }
      }
    }
    const after = (await scene.device.look()).paths.join();
    return before === after ? [...harms] : [...harms, "answered a stranger"];
  },
};

export const forgedRecords: Attack = {
  name: "a stranger, and the peer of a session, send a flood of forged records",
  stockHarm: "too much CPU",
  async run(scene) {
    const viewer = await Viewer.connect(scene.device);
    const forged = FLOOD_RECORD_BYTES.map((bytes) =>
      record(APPLICATION_DATA, 1, randomBytes(bytes))
    );
    for (let sent = 0; sent < FLOOD_RECORDS; sent += 2 * FLOOD_BATCH) {
      const batch = Array.from({ length: FLOOD_BATCH }, (_, i) => forged[i % forged.length]!);
      await asStranger(scene, batch, 0);
      await scene.device.drain();
      for (const datagram of batch) await viewer.sendDatagram(datagram);
      await scene.device.drain();
    }
    return await works(viewer) ? [] : ["session ended"];
  },
};

/** Sends datagrams to the honest session's port from a socket of its own; gives the replies. */
async function asStranger(
  { device, honest }: Scene,
  datagrams: readonly Buffer[],
  replyMs = REPLY_LIMIT_MS,
): Promise<Buffer[]> {
  const socket = createSocket("udp4");
  const replies: Buffer[] = [];
  socket.on("message", (reply) => replies.push(reply));
  socket.on("error", () => {});
  const port = honest.devicePort;
  for (const datagram of datagrams) {
    device.datagrams++;
    await new Promise((sent) => socket.send(datagram, port, "127.0.0.1", sent));
  }
  if (replyMs > 0) await new Promise((resolve) => setTimeout(resolve, replyMs));
  await new Promise<void>((closed) => socket.close(() => closed()));
  return replies;
}

function bindingRequest(username: string, key: Buffer | undefined): Buffer {
  const request = new Message(1, 0); // method Binding, class request
  request.setAttribute("USERNAME", username);
  request.setAttribute("PRIORITY", 1);
  request.setAttribute("ICE-CONTROLLING", 1n);
  request.setAttribute("USE-CANDIDATE", null);
  if (key !== undefined) request.addMessageIntegrity(key);
  return request.bytes;
}

/** The first flight of werift's own client, caught instead of sent. */
async function firstFlight(): Promise<Buffer> {
  const own = await createSelfSignedCertificate({ signature: 3, hash: 4 }, 23);
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const client = new DtlsClient({
    cert: own.certPem,
    key: own.keyPem,
    signatureHash: own.signatureHash,
    transport: {
      type: "caught",
      closed: false,
      onData() {},
      send: (datagram: Buffer) => Promise.resolve(resolve(datagram)),
      close: () => Promise.resolve(),
    } as never,
    srtpProfiles: [],
    extendedMasterSecret: true,
  });
  client.connect().catch(() => {});
  return await promise;
}

/** RFC 5246 7.4.1.2, with TLS_RSA_WITH_AES_128_CBC_SHA as the only suite. */
function helloWithoutCommonSuite(): Buffer {
  const body = Buffer.concat([
    Buffer.from([0xfe, 0xfd]),
    Buffer.alloc(32, 7), // random
    Buffer.from([0, 0]), // no session id, no cookie
    Buffer.from([0, 2, 0x00, 0x2f, 1, 0, 0, 0]), // suite; no compression; no extensions
  ]);
  const { length } = body;
  const header = Buffer.from([1, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length]);
  return record(HANDSHAKE, 0, Buffer.concat([header, body]));
}
