/** A run of the rendezvous without keys: honest people come to honest devices, and all that passes is in its hands. */
import type { OfferLink } from "../../src/control/admission_types.ts";
import { claimOf, type Scene } from "../../src/control/testing/scene.ts";
import type { Bytes } from "../../src/lib/bytes.ts";
import { newSigner } from "../../src/trust/test_ends.ts";
import { exchangeConfirmations } from "./channel.ts";
import type { EvilRendezvous } from "./rendezvous.ts";
import { secretIn, secretsOf } from "./secrets.ts";
import type { Stage } from "./stage.ts";
import { Hosted, isPrefix, Violation, Visitor, type VisitorOptions } from "./visit.ts";

/** What came of one run. */
export interface Outcome {
  /** Both ends confirmed. */
  readonly sessions: number;
  /** One end confirmed, and the other did not hear of it. */
  readonly halves: number;
  /** Sessions that an honest carrier would have given. */
  readonly wanted: number;
}

interface Letter {
  readonly peer: number;
  readonly sealed: Bytes;
}

let nextPeer = 1_000_000;

export class CarriedRun {
  readonly #stage: Stage;
  readonly #evil: EvilRendezvous;
  readonly #visitors: Visitor[] = [];
  readonly #hosted: Hosted[] = [];
  /** Peer numbers, by visitor. */
  readonly #peers = new Map<Visitor, number>();

  constructor(stage: Stage, evil: EvilRendezvous) {
    this.#stage = stage;
    this.#evil = evil;
  }

  async run(): Promise<Outcome> {
    try {
      for (const options of await this.#cast()) {
        const visitor = await Visitor.make(options);
        this.#visitors.push(visitor);
        this.#peers.set(visitor, nextPeer++);
      }
      for (const visitor of this.#visitors) await this.#presence(visitor);
      await this.#offers();
      await this.#candidates();
      return await this.#confirm();
    } finally {
      for (const { admission } of this.#hosted) admission.release();
      this.#checkSecrets();
    }
  }

  /** Two people, to one device or to two; often one of them, for it is quicker. */
  async #cast(): Promise<VisitorOptions[]> {
    const { home, other, owner, guest } = this.#stage;
    const { dice } = this.#evil;
    const owning: VisitorOptions = {
      name: "owner",
      device: dice.pick([home, other]),
      signer: owner,
      right: "owner",
      shows: dice.chance(0.5) ? {} : { pass: await home.passes.pass(owner.publicKey) },
    };
    const { signer, chain, lent } = guest;
    const borrowing = {
      name: "guest",
      device: home,
      signer,
      right: lent,
      shows: { grants: chain },
    };
    const cast: VisitorOptions[] = [owning, borrowing];
    if (dice.chance(0.15)) cast[dice.below(2)] = await this.#claiming();
    const isPair = this.#evil.mixesUp || dice.chance(0.4);
    return dice.shuffled(cast).slice(0, isPair ? 2 : 1);
  }

  async #claiming(): Promise<VisitorOptions> {
    const { home, world } = this.#stage;
    const [open, ...more] = home.pairing.openWindows(world.monotonic);
    if (more.length > 1) home.pairing.close(open!, world.monotonic);
    const { fragment } = await home.pairing.open({ now: world.monotonic });
    const signer = await newSigner();
    const shows = { claim: await claimOf(fragment) };
    return { name: "new", device: home, signer, right: "owner", shows };
  }

