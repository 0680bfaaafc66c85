/**
 * A run of Mallory with a device of her own that somebody honest visits: what is said to her device she takes to another
 * one (RFC 8844, unknown key share). Nobody may come to believe in a session with an end that it did not choose.
 */
import type { Scene } from "../../src/control/testing/scene.ts";
import { type Bytes, concat, toHex, utf8 } from "../../src/lib/bytes.ts";
import { DeviceHandshake } from "../../src/trust/handshake.ts";
import { type Offer, type OfferMessage, openOffer } from "../../src/trust/offer.ts";
import { pad } from "../../src/trust/padding.ts";
import { sealTo } from "../../src/trust/seal.ts";
import type { TransportFields } from "../../src/protocol/sdp.ts";
import { mailbox, type Outcome } from "./carried.ts";
import { carry, endOf } from "./channel.ts";
import type { Dice } from "./dice.ts";
import { draftOffer, nonceOf, OFFER_KEY, sealDraft } from "./forged_offer.ts";
import { calm, EvilRendezvous, Memory } from "./rendezvous.ts";
import type { Stage } from "./stage.ts";
import { Hosted, Violation, Visitor } from "./visit.ts";

let nextPeer = 3_000_000;

export class BridgeRun {
  readonly deeds: string[] = [];
  readonly #stage: Stage;
  readonly #dice: Dice;

  constructor(stage: Stage, dice: Dice) {
    this.#stage = stage;
    this.#dice = dice;
  }

  async run(): Promise<Outcome> {
    const { lair, home, owner } = this.#stage;
    const options = {
      name: "owner",
      device: lair,
      signer: owner,
      right: "owner",
      shows: {},
    } as const;
    const victim = await Visitor.make(options);
    await victim.hearPresence(await lair.admissions.presence());
    const wire = (await victim.offer())!;
    const { id, sealing } = lair.identity;
    const offer = await openOffer(wire, { device: id, sealing });
    const isSealedAnew = this.#dice.chance(0.5);
    this.deeds.push(isSealedAnew ? "bridge sealed anew" : "bridge as herself");
    if (isSealedAnew) await this.#sealAnew(offer, home);
    else await this.#asHerself(victim, offer);
    return { sessions: 0, halves: 0, wanted: 0 };
  }

  /** The victim's own words, to a device that it did not mean. */
  async #sealAnew({ wire, text }: Offer & OfferMessage, to: Scene): Promise<void> {
    const { id, sealing: [key] } = to.identity;
    const epoch = new Uint8Array(4);
    new DataView(epoch.buffer).setUint32(0, key!.epoch);
    const sealing = await sealTo(key!.publicKey, concat(utf8("porthole/offer/v1"), id, epoch));
    const header = concat(wire.slice(0, 1), epoch, wire.slice(5, 21), sealing.enc);
    const again = concat(header, await sealing.seal(pad(text, [1024, 2048, 4096]), header));
    if (await this.#admitted(to, again)) {
      throw new Violation("a device admitted an offer that was made for another");
    }
  }

  /** Her own offer with the victim's certificate, and to the victim the device's certificate as hers. */
  async #asHerself(victim: Visitor, { wire, transport }: Offer & OfferMessage): Promise<void> {
    const { home, lair, mallory } = this.#stage;
    const { chain, signer } = mallory.holdings[0]!;
    const parts = { stage: this.#stage, dice: this.#dice };
    const draft = await draftOffer(signer, { grants: chain }, parts);
    draft.fields.set(OFFER_KEY.bootNonce, await nonceOf(home));
    const { ufrag, pwd, fingerprint } = transport;
    const stolen = new Map<number, string | number | Bytes>([
      [0, ufrag],
      [1, pwd],
      [2, fingerprint],
      [3, 0],
    ]);
    draft.fields.set(OFFER_KEY.transport, stolen);
    const hosted = await this.#admitted(home, (await sealDraft(draft, home)).wire);
    if (hosted === undefined) throw new Violation("a guest's own offer was refused");
    try {
      await victim.take(await this.#lairAnswer(lair, { wire, transport: hosted.fields.transport }));
      await this.#connect(victim, hosted);
    } finally {
      hosted.admission.release();
    }
  }

  async #lairAnswer(
    lair: Scene,
    { wire, transport }: { readonly wire: Bytes; readonly transport: TransportFields },
  ): Promise<Bytes> {
    const { signer, sealing } = lair.identity;
    const own = { device: signer, sealing, bootNonces: [await nonceOf(lair)] };
    const handshake = await DeviceHandshake.receive({ offer: wire, ...own });
    return await handshake.answer(transport);
  }

  /** Both certificates are the true ones: the victim and the device do talk to each other. */
  async #connect(victim: Visitor, hosted: Hosted): Promise<void> {
    const device = endOf("device", hosted.admission.confirmation, hosted.said);
    const browser = endOf("browser", victim.handshake!.confirmation(), victim.said);
    const [mine, theirs] = [
      victim.fields.transport.fingerprint,
      hosted.fields.transport.fingerprint,
    ];
    const seen = {
      device: { local: theirs, remote: mine },
      browser: { local: mine, remote: theirs },
    };
    const signer = this.#stage.lair.identity.signer;
    const evil = new EvilRendezvous({
      ...{ dice: this.#dice, mood: calm(), memory: new Memory(), signer },
    });
    await carry([device, browser], { seen, evil });
    if (hosted.said.length < 2 || victim.said.length < 2) {
      throw new Violation("a bridge ended before the proofs"); // the test would test nothing
    }
    if (device.convincedBy || await hosted.confirmed()) {
      throw new Violation(`a device took ${toHex(mine)} for another`);
    }
    if (browser.convincedBy) throw new Violation("a browser took a device for another");
  }

  async #admitted(device: Scene, offer: Bytes): Promise<Hosted | undefined> {
    await device.admissions.receive(nextPeer++, offer, mailbox().link);
    const [admission] = device.admitted.splice(0);
    if (admission === undefined) return undefined;
    const hosted = new Hosted(device, admission);
    await hosted.answer();
    return hosted;
  }
}
