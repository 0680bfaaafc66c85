/**
 * A run of a guest who is no friend: it has keys, grants and a rendezvous of its own, and sends whatever it likes, well
 * sealed and signed with all keys that it holds, up to the last message inside the channel.
 */
import type { Scene } from "../../src/control/testing/scene.ts";
import { type Bytes, concat, fromHex, toHex, utf8 } from "../../src/lib/bytes.ts";
import { answerExchangeKey, openAnswer } from "../../src/trust/answer.ts";
import { type SignedKind, signEnvelope } from "../../src/trust/cose.ts";
import { sha256 } from "../../src/trust/digest.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import { keyId } from "../../src/trust/key_id.ts";
import { browserSessionKeys } from "../../src/trust/session_keys.ts";
import { encodeCbor } from "../../src/trust/strict_cbor.ts";
import { mailbox, type Outcome } from "./carried.ts";
import type { Dice } from "./dice.ts";
import { CHAIN_FORGERIES, forgeChain } from "./forged_chain.ts";
import {
  draftOffer,
  type ForgedOffer,
  nonceOf,
  OFFER_KEY,
  OFFER_SPOILINGS,
  type OfferDraft,
  sealDraft,
  spoil,
} from "./forged_offer.ts";
import { type Holding, LENT_ASIDE, type Stage } from "./stage.ts";
import { checkRight, Hosted, refusable, Violation } from "./visit.ts";

/** How much is wrong in one run. Nothing at all: what was lent is used as it may be. */
export interface Wickedness {
  readonly chain: number;
  readonly offer: number;
  readonly channel: number;
  readonly meanwhile: number;
}

export const HONEST: Wickedness = { chain: 0, offer: 0, channel: 0, meanwhile: 0 };

/** Mostly one thing, for two hide each other. */
export function wickednessOf(dice: Dice): Wickedness {
  const first = dice.pick(["chain", "chain", "offer", "offer", "channel", "meanwhile", "none"]);
  return {
    ...HONEST,
    [first]: 1,
    ...(dice.chance(0.15) && { chain: 0.5, offer: 0.5, channel: 0.5 }),
  };
}

let nextPeer = 2_000_000;

export class GuestRun {
  readonly #stage: Stage;
  readonly #dice: Dice;
  readonly #wickedness: Wickedness;
  /** What was done, for the table. */
  readonly deeds: string[] = [];
  /** What must keep the device from letting it in. */
  readonly #faults: string[] = [];
  #answer: Bytes | undefined;

  constructor(stage: Stage, dice: Dice, wickedness: Wickedness) {
    this.#stage = stage;
    this.#dice = dice;
    this.#wickedness = wickedness;
  }

  async run(): Promise<Outcome> {
    const holding = await this.#holding();
    if (holding.entitles === undefined) this.#faults.push(`${holding.name} grant`);
    const { draft, device } = await this.#draft(holding);
    const offer = await sealDraft(draft, device);
    const hosted = await this.#admitted(offer, device);
    if (hosted === undefined) return this.#outcome(0);
    try {
      if (this.#faults.length > 0) throw this.#violation("was admitted");
      await this.#meanwhile(holding);
      return this.#outcome(await this.#enter({ hosted, draft, offer, holding }) ? 1 : 0);
    } finally {
      hosted.admission.release();
    }
  }

  #outcome(sessions: number): Outcome {
    return { sessions, halves: 0, wanted: this.#faults.length === 0 ? 1 : 0 };
  }

  async #holding(): Promise<Holding> {
    const { mallory } = this.#stage;
    if (this.#wickedness.meanwhile === 0) {
      const good = mallory.holdings.filter(({ entitles, device }) =>
        entitles !== undefined && device === this.#stage.home
      );
      // What is wrong elsewhere shows with a good grant only.
      const isElsewhere = this.#wickedness.offer + this.#wickedness.channel > 0;
      return this.#dice.pick(isElsewhere && this.#dice.chance(0.9) ? good : mallory.holdings);
    }
    const signer = this.#dice.pick(mallory.signers);
    return await this.#stage.lendTo(signer, { ...LENT_ASIDE, name: "aside" });
  }

