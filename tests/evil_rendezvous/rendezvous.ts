/**
 * The evil rendezvous: it carries the messages of a handshake and does to them what it likes. It remembers what passed by,
 * over all runs of one stage, and holds no key of the people whose messages it carries.
 */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import type { Dice } from "./dice.ts";
import { tampered, TAMPERINGS, WIRE_KINDS, type WireKind } from "./wires.ts";

/** Messages of one kind that are remembered. */
const MEMORY = 24;

/** What passed by, over several runs. */
export class Memory {
  /** Who made an offer to which device: one that was held back may arrive in a later run. */
  readonly asked = new Set<string>();
  readonly #messages = new Map<WireKind, Bytes[]>();

  of(kind: WireKind): readonly Bytes[] {
    return this.#messages.get(kind) ?? [];
  }

  add(kind: WireKind, bytes: Bytes): void {
    const messages = this.#messages.get(kind) ?? [];
    messages.push(bytes);
    if (messages.length > MEMORY) messages.shift();
    this.#messages.set(kind, messages);
  }
}

/** How often it does something: to messages of each kind, and to who gets them. */
export type Mood = Readonly<Record<WireKind | "address" | "certificate", number>>;

const CALM: Mood = {
  presence: 0,
  offer: 0,
  answer: 0,
  candidate: 0,
  confirm: 0,
  address: 0,
  certificate: 0,
};

/** Passes everything on. */
export function calm(): Mood {
  return CALM;
}

/** Mostly one thing and all else in peace, so that what comes late in a handshake is reached; sometimes everything. */
export function moodOf(dice: Dice): Mood {
  const things = [...WIRE_KINDS, "address", "certificate"] as const;
  const level = dice.pick([0.2, 0.5, 0.9]);
  if (dice.chance(0.25)) {
    return Object.fromEntries(things.map((thing) => [thing, level / 3])) as unknown as Mood;
  }
  const first = dice.pick(things);
  const second = dice.chance(0.3) ? dice.pick(things) : first;
  return { ...CALM, [first]: level, [second]: level };
}

export class EvilRendezvous {
  readonly dice: Dice;
  /** All that it saw in this run; what travels inside the channel is not seen. */
  readonly seen: Bytes[] = [];
  /** What it did, by kind and way. */
  readonly deeds = new Map<string, number>();
  readonly #mood: Mood;
  readonly memory: Memory;
  readonly #signer: Signer;

  constructor(options: { dice: Dice; mood: Mood; memory: Memory; signer: Signer }) {
    this.dice = options.dice;
    this.#mood = options.mood;
    this.memory = options.memory;
    this.#signer = options.signer;
  }

  /** What arrives of a message. */
  async pass(kind: WireKind, bytes: Bytes): Promise<readonly Bytes[]> {
    if (kind !== "confirm") this.seen.push(bytes);
    const arriving = await this.#arriving(kind, bytes);
    this.memory.add(kind, bytes);
    return arriving;
  }

  /** Whether it may mix up who gets what. */
  get mixesUp(): boolean {
    return this.#mood.address > 0;
  }

  /** Who gets it: mostly whom it is for. */
  addressed<Receiver>(to: Receiver, all: readonly Receiver[]): Receiver {
    if (!this.dice.chance(this.#mood.address)) return to;
    this.#did("address swap");
    return this.dice.pick(all);
  }

  /** Which certificate an end is shown: mostly the other's own. */
  shown(fingerprint: Bytes, others: readonly Bytes[]): Bytes {
    if (!this.dice.chance(this.#mood.certificate)) return fingerprint;
    this.#did("certificate swap");
    return this.dice.pick([...others, this.dice.bytes(32)]);
  }

  async #arriving(kind: WireKind, bytes: Bytes): Promise<readonly Bytes[]> {
    const { dice } = this;
    if (!dice.chance(this.#mood[kind])) return [bytes];
    const how = dice.pick(TAMPERINGS);
    this.#did(`${kind} ${how}`);
    const remembered = (other: WireKind) => this.memory.of(other);
    return await tampered(how, { kind, bytes }, { dice, remembered, signer: this.#signer });
  }

  #did(deed: string): void {
    this.deeds.set(deed, (this.deeds.get(deed) ?? 0) + 1);
  }
}