  async #presence(visitor: Visitor): Promise<void> {
    const { device } = visitor.options;
    const from = this.#evil.addressed(device, this.#stage.devices);
    for (const presence of await this.#evil.pass("presence", await from.admissions.presence())) {
      await visitor.hearPresence(presence);
    }
  }

  async #offers(): Promise<void> {
    const letters: (Letter & { readonly device: Scene })[] = [];
    for (const visitor of this.#visitors) {
      const offer = await visitor.offer();
      if (offer === undefined) continue;
      this.#evil.memory.asked.add(askedBy(visitor.holder, visitor.options.device));
      for (const sealed of await this.#evil.pass("offer", offer)) {
        const device = this.#evil.addressed(visitor.options.device, this.#stage.devices);
        const from = this.#evil.addressed(visitor, this.#visitors);
        letters.push({ device, peer: this.#peers.get(from)!, sealed });
      }
    }
    for (const letter of this.#evil.dice.shuffled(letters)) await this.#deliver(letter);
  }

  /** Brings something to a device, and what the device says to it to the browsers. */
  async #deliver({ device, peer, sealed }: Letter & { readonly device: Scene }): Promise<void> {
    const { link, replies } = mailbox();
    await device.admissions.receive(peer, sealed, link);
    for (const admission of device.admitted.splice(0)) {
      const hosted = new Hosted(device, admission);
      this.#hosted.push(hosted);
      await hosted.answer();
      await hosted.sendCandidates();
    }
    for (const reply of replies.splice(0)) await this.#bring(peer, reply);
  }

  async #bring(peer: number, message: Bytes): Promise<void> {
    const receiver = this.#visitors.find((visitor) => this.#peers.get(visitor) === peer)!;
    const kind = message[0] === 3 ? "candidate" : "answer";
    for (const arriving of await this.#evil.pass(kind, message)) {
      await this.#evil.addressed(receiver, this.#visitors).take(arriving);
    }
  }

  /** Candidates of the browsers; those of the devices came with the answers. */
  async #candidates(): Promise<void> {
    for (const visitor of this.#visitors.filter(({ answered }) => answered)) {
      const arriving: Bytes[] = [];
      for (const candidate of visitor.fields.candidates) {
        const sealed = await visitor.handshake!.sealCandidate(candidate);
        arriving.push(...await this.#evil.pass("candidate", sealed));
      }
      const { device } = visitor.options;
      const peer = this.#peers.get(visitor)!;
      for (const sealed of arriving) {
        const from = this.#evil.addressed(peer, [...this.#peers.values()]);
        await this.#deliver({ device, peer: from, sealed });
      }
    }
    this.#checkCandidates();
  }

  #checkCandidates(): void {
    for (const visitor of this.#visitors) {
      const hosts = this.#hosted.filter((hosted) => this.#visitorOf(hosted) === visitor);
      const isSent = visitor.heard.length === 0 ||
        hosts.some(({ fields }) => isPrefix(visitor.heard, fields.candidates));
      if (!isSent) throw new Violation("a browser took candidates that no device sent so");
    }
    for (const hosted of this.#hosted) {
      const sent = this.#visitorOf(hosted)?.fields.candidates ?? [];
      if (!isPrefix(hosted.heard, sent)) {
        throw new Violation("a device took candidates that no browser sent so");
      }
    }
  }

  /** Whose offer this session came from; undefined: an offer of an earlier run, which was held back. */
  #visitorOf({ admission, device }: Hosted): Visitor | undefined {
    const visitor = this.#visitors.find(({ holder, options }) =>
      holder === admission.holder && options.device === device
    );
    if (visitor || this.#evil.memory.asked.has(askedBy(admission.holder, device))) return visitor;
    throw new Violation("a device admitted somebody who did not ask it");
  }

  async #confirm(): Promise<Outcome> {
    const outcome = { sessions: 0, halves: 0, wanted: this.#visitors.length };
    for (const hosted of this.#hosted) {
      const own = this.#visitorOf(hosted);
      const browser = this.#evil.addressed(own ?? this.#visitors[0]!, this.#visitors);
      if (!browser.answered) continue;
      const ends = { hosted, browser, own };
      const { device, visitor } = await exchangeConfirmations(ends, {
        evil: this.#evil,
        others: [...this.#visitors, ...this.#hosted].map(({ fields }) =>
          fields.transport.fingerprint
        ),
      });
      if (device && visitor) outcome.sessions++;
      else if (device || visitor) outcome.halves++;
    }
    return outcome;
  }

  #checkSecrets(): void {
    const secrets = secretsOf([...this.#visitors, ...this.#hosted].map(({ fields }) => fields));
    const found = secretIn(this.#evil.seen, secrets);
    if (found !== undefined) throw new Violation(`the rendezvous saw "${found}"`);
  }
}

/** The way back from a device. */
export function mailbox(): { link: OfferLink; replies: Bytes[] } {
  const replies: Bytes[] = [];
  return { link: { iceServers: [], reply: (sealed) => void replies.push(sealed) }, replies };
}

function askedBy(holder: string, device: Scene): string {
  return `${holder} ${device.identity.id}`;
}
