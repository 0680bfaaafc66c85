/**
 * Asks STUN servers how they see us, and what a NAT in between does (RFC 5780 4.3, 4.4), on sockets
 * of its own. For the doctor: connections ask by `ice_gather.ts`.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { within } from "./ice_patch.ts";
import type { ServerAddress } from "./ice_servers.ts";
import type { Address } from "./internals.ts";
import type { DatagramSocket, OpenSocket } from "./udp_ports.ts";

/** Times at which a question is sent again, in ms after the one before; three seconds in all. */
const PACE_MS = [200, 400, 800, 1600];
const COOKIE = 0x2112a442;
const BINDING = 0x0001;
const SUCCESS = 0x0101;
const HEADER_BYTES = 20;
// RFC 8489 14.1, 14.2; RFC 5780 7.2, 7.4
const MAPPED_ADDRESS = 0x0001;
const CHANGE_REQUEST = 0x0003;
const XOR_MAPPED_ADDRESS = 0x0020;
const OTHER_ADDRESS = 0x802c;
const CHANGE_ADDRESS = 4;
const CHANGE_PORT = 2;

export interface StunAnswer {
  readonly mapped: Address;
  /** Where the server has another address and port, if it says so. */
  readonly other?: Address;
  readonly ms: number;
}

export interface NatKind {
  readonly mapping:
    | "none"
    | "endpoint-independent"
    | "address-dependent"
    | "port-dependent"
    | "unknown";
  readonly filtering: "endpoint-independent" | "address-dependent" | "port-dependent" | "unknown";
}

/** One socket's questions. */
class Questions {
  readonly #socket: DatagramSocket;
  readonly #waiting: Map<string, (message: Buffer) => void>;

  private constructor(socket: DatagramSocket, waiting: Map<string, (message: Buffer) => void>) {
    this.#socket = socket;
    this.#waiting = waiting;
  }

  static async open(openSocket: OpenSocket): Promise<Questions> {
    const waiting = new Map<string, (message: Buffer) => void>();
    const receive = (datagram: Uint8Array) => {
      const message = Buffer.from(datagram);
      if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== SUCCESS) return;
      waiting.get(message.toString("hex", 8, HEADER_BYTES))?.(message);
    };
    return new Questions(await openSocket({ family: 4, port: 0, receive }), waiting);
  }

  get port(): number {
    return this.#socket.port;
  }

  /** With `change` the answer comes from another address, another port, or both. */
  async ask([host, port]: Address, change = 0): Promise<StunAnswer | undefined> {
    const transaction = randomBytes(12);
    const request = bindingRequest(transaction, change);
    const start = performance.now();
    let answer: StunAnswer | undefined;
    const answered = new Promise<void>((resolve) => {
      this.#waiting.set(transaction.toString("hex"), (message) => {
        const found = readAnswer(message);
        if (found !== undefined) answer ??= { ...found, ms: performance.now() - start };
        resolve();
      });
    });
    for (const pause of PACE_MS) {
      this.#socket.send(request, host, port);
      await within(answered, pause);
      if (answer !== undefined) break;
    }
    this.#waiting.delete(transaction.toString("hex"));
    return answer;
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** How a server sees us over IPv4; undefined when it does not answer. Never rejects. */
export async function askStun(
  server: ServerAddress,
  openSocket: OpenSocket,
): Promise<StunAnswer | undefined> {
  const address = await addressOf(server);
  const questions = await Questions.open(openSocket).catch(() => undefined);
  if (questions === undefined) return undefined;
  try {
    return address && await questions.ask(address);
  } finally {
    await questions.close();
  }
}

/**
 * The kind of NAT between us and these servers. The first that knows RFC 5780 tells all; else two
 * servers tell the mapping. Never rejects.
 */
export async function natKind(
  servers: readonly ServerAddress[],
  openSocket: OpenSocket,
): Promise<NatKind> {
  const addresses = (await Promise.all(servers.map(addressOf))).filter((one) => one !== undefined);
  const questions = await Questions.open(openSocket).catch(() => undefined);
  if (questions === undefined) return { mapping: "unknown", filtering: "unknown" };
  try {
    const answers: { server: Address; answer: StunAnswer }[] = [];
    for (const server of addresses) {
      const answer = await questions.ask(server);
      if (answer !== undefined) answers.push({ server, answer });
    }
    const knowing = answers.find(({ server, answer: { other } }) => isElsewhere(other, server));
    const mapping = await mappingOf(questions, { answers, knowing });
    const filtering = knowing === undefined
      ? "unknown"
      : await filteringOf(knowing.server, openSocket);
    return { mapping, filtering };
  } finally {
    await questions.close();
  }
}

