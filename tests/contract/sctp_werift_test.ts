/**
 * Our SCTP association against another implementation, stock werift's, in memory: the same bytes
 * both ways, whoever begins, with losses, late and doubled packets. Of werift's own packets few are
 * lost: it is slow to repeat them.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { RTCPeerConnection } from "werift";
import { SctpAssociation } from "../../src/webrtc/sctp/association.ts";
import { MAX_MESSAGE_BYTES } from "../../src/webrtc/sctp/limits.ts";
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

/** What happens to packets once both ends are established: shares from 0 to 1. */
interface Harm {
  /** Lost on our way to werift, and back. */
  readonly lossThere: number;
  readonly lossBack: number;
  /** `LATENESS_MS` late, so that others overtake them. */
  readonly late: number;
  readonly twice: number;
}

const NO_HARM: Harm = { lossThere: 0, lossBack: 0, late: 0, twice: 0 };
const LATENESS_MS = 4;

/** Both ends, and what each has received, as a running hash. */
class Meeting {
  readonly ours: SctpAssociation;
  readonly werift: WeriftAssociation;
  readonly hashes = { ours: createHash("sha256"), werift: createHash("sha256") };
  readonly received = { ours: 0, werift: 0 };
  readonly #lower: Lower;
  readonly #harm: Harm;
  readonly #random = seededRandom(3);
  readonly #inTheAir = new Set<ReturnType<typeof setTimeout>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #progress: () => void = () => {};
  isEstablished = false;
  dropped = 0;

  constructor(sctp: WeriftConstructor, options: { weriftRole: "client" | "server"; harm: Harm }) {
    this.#harm = options.harm;
    this.ours = new SctpAssociation({ random: () => TSN, headroom: 21, tailroom: 16 });
    this.#lower = {
      send: (packet) => {
        this.#send(this.#harm.lossBack, () => {
          const copy = new Uint8Array(packet); // the association may keep views of it
          this.#run(() => this.ours.receive(performance.now(), copy));
        });
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

  /** Carries a packet, or not: never in the call that sent it. */
  #send(loss: number, deliver: () => void): void {
    const { late, twice } = this.#harm;
    const [isLost, isLate, isDouble] = [loss, late, twice].map((share) => this.#random() < share);
    if (this.isEstablished && isLost) return void this.dropped++;
    this.#soon(deliver, this.isEstablished && isLate ? LATENESS_MS : 0);
    if (this.isEstablished && isDouble) this.#soon(deliver, 0);
  }

  #soon(deliver: () => void, delay: number): void {
    const timer = setTimeout(() => {
      this.#inTheAir.delete(timer);
      deliver();
    }, delay);
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
    const packet = buffer.slice(offset, offset + length);
    this.#send(this.#harm.lossThere, () => this.#lower.onData?.(Buffer.from(packet)));
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    const wait = Math.max(0, at - performance.now());
    this.#timer = setTimeout(() => {
      if (performance.now() < at) return this.#arm(at); // timers may be a fraction early
      this.#run(() => this.ours.tick(performance.now()));
    }, wait);
  }
}

/** Messages of many sizes, the largest among them, the same for the same seed. */
function makeMessages(seed: number, count: number): Uint8Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    if (i === 100) return new Uint8Array(MAX_MESSAGE_BYTES).fill(seed);
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

const PATHS: readonly { name: string; harm: Harm }[] = [
  { name: "nothing lost", harm: NO_HARM },
  { name: "2 % lost there", harm: { ...NO_HARM, lossThere: 0.02 } },
  { name: "some lost back", harm: { ...NO_HARM, lossBack: 0.003 } },
  { name: "late and doubled", harm: { ...NO_HARM, late: 0.05, twice: 0.05 } },
];

for (const weriftRole of ["client", "server"] as const) {
  for (const { name, harm } of PATHS) {
    Deno.test(`our association and werift's as ${weriftRole} understand each other, ${name}`, async () => {
      const meeting = new Meeting(await weriftSctp(), { weriftRole, harm });
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
        assert.equal(meeting.dropped > 0, harm.lossThere + harm.lossBack > 0);
      } finally {
        await meeting.close();
      }
    });
  }
}
