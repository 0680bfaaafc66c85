/**
 * Who there is: two honest devices and one that belongs to Mallory, an owner and a guest who are honest, and what Mallory
 * was lent, or once was. All of it is real but for the network and the clocks.
 */
import { type Bytes, fromHex, toHex } from "../../src/lib/bytes.ts";
import { type Claim, claimOf, Scene, World } from "../../src/control/testing/scene.ts";
import { Identity } from "../../src/control/identity.ts";
import type { Operation } from "../../src/protocol/access.ts";
import { Store } from "../../src/store/store.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import { grantHash, signGrant } from "../../src/trust/grant.ts";
import {
  BORROW_FRAGMENT,
  decodeInviteLink,
  inviteSigner,
  makeInvite,
} from "../../src/trust/invite_link.ts";
import { keyId } from "../../src/trust/key_id.ts";
import { randomBytes } from "../../src/trust/digest.ts";
import { newSigner } from "../../src/trust/test_ends.ts";

const DAY = 24 * 3600;
const LENT_SECONDS = 30 * DAY;
/** Seconds between two runs: the rate of strangers (20, then one a second) is never what refuses. */
export const PAUSE_SECONDS = 30;

/** Lent for one run only. */
export const LENT_ASIDE = {
  lent: { services: ["printer"], cameras: ["back"], operations: ["view"] },
  seconds: 600,
} as const;

/** What somebody was lent, by the ids of the configuration. */
export interface Lent {
  readonly services: readonly string[];
  readonly cameras: readonly string[];
  readonly operations: readonly Operation[];
}

/** Something of Mallory's that is, or was, worth a session. */
export interface Holding {
  readonly name: string;
  /** Where it is, or was, good. */
  readonly device: Scene;
  /** What is shown as it is; for a link with a seed, a chain that was made from it. */
  readonly chain: readonly Bytes[];
  /** Holder of the last link. */
  readonly signer: Signer;
  /** Key that the invite of the chain names, if Mallory has the seed. */
  readonly invite?: Signer;
  /** The most that it may give, and until when; undefined: nothing any more, or not yet. */
  readonly entitles?: Lent & { readonly grant: string; readonly expires: number };
  /** Browsers that may come by it. */
  readonly uses: number;
}

/** What Mallory has. */
export interface Mallory {
  readonly signers: readonly Signer[];
  readonly holdings: readonly Holding[];
  /** Tokens that she has seen, hers or not. */
  readonly tokens: readonly Bytes[];
  /** A claim that was used, one that is too late, one without its secret, and another device's. */
  readonly claims: readonly Claim[];
}

export class Stage {
  readonly world = new World();
  readonly #folder: string;
  readonly #stores: Store[] = [];
  home!: Scene;
  other!: Scene;
  /** Mallory's own device. */
  lair!: Scene;
  owner!: Signer;
  guest!: { readonly signer: Signer; readonly chain: readonly Bytes[]; readonly lent: Lent };
  mallory!: Mallory;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Stage> {
    const dir = await isFolder("/dev/shm") ? "/dev/shm" : undefined; // what is lent is on disk
    const stage = new Stage(await Deno.makeTempDir({ dir, prefix: "porthole-evil-" }));
    [stage.home, stage.other, stage.lair] = [
      await stage.#device("home"),
      await stage.#device("other"),
      await stage.#device("lair"),
    ];
    stage.owner = await newSigner();
    for (const device of stage.devices) await device.addOwner(stage.owner);
    stage.guest = await stage.#guest();
    stage.mallory = await stage.#mallory();
    for (const device of stage.devices) device.admitted.length = 0; // those sessions are over
    return stage;
  }

  get devices(): readonly Scene[] {
    return [this.home, this.other, this.lair];
  }

  pause(): void {
    this.world.pass(PAUSE_SECONDS);
    for (const device of this.devices) {
      device.live.look();
      device.audit.flush();
      device.log.lines.length = 0;
    }
  }

  async close(): Promise<void> {
    for (const store of this.#stores) store.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #device(name: string): Promise<Scene> {
    const folder = `${this.#folder}/${name}`;
    const identity = await Identity.load(folder);
    const store = Store.open(`${folder}/store.db`);
    this.#stores.push(store);
    const scene = new Scene(identity, store, this.world);
    await scene.admissions.start();
    return scene;
  }

  async #guest() {
    const signer = await newSigner();
    const lent = { services: ["ui"], cameras: ["front"], operations: ["view", "operate"] } as const;
    const { fragment } = await this.home.lend({ ...lent, seconds: LENT_SECONDS });
    return { signer, chain: await this.home.grantsFrom(fragment, signer), lent };
  }