  async #draft(holding: Holding): Promise<{ draft: OfferDraft; device: Scene }> {
    const parts = { stage: this.#stage, dice: this.#dice };
    const forgery = this.#does("chain") ? this.#dice.pick(CHAIN_FORGERIES) : CHAIN_FORGERIES[0]!;
    const { chain, signer, faults } = await forgeChain(forgery, holding, parts);
    this.#faults.push(...faults);
    const { home, other } = this.#stage;
    const device = this.#does("chain") && this.#dice.chance(0.1) ? other : home;
    if (device !== holding.device) this.#faults.push("another device");
    const draft = await draftOffer(signer, { grants: chain }, parts);
    draft.fields.set(OFFER_KEY.bootNonce, await nonceOf(device));
    this.#did(`chain ${forgery}`, `holding ${holding.name}`);
    if (this.#does("offer")) {
      const name = this.#dice.pick(OFFER_SPOILINGS);
      const fault = await spoil(name, draft, parts);
      if (fault !== undefined) this.#faults.push(fault);
      this.#did(`offer ${name}`);
    }
    return { draft, device };
  }

  async #admitted({ wire }: ForgedOffer, device: Scene): Promise<Hosted | undefined> {
    const { link, replies } = mailbox();
    const peer = nextPeer++;
    const times = this.#does("offer") && this.#dice.chance(0.1) ? 2 : 1;
    for (let i = 0; i < times; i++) await device.admissions.receive(peer + i, wire, link);
    const [admission, again] = device.admitted.splice(0);
    if (again !== undefined) {
      again.release();
      admission?.release();
      throw this.#violation("was admitted twice with one offer");
    }
    if (admission === undefined) return undefined;
    const hosted = new Hosted(device, admission);
    await hosted.answer();
    this.#answer = replies.at(-1);
    return hosted;
  }

  /** Things that happen between the offer and the proof. */
  async #meanwhile(holding: Holding): Promise<void> {
    if (!this.#does("meanwhile")) return;
    const stage = this.#stage;
    const events: Readonly<Record<string, () => void | Promise<void>>> = {
      revoked: () => stage.revoke(holding),
      expired: () => stage.world.pass(LENT_ASIDE.seconds + 1),
      "almost expired": () => stage.world.pass(LENT_ASIDE.seconds - 10),
    };
    const name = this.#dice.pick(Object.keys(events));
    if (name !== "almost expired") this.#faults.push(name);
    await events[name]!();
    this.#did(`meanwhile ${name}`);
  }

  async #enter(
    { hosted, draft, offer, holding }: {
      readonly hosted: Hosted;
      readonly draft: OfferDraft;
      readonly offer: ForgedOffer;
      readonly holding: Holding;
    },
  ): Promise<boolean> {
    const { confirmation } = hosted.admission;
    const proof = await this.#prove({ hosted, draft, offer });
    if (proof === undefined) return false;
    await refusable(() => confirmation.receive(proof));
    const isConfirmed = confirmation.done;
    if (!await hosted.confirmed()) return false; // asked without a proof, too
    if (!isConfirmed) throw this.#violation("came in without a proof");
    if (this.#faults.length > 0) throw this.#violation("came in");
    await this.#checkEntry(hosted, { holding, signer: draft.signer });
    return true;
  }

  /** Its proof, as the device's nonce asks for it, or something else. */
  async #prove(
    { hosted, draft, offer }: {
      readonly hosted: Hosted;
      readonly draft: OfferDraft;
      readonly offer: ForgedOffer;
    },
  ): Promise<Bytes | undefined> {
    const { admission: { confirmation }, fields: { transport } } = hosted;
    const dice = this.#dice;
    const wicked = this.#does("channel") ? dice.pick(CHANNEL_DEEDS) : undefined;
    if (wicked !== undefined) this.#did(`channel ${wicked}`);
    const mine = signedFingerprint(draft);
    const seen = {
      local: transport.fingerprint,
      remote: wicked === "certificate" ? dice.bytes(32) : mine,
    };
    if (wicked !== undefined) this.#faults.push(`channel ${wicked}`);
    const nonce = await refusable(() => confirmation.start(seen));
    if (nonce === undefined) return undefined;
    await this.#open({ draft, offer, device: hosted.device });
    const own = dice.bytes(32);
    if (wicked === "no nonce") return concat(new Uint8Array([2]), dice.bytes(185));
    const theirs = await refusable(() => confirmation.receive(concat(new Uint8Array([1]), own)));
    if (wicked === "reflected") return theirs;
    const domain = utf8("porthole/channel-transcript/v1");
    const hashes = [await sha256(offer.wire), await sha256(this.#answer ?? dice.bytes(9))] as const;
    const fields = new Map<number, number | Bytes>([
      [0, 1],
      [1, 1],
      [2, await sha256(domain, ...hashes, seen.remote, seen.local)],
      [3, nonce.slice(1)],
      [4, own],
    ]);
    const signing: { kind: SignedKind; signer: Signer } = { kind: "chan", signer: draft.signer };
    if (wicked !== undefined) PROOF_DEEDS[wicked]?.(fields, signing, { stage: this.#stage, dice });
    const { kind, signer } = signing;
    return concat(new Uint8Array([2]), await signEnvelope(kind, encodeCbor(fields), signer));
  }

  /** Reads the device's answer like any browser, if its session key is ours: it must be good. */
  async #open(
    { draft, offer, device }: {
      readonly draft: OfferDraft;
      readonly offer: ForgedOffer;
      readonly device: Scene;
    },
  ): Promise<void> {
    if (draft.isBlind || this.#answer === undefined) return;
    const exchangeKey = answerExchangeKey(this.#answer);
    const offerHash = await sha256(offer.wire);
    const others = { exchangeKey, sealingKey: offer.sealingKey, offerHash };
    const { answer: key } = await browserSessionKeys(draft.exchange, others);
    const devicePublicKey = device.identity.signer.publicKey;
    const { sessionId } = draft;
    await openAnswer(this.#answer, { sessionId, offer, exchangeKey, key, devicePublicKey });
  }

  async #checkEntry(
    hosted: Hosted,
    { holding, signer }: { readonly holding: Holding; readonly signer: Signer },
  ): Promise<void> {
    const { admission, device } = hosted;
    const { entitles } = holding;
    if (entitles === undefined) throw this.#violation("came in by nothing");
    if (admission.access.role !== "guest") throw this.#violation("came in as an owner");
    checkRight(hosted, entitles);
    if (admission.holder !== toHex(await keyId(signer.publicKey))) {
      throw this.#violation("came in as somebody else");
    }
    const { access } = admission.greeting();
    const remaining = entitles.expires - this.#stage.world.system;
    if (access.role !== "guest" || access.remainingSeconds > remaining) {
      throw this.#violation("may stay for too long");
    }
    const grant = device.live.find(admission.sessionId)?.grant;
    if (grant !== entitles.grant) throw this.#violation("came in by another grant");
    const guests = device.store.guests(
      fromHex(grant),
    );
    if (guests.length > holding.uses) throw this.#violation("brought more than it may");
  }

  #violation(what: string): Violation {
    return new Violation(`Mallory ${what}: ${this.deeds.join(", ")}; faults: ${this.#faults}`);
  }

  #does(thing: keyof Wickedness): boolean {
    return this.#dice.chance(this.#wickedness[thing]);
  }

  #did(...deeds: readonly string[]): void {
    this.deeds.push(...deeds);
  }
}

type ProofDeed = (
  fields: Map<number, number | Bytes>,
  signing: { kind: SignedKind; signer: Signer },
  parts: { readonly stage: Stage; readonly dice: Dice },
) => void;

const PROOF_DEEDS: Readonly<Record<string, ProofDeed>> = {
  role: (fields) => fields.set(1, 2),
  version: (fields) => fields.set(0, 2),
  transcript: (fields, _signing, { dice }) => fields.set(2, dice.bytes(32)),
  "other nonce": (fields, _signing, { dice }) => fields.set(3, dice.bytes(32)),
  "own nonce": (fields, _signing, { dice }) => fields.set(4, dice.bytes(32)),
  "a field more": (fields) => fields.set(5, 1),
  "a field less": (fields, _signing, { dice }) => fields.delete(dice.below(5)),
  "another kind": (_fields, signing) => signing.kind = "offer",
  "another key": (_fields, signing, { stage, dice }) =>
    signing.signer = dice.pick(stage.mallory.signers.filter((one) => one !== signing.signer)),
};

export const CHANNEL_DEEDS = ["certificate", "no nonce", "reflected", ...Object.keys(PROOF_DEEDS)];

/** What the offer says, whatever it is. */
function signedFingerprint(draft: OfferDraft): Bytes {
  return (draft.fields.get(OFFER_KEY.transport) as Map<number, Bytes>).get(2)!;
}
