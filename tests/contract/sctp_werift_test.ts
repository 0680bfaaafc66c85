/**
 * Our SCTP association against another implementation, stock werift's, in memory: the same bytes
 * both ways, whoever begins, with and without losses on our way there (werift repeats too slowly
 * for a test of the other way).
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { RTCPeerConnection } from "werift";
import { SctpAssociation } from "../../src/webrtc/sctp/association.ts";
import { seededRandom } from "../vnet/link.ts";

const BINARY = 53;
/** Below the number of digits at which werift's sorting of TSNs as text fails (audit 2). */
const TSN = 1_500_000_000;
const LIMIT_MS = 30_000;

/** What werift's association asks of the transport below it. */
interface Lower {
  onData?: (packet: Buffer) => void;
  send(packet: Buffer): Promise<void>;
  close(): void;
}

interface WeriftAssociation {
  readonly associationState: number;
  readonly onReceive: {
    subscribe(listener: (streamId: number, protocol: number, bytes: Buffer) => void): void;
  };
  readonly timer3Handle?: ReturnType<typeof setTimeout>;
  start(port: number): Promise<void>;
  send(streamId: number, protocol: number, bytes: Buffer): Promise<void>;
  stop(): Promise<void>;
}

interface WeriftConstructor {
  client(lower: Lower, port: number): WeriftAssociation;
  server(lower: Lower, port: number): WeriftAssociation;
}

/** werift does not export its association: it is found on a connection. */
async function weriftSctp(): Promise<WeriftConstructor> {
  const connection = new RTCPeerConnection({ iceServers: [{ urls: "stun:127.0.0.1:9" }] });
  connection.createDataChannel("x");
  const { sctp } = connection.sctpTransport!;
  await connection.close();
  return sctp.constructor as unknown as WeriftConstructor;
}

/** Both ends, and what each has received, as a running hash. */
class Meeting {
  readonly ours: SctpAssociation;
  readonly werift: WeriftAssociation;
  readonly hashes = { ours: createHash("sha256"), werift: createHash("sha256") };
  readonly received = { ours: 0, werift: 0 };
  readonly #lower: Lower;
  readonly #loss: () => boolean;
  readonly #inTheAir = new Set<ReturnType<typeof setTimeout>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #progress: () => void = () => {};
  isEstablished = false;
  dropped = 0;

  constructor(sctp: WeriftConstructor, options: { weriftRole: "client" | "server"; loss: number }) {
    const random = seededRandom(3);
    this.#loss = () => this.isEstablished && random() < options.loss;
    this.ours = new SctpAssociation({ random: () => TSN, headroom: 21, tailroom: 16 });
    this.#lower = {
      send: (packet) => {
        const copy = new Uint8Array(packet);
        this.#soon(() => this.#run(() => this.ours.receive(performance.now(), copy)));
        return Promise.resolve();
      },
      close() {},
    };
    this.werift = sctp[options.weriftRole](this.#lower, 5000);
    this.werift.onReceive.subscribe((_stream, _protocol, bytes) => {
      this.hashes.werift.update(bytes);
      this.received.werift += bytes.length;
      this.#progress();
    });
  }

  async connect(): Promise<void> {
    await this.werift.start(5000);
    this.#run(() => this.ours.start(performance.now()));
    await this.until(() => this.isEstablished && this.werift.associationState === 4);
  }

  send(bytes: Uint8Array): void {
    this.#run(() => this.ours.send(performance.now(), 1, BINARY, bytes));
  }

  /** Waits for a condition on what has been received. */
  async until(isDone: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const limit = setTimeout(() => reject(new Error("Cannot go on: nothing arrives")), LIMIT_MS);
    this.#progress = () => isDone() && resolve();
    this.#progress();
    await promise.finally(() => clearTimeout(limit));
  }

  async close(): Promise<void> {
    this.#run(() => this.ours.close(performance.now()));
    await this.werift.stop();
    clearTimeout(this.werift.timer3Handle); // a transmission under way may have started it again
    clearTimeout(this.#timer);
    for (const timer of this.#inTheAir) clearTimeout(timer);
  }

  /** Carries a packet: never in the call that sent it. */
  #soon(deliver: () => void): void {
    const timer = setTimeout(() => {
      this.#inTheAir.delete(timer);
      deliver();
    }, 0);
    this.#inTheAir.add(timer);
  }

  #run(act: () => void): void {
    act();
    for (let out = this.ours.poll(); out !== undefined; out = this.ours.poll()) {
      if (out.type === "packet") this.#carry(out.buffer, out.offset, out.length);
      else if (out.type === "deadline") this.#arm(out.at);
      else if (out.type === "established") this.isEstablished = true;
      else if (out.type === "message") {
        this.hashes.ours.update(out.bytes);
        this.received.ours += out.bytes.length;
      }
    }
    this.#progress();
  }

  #carry(buffer: Uint8Array, offset: number, length: number): void {
    if (this.#loss()) return void this.dropped++;
    const copy = Buffer.from(buffer.subarray(offset, offset + length));
    this.#soon(() => this.#lower.onData?.(copy));
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    const wait = Math.max(0, at - performance.now());
    this.#timer = setTimeout(() => this.#run(() => this.ours.tick(performance.now())), wait);
  }
}

/** Messages of many sizes, the same for the same seed. */
function makeMessages(seed: number, count: number): Uint8Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const size = i % 10 === 0 ? 1 + random() * 60_000 : 1 + random() * 3000;
    return Uint8Array.from({ length: size }, () => random() * 256);
  });
}

function digest(messages: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const message of messages) hash.update(message);
  return hash.digest("hex");
}

function sizeOf(messages: readonly Uint8Array[]): number {
  return messages.reduce((sum, { length }) => sum + length, 0);
}

for (const weriftRole of ["client", "server"] as const) {
  for (const loss of [0, 0.02]) {
    Deno.test(`our association and werift's as ${weriftRole} understand each other, ${loss * 100} % lost`, async () => {
      const meeting = new Meeting(await weriftSctp(), { weriftRole, loss });
      try {
        await meeting.connect();
        const [there, back] = [makeMessages(1, 400), makeMessages(2, 200)];
        for (const message of there) meeting.send(message);
        for (const message of back) {
          // Its promise waits for the whole queue; errors show as bytes that do not arrive.
          meeting.werift.send(1, BINARY, Buffer.from(message)).catch(() => {});
        }
        const { received, hashes } = meeting;
        await meeting.until(() =>
          received.werift >= sizeOf(there) && received.ours >= sizeOf(back)
        );
        assert.equal(hashes.werift.digest("hex"), digest(there));
        assert.equal(hashes.ours.digest("hex"), digest(back));
        assert.equal(meeting.dropped > 0, loss > 0);
      } finally {
        await meeting.close();
      }
    });
  }
}