  async #mallory(): Promise<Mallory> {
    const signers = await Promise.all(Array.from({ length: 5 }, newSigner));
    const [first, second, third] = signers as [Signer, Signer, Signer];
    const holdings = [
      await this.#guestHolding(first),
      await this.#narrowHolding(second),
      await this.#seedHolding(third),
      await this.#delegateHolding(first),
      await this.#expiredHolding(second),
      await this.#earlyHolding(second),
      await this.#spentHolding(third),
      await this.#revokedHolding(first),
      await this.#orphanHolding(second),
      await this.#elsewhereHolding(second),
      await this.#foreignHolding(third, this.other, "foreign"),
      await this.#foreignHolding(first, this.lair, "own device's"),
    ];
    this.world.pass(120); // what was lent for a minute is over
    const tokens = [...holdings.flatMap(({ chain }) => chain), ...this.guest.chain];
    return { signers, holdings, tokens, claims: await this.#claims() };
  }

  /** An invite of the board with one use, redeemed. */
  async #guestHolding(signer: Signer): Promise<Holding> {
    const lent: Lent = { services: ["ui"], cameras: ["front"], operations: ["view"] };
    return await this.lendTo(signer, { name: "guest", lent, seconds: LENT_SECONDS });
  }

  /** What is lent to Mallory's browser, and to no other. */
  async lendTo(
    signer: Signer,
    { name, lent, seconds }: { name: string; lent: Lent; seconds: number },
  ): Promise<Holding> {
    const { id, fragment } = await this.home.lend({ ...lent, seconds });
    const chain = await this.home.grantsFrom(fragment, signer);
    const expires = this.world.system + seconds;
    const entitles = { ...lent, grant: id, expires };
    return { name, device: this.home, chain, signer, entitles, uses: 1 };
  }

  /** A wide invite of which somebody else redeemed less for Mallory. She has the invite and not its seed. */
  async #narrowHolding(signer: Signer): Promise<Holding> {
    const wide = ["view", "talk", "operate"] as const;
    const { id, fragment } = await this.home.lend({
      services: ["ui", "printer"],
      cameras: ["front", "back"],
      operations: wide,
      seconds: LENT_SECONDS,
      uses: 4,
    });
    const link = await decodeInviteLink(fragment.slice(BORROW_FRAGMENT.length));
    const lent: Lent = { services: [], cameras: ["front"], operations: ["view"] };
    const expires = this.world.system + 10 * DAY;
    const narrow = await signGrant("guest", {
      audience: this.home.identity.id,
      holder: signer.publicKey,
      id: randomBytes(16),
      notBefore: this.world.system,
      expires,
      epoch: 0,
      scope: this.home.things.scopeOf(lent),
      depth: 0,
      ttl: 10 * DAY,
      parent: await grantHash(link.token),
    }, await inviteSigner(link.seed));
    const chain = [link.token, narrow];
    const entitles = { ...lent, grant: id, expires };
    return { name: "narrow", device: this.home, chain, signer, entitles, uses: 1 };
  }

  /** A link with its seed, for two browsers. */
  async #seedHolding(signer: Signer): Promise<Holding> {
    const lent: Lent = { services: ["printer"], cameras: [], operations: ["view", "operate"] };
    const { id, fragment } = await this.home.lend({ ...lent, seconds: LENT_SECONDS, uses: 2 });
    const link = await decodeInviteLink(fragment.slice(BORROW_FRAGMENT.length));
    const chain = await this.home.grantsFrom(fragment, signer);
    const expires = this.world.system + LENT_SECONDS;
    const invite = await inviteSigner(link.seed);
    const entitles = { ...lent, grant: id, expires };
    return { name: "seed", device: this.home, chain, signer, invite, entitles, uses: 2 };
  }

  /** A grant of the owner to Mallory's browser, which may be passed on once. */
  async #delegateHolding(signer: Signer): Promise<Holding> {
    const lent: Lent = { services: ["ui", "printer"], cameras: [], operations: ["view"] };
    const id = randomBytes(16);
    const expires = this.world.system + LENT_SECONDS;
    const token = await signGrant("guest", {
      audience: this.home.identity.id,
      holder: signer.publicKey,
      id,
      notBefore: this.world.system,
      expires,
      epoch: 0,
      scope: this.home.things.scopeOf(lent),
      depth: 1,
      ttl: LENT_SECONDS,
    }, this.owner);
    const entitles = { ...lent, grant: toHex(id), expires };
    return { name: "delegate", device: this.home, chain: [token], signer, entitles, uses: 64 };
  }

  async #expiredHolding(signer: Signer): Promise<Holding> {
    const lent: Lent = { services: ["ui"], cameras: ["back"], operations: ["view"] };
    const holding = await this.lendTo(signer, { name: "expired", lent, seconds: 60 });
    return { ...holding, entitles: undefined };
  }

  /** The owner's, for next year. */
  async #earlyHolding(signer: Signer): Promise<Holding> {
    const notBefore = this.world.system + 365 * DAY;
    return await this.#owners(signer, { name: "early", notBefore, ttl: DAY });
  }

  /** Redeemed for a minute of the monotonic clock, which is over. */
  async #spentHolding(signer: Signer): Promise<Holding> {
    const holding = await this.#owners(signer, {
      name: "spent",
      notBefore: this.world.system,
      ttl: 60,
    });
    const person = await this.home.enter(signer, { grants: holding.chain });
    person.admission.release();
    return holding;
  }

  async #owners(
    signer: Signer,
    { name, notBefore, ttl, by = this.owner }: {
      name: string;
      notBefore: number;
      ttl: number;
      by?: Signer;
    },
  ): Promise<Holding> {
    const lent: Lent = { services: ["ui"], cameras: ["back"], operations: ["view", "operate"] };
    const { fragment } = await makeInvite({
      devicePublicKey: this.home.identity.signer.publicKey,
      issuer: by,
      issuerEpoch: 0,
      scope: this.home.things.scopeOf(lent),
      notBefore,
      expires: notBefore + LENT_SECONDS,
      ttl,
      uses: 1,
    });
    const chain = await this.home.grantsFrom(fragment, signer);
    return { name, device: this.home, chain, signer, uses: 1 };
  }

  async #revokedHolding(signer: Signer): Promise<Holding> {
    const lent: Lent = { services: ["ui"], cameras: ["back"], operations: ["view"] };
    const holding = await this.lendTo(signer, { name: "revoked", lent, seconds: LENT_SECONDS });
    this.revoke(holding);
    return { ...holding, entitles: undefined };
  }

  revoke({ entitles }: Holding): void {
    this.home.household.revokeGrant(fromHex(entitles!.grant));
  }

  /** Lent by an owner who was removed. */
  async #orphanHolding(signer: Signer): Promise<Holding> {
    const former = await newSigner();
    await this.home.addOwner(former, "former");
    const how = { name: "orphan", notBefore: this.world.system, ttl: DAY, by: former };
    const holding = await this.#owners(signer, how);
    this.home.household.removeOwner(await keyId(former.publicKey));
    return holding;
  }

  /** Lent by another device. */
  async #foreignHolding(signer: Signer, device: Scene, name: string): Promise<Holding> {
    const lent: Lent = { services: ["ui"], cameras: ["front"], operations: ["view"] };
    const { id, fragment } = await device.lend({ ...lent, seconds: LENT_SECONDS });
    const chain = await device.grantsFrom(fragment, signer);
    const entitles = { ...lent, grant: id, expires: this.world.system + LENT_SECONDS };
    return { name, device, chain, signer, entitles, uses: 1 };
  }

  /** Lent by the owner of both, at the other device. */
  async #elsewhereHolding(signer: Signer): Promise<Holding> {
    const { other, world } = this;
    const lent: Lent = { services: ["ui", "printer"], cameras: [], operations: ["view"] };
    const expires = world.system + LENT_SECONDS;
    const { id, fragment } = await makeInvite({
      devicePublicKey: other.identity.signer.publicKey,
      issuer: this.owner,
      issuerEpoch: 0,
      scope: other.things.scopeOf(lent),
      notBefore: world.system,
      expires,
      ttl: LENT_SECONDS,
      uses: 1,
    });
    const chain = await other.grantsFrom(fragment, signer);
    const entitles = { ...lent, grant: toHex(id), expires };
    return { name: "elsewhere", device: other, chain, signer, entitles, uses: 1 };
  }

  async #claims(): Promise<readonly Claim[]> {
    const used = await this.home.openWindow();
    const helper = await newSigner();
    const paired = await this.home.enter(helper, { claim: used });
    paired.admission.release();
    this.home.household.removeOwner(await keyId(helper.publicKey));
    const late = await this.home.openWindow();
    this.world.pass(120);
    const { token } = await this.home.openWindow();
    const foreign = await claimOf(
      (await this.lair.pairing.open({ now: this.world.monotonic, forMs: 24 * 3600_000 })).fragment,
    );
    return [used, late, { token, secret: randomBytes(16) }, foreign];
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false; // not this system
  }
}
