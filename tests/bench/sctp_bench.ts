/**
 * CPU time of two SCTP associations that talk to each other in memory, per 50 MB, both ends
 * together; no crypto, no sockets. Time is virtual, so that the pacer never waits for a real timer.
 *
 *     deno run -A tests/bench/sctp_bench.ts [MB] [MESSAGE_BYTES] [runs]
 */
import process from "node:process";
import { SctpAssociation, type SctpOutput } from "../../src/webrtc/sctp/association.ts";

const BUFFERED = 262_144;
/** Virtual time for each packet: 1 Gbit/s or so. */
const PACKET_MS = 0.01;

interface End {
  readonly association: SctpAssociation;
  readonly inbox: Uint8Array[];
  deadline: number;
  isEstablished: boolean;
  received: number;
}

function makeEnd(): End {
  const association = new SctpAssociation({
    random: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
    headroom: 21,
    tailroom: 16,
  });
  return { association, inbox: [], deadline: Infinity, isEstablished: false, received: 0 };
}

/**
 * Stands for decryption, which gives each packet a buffer of its own: making those is not what is
 * measured, so they are used again, long after their packets are gone.
 */
class Pool {
  readonly #buffers = Array.from({ length: 8192 }, () => new Uint8Array(1500));
  #next = 0;

  copy(packet: Uint8Array): Uint8Array {
    const buffer = this.#buffers[this.#next++ % this.#buffers.length]!;
    buffer.set(packet);
    return buffer.subarray(0, packet.length);
  }
}

class Bench {
  now = 0;
  readonly #a = makeEnd();
  readonly #b = makeEnd();
  #left = 0;
  readonly #message: Uint8Array;
  readonly #pool = new Pool();

  constructor(messageBytes: number) {
    this.#message = new Uint8Array(messageBytes);
  }

  get packets(): number {
    return this.#a.association.stats.packetsSent + this.#b.association.stats.packetsSent;
  }

  connect(): void {
    this.#a.association.start(this.now);
    this.#drain(this.#a, this.#b);
    while (!(this.#a.isEstablished && this.#b.isEstablished)) this.#step();
  }

  transfer(bytes: number): void {
    this.#left = bytes;
    const goal = this.#b.received + bytes;
    this.#fill();
    this.#drain(this.#a, this.#b);
    while (this.#b.received < goal) this.#step();
  }

  #fill(): void {
    const { association } = this.#a;
    while (this.#left > 0 && association.bufferedAmount(1) < BUFFERED) {
      association.send(this.now, 1, 53, this.#message);
      this.#left -= this.#message.length;
    }
  }

  #step(): void {
    this.#deliver(this.#b, this.#a);
    this.#deliver(this.#a, this.#b);
    if (this.#a.inbox.length + this.#b.inbox.length > 0) return;
    this.now = Math.max(this.now, Math.min(this.#a.deadline, this.#b.deadline));
    this.#tick(this.#a, this.#b);
    this.#tick(this.#b, this.#a);
  }

  #deliver(to: End, from: End): void {
    const packets = to.inbox.splice(0);
    for (const packet of packets) {
      this.now += PACKET_MS;
      to.association.receive(this.now, packet);
      this.#drain(to, from);
    }
    this.#tick(to, from);
  }

  #tick(end: End, other: End): void {
    if (this.now < end.deadline) return;
    end.deadline = Infinity;
    end.association.tick(this.now);
    this.#drain(end, other);
  }

  #drain(end: End, other: End): void {
    const { association } = end;
    for (let out = association.poll(); out !== undefined; out = association.poll()) {
      this.#take(out, end, other);
    }
  }

  #take(out: SctpOutput, end: End, other: End): void {
    switch (out.type) {
      case "packet":
        other.inbox.push(this.#pool.copy(out.buffer.subarray(out.offset, out.offset + out.length)));
        return;
      case "message":
        end.received += out.bytes.length;
        return;
      case "acked":
        return this.#fill();
      case "deadline":
        end.deadline = out.at;
        return;
      case "established":
        end.isEstablished = true;
        return;
      case "closed":
        throw new Error(`Cannot measure: ${out.reason}`);
    }
  }
}

const megabytes = Number(process.argv[2] ?? 50);
const messageBytes = Number(process.argv[3] ?? 16_384);
const runs = Number(process.argv[4] ?? 7);
const bench = new Bench(messageBytes);
bench.connect();
const seconds: number[] = [];
for (let run = 0; run < runs; run++) {
  const packets = bench.packets;
  const before = process.cpuUsage();
  bench.transfer(megabytes * 1_000_000);
  const { user, system } = process.cpuUsage(before);
  const spent = (user + system) / 1e6;
  seconds.push(spent);
  const made = bench.packets - packets;
  process.stdout.write(
    `${megabytes} MB in messages of ${messageBytes}: ${spent.toFixed(3)} s of CPU, ` +
      `${made} packets, ${((spent * 1e6) / made).toFixed(2)} us each\n`,
  );
}
seconds.sort((a, b) => a - b);
process.stdout.write(`median ${seconds[seconds.length >> 1]!.toFixed(3)} s\n`);
