/**
 * Real UDP sockets on a bad path: some datagrams get lost, come late or come twice, both ways. For
 * tests that want a bad link to a real browser without root. The n-th datagram of a direction meets
 * the same fate for the same seed; which one is the n-th, the machine decides.
 */
import type { DatagramSocket, OpenSocket, Receive } from "../../src/webrtc/udp_ports.ts";
import { seededRandom } from "./link.ts";

/** What happens to datagrams, each way. */
export interface BadPath {
  /** Share that is lost, 0 to 1. */
  readonly loss: number;
  /** Share that comes late, and by how many ms at most: others overtake it. */
  readonly late: number;
  readonly lateness: number;
  /** Share that comes twice. */
  readonly twice: number;
  /** What comes through unharmed, whatever the shares are. */
  readonly spares: (datagram: Uint8Array) => boolean;
}

const GOOD_PATH: BadPath = { loss: 0, late: 0, lateness: 0, twice: 0, spares: () => false };

/** What happened to the datagrams of one direction that were not spared. */
export interface Fates {
  all: number;
  lost: number;
  late: number;
  twice: number;
}

/** Opens sockets that share one path. */
export class BadSockets {
  readonly sent: Fates = { all: 0, lost: 0, late: 0, twice: 0 };
  readonly received: Fates = { all: 0, lost: 0, late: 0, twice: 0 };
  readonly #open: OpenSocket;
  readonly #path: BadPath;
  readonly #random: { readonly there: () => number; readonly back: () => number };

  constructor(
    open: OpenSocket,
    options: { readonly path: Partial<BadPath>; readonly seed: number },
  ) {
    this.#open = open;
    this.#path = { ...GOOD_PATH, ...options.path };
    this.#random = { there: seededRandom(options.seed), back: seededRandom(~options.seed) };
  }

  readonly openSocket: OpenSocket = async (options) => {
    const waiting = new Set<ReturnType<typeof setTimeout>>();
    const receive: Receive = (datagram, address, port) => {
      const fate = this.#fate(datagram, this.received, this.#random.back);
      if (fate.copies === 0) return;
      const copy = fate.delay === 0 && fate.copies === 1 ? datagram : datagram.slice();
      carry(fate, waiting, () => options.receive(copy, address, port));
    };
    const socket = await this.#open({ ...options, receive });
    return this.#wrap(socket, waiting);
  };

  #wrap(socket: DatagramSocket, waiting: Set<ReturnType<typeof setTimeout>>): DatagramSocket {
    return {
      port: socket.port,
      get errors() {
        return socket.errors;
      },
      send: (bytes, address, port) => {
        const fate = this.#fate(bytes, this.sent, this.#random.there);
        carry(fate, waiting, () => socket.send(bytes, address, port));
      },
      close: async () => {
        for (const timer of waiting) clearTimeout(timer);
        waiting.clear();
        await socket.close();
      },
    };
  }

  #fate(datagram: Uint8Array, fates: Fates, random: () => number): Fate {
    const { loss, late, lateness, twice, spares } = this.#path;
    if (spares(datagram)) return { copies: 1, delay: 0 };
    const [isLost, isLate, isDouble] = [random() < loss, random() < late, random() < twice];
    const delay = random() * lateness;
    fates.all++;
    if (isLost) fates.lost++;
    if (isLost) return { copies: 0, delay: 0 };
    if (isLate) fates.late++;
    if (isDouble) fates.twice++;
    return { copies: isDouble ? 2 : 1, delay: isLate ? delay : 0 };
  }
}

interface Fate {
  readonly copies: number;
  /** In ms. */
  readonly delay: number;
}

function carry(
  { copies, delay }: Fate,
  waiting: Set<ReturnType<typeof setTimeout>>,
  deliver: () => void,
): void {
  const all = () => {
    for (let i = 0; i < copies; i++) deliver();
  };
  if (delay === 0) return all();
  const timer = setTimeout(() => {
    waiting.delete(timer);
    all();
  }, delay);
  waiting.add(timer);
}