interface Answered {
  readonly server: Address;
  readonly answer: StunAnswer;
}

/** RFC 5780 4.3: the same socket asks other addresses. */
async function mappingOf(
  questions: Questions,
  { answers, knowing }: { answers: readonly Answered[]; knowing: Answered | undefined },
): Promise<NatKind["mapping"]> {
  const [first] = answers;
  if (first === undefined) return "unknown";
  if (isOwn(first.answer.mapped, questions.port)) return "none";
  if (knowing !== undefined) {
    const { server, answer: { mapped, other } } = knowing;
    const second = await questions.ask([other![0], server[1]]);
    if (second === undefined) return "unknown";
    if (areSame(mapped, second.mapped)) return "endpoint-independent";
    const third = await questions.ask(other!);
    if (third === undefined) return "unknown";
    return areSame(second.mapped, third.mapped) ? "address-dependent" : "port-dependent";
  }
  const another = answers.find(({ server }) => server[0] !== first.server[0]);
  if (another === undefined) return "unknown";
  return areSame(first.answer.mapped, another.answer.mapped)
    ? "endpoint-independent"
    : "address-dependent"; // or worse: two servers cannot tell
}

/** RFC 5780 4.4: the server answers from elsewhere, to a socket that has asked nobody else. */
async function filteringOf(
  server: Address,
  openSocket: OpenSocket,
): Promise<NatKind["filtering"]> {
  const questions = await Questions.open(openSocket);
  try {
    if (await questions.ask(server, CHANGE_ADDRESS | CHANGE_PORT)) return "endpoint-independent";
    return await questions.ask(server, CHANGE_PORT) ? "address-dependent" : "port-dependent";
  } finally {
    await questions.close();
  }
}

function isElsewhere(other: Address | undefined, server: Address): boolean {
  return other !== undefined && other[0] !== server[0] && other[1] !== server[1];
}

function isOwn([address, port]: Address, ownPort: number): boolean {
  const own = Object.values(networkInterfaces()).flat().map((info) => info?.address);
  return port === ownPort && own.includes(address);
}

function areSame(one: Address, other: Address): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

async function addressOf({ host, port }: ServerAddress): Promise<Address | undefined> {
  if (isIP(host) !== 0) return isIP(host) === 4 ? [host, port] : undefined;
  const found = await lookup(host, { family: 4 }).catch(() => undefined);
  return found && [found.address, port];
}

/* ---- messages ------------------------------------------------------------------------------------- */

function bindingRequest(transaction: Buffer, change: number): Buffer {
  const attribute = Buffer.alloc(change === 0 ? 0 : 8);
  if (change !== 0) {
    attribute.writeUInt16BE(CHANGE_REQUEST, 0);
    attribute.writeUInt16BE(4, 2);
    attribute.writeUInt32BE(change, 4);
  }
  const header = Buffer.alloc(8);
  header.writeUInt16BE(BINDING, 0);
  header.writeUInt16BE(attribute.length, 2);
  header.writeUInt32BE(COOKIE, 4);
  return Buffer.concat([header, transaction, attribute]);
}

/** Undefined for an answer that says no address, or is cut badly. */
function readAnswer(message: Buffer): Omit<StunAnswer, "ms"> | undefined {
  const found = new Map<number, Buffer>();
  for (let at = HEADER_BYTES; at + 4 <= message.length;) {
    const [type, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)];
    found.set(type, message.subarray(at + 4, at + 4 + length));
    at += 4 + length + (-length & 3);
  }
  const mapped = readAddress(found.get(XOR_MAPPED_ADDRESS), true) ??
    readAddress(found.get(MAPPED_ADDRESS), false);
  const other = readAddress(found.get(OTHER_ADDRESS), false);
  return mapped && { mapped, ...other === undefined ? {} : { other } };
}

/** RFC 8489 14.1, 14.2: of IPv4 only, which is what was asked over. */
function readAddress(value: Buffer | undefined, isMasked: boolean): Address | undefined {
  if (value?.length !== 8 || value[1] !== 1) return undefined;
  const port = value.readUInt16BE(2) ^ (isMasked ? COOKIE >>> 16 : 0);
  const address = (value.readUInt32BE(4) ^ (isMasked ? COOKIE : 0)) >>> 0;
  return [[24, 16, 8, 0].map((shift) => address >>> shift & 0xff).join("."), port];
}
