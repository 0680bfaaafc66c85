/**
 * For tests of `control/`: a device's control with a real store and identity, whose clocks stand until they are moved, and
 * browsers that come to it through a rendezvous that only passes on. No part of the product imports it.
 */
import assert from "node:assert/strict";
import type { Admission as AgentAdmission } from "../../agent/seams.ts";
import { type Bytes, fromHex } from "../../lib/bytes.ts";
import type { Operation } from "../../protocol/access.ts";
import type { OwnerReply, OwnerRequest } from "../../protocol/owner.ts";
import { Store } from "../../store/store.ts";
import type { Signer } from "../../trust/ed25519.ts";
import { BrowserHandshake, HandshakeError } from "../../trust/handshake.ts";
import {
  BORROW_FRAGMENT,
  decodeInviteLink,
  type MadeInvite,
  makeInvite,
  redeemInvite,
} from "../../trust/invite_link.ts";
import { keyId } from "../../trust/key_id.ts";
import { decodePairLink } from "../../trust/pair_link.ts";
import { type RevocationTarget, signRevocation } from "../../trust/revocation.ts";
import {
  BROWSER_TRANSPORT,
  DEVICE_TRANSPORT,
  makeOffer,
  newSigner,
} from "../../trust/test_ends.ts";
import { Admissions } from "../admission.ts";
import type { OfferLink } from "../admission_types.ts";
import { Audit } from "../audit.ts";
import { Changes } from "../changes.ts";
import { DeviceClock } from "../clock.ts";
import { Entrance } from "../entrance.ts";
import { Grants } from "../grants.ts";
import { GrantWatch } from "../grant_watch.ts";
import { Heartbeat } from "../heartbeat.ts";
import { Household } from "../household.ts";
import { Identity } from "../identity.ts";
import { KeyRotation } from "../key_rotation.ts";
import { Lending, type LendTerms } from "../lending.ts";
import { LiveSessions } from "../live_sessions.ts";
import { MIN_WINDOW_MS, Pairing } from "../pairing.ts";
import { Passes } from "../passes.ts";
import type { Records } from "../records.ts";
import { MemoryLog } from "../test_parts.ts";
import { Things } from "../things.ts";

/** 2027-01-01, later than any build of this code: what the scene's clocks say at first. */
export const START = Date.UTC(2027, 0, 1) / 1000;
export const HOUR = 3600;
export const SERVICES = ["ui", "printer"];
export const CAMERAS = ["front", "back"];

/** The world around a device: its clocks. A restart leaves them as they are. */
export class World {
  /** Milliseconds of the clock that only runs forward. */
  monotonic = 5_000;
  /** Unix seconds, as the system has them. */
  system = START;
  /** What the system's time service says. */
  synchronised = true;

  /** Lets seconds pass. */
  pass(seconds: number): void {
    this.monotonic += seconds * 1000;
    this.system += seconds;
  }
}

export class Scene {
  readonly log = new MemoryLog();
  readonly admitted: AgentAdmission[] = [];
  hasRoom = true;
  presenceChanges = 0;
  readonly changes = new Changes();
  readonly clock: DeviceClock;
  readonly audit: Audit;
  readonly pairing: Pairing;
  readonly passes: Passes;
  readonly things: Things;
  readonly grants: Grants;
  readonly lending: Lending;
  readonly live: LiveSessions;
  readonly household: Household;
  readonly entrance: Entrance;
  readonly admissions: Admissions;
  readonly rotation: KeyRotation;
  readonly heartbeat: Heartbeat;
  /** This run of the device and those after it. */
  runs: Scene[] = [this];

  constructor(
    readonly identity: Identity,
    readonly store: Store,
    readonly world = new World(),
    readonly records: Records = store,
  ) {
    const monotonic = () => world.monotonic;
    const { signer, id, keyId } = identity;
    const device = { id, keyId, publicKey: signer.publicKey };
    const { log, changes } = this;
    const clock = this.clock = new DeviceClock({
      mode: "auto",
      records,
      monotonic,
      system: () => world.system * 1000,
      isSynchronised: () => world.synchronised,
    });
    const audit = this.audit = new Audit({
      ...{ records, clock, monotonic, log },
      sign: (message) => signer.sign(message),
    });
    const pairing = this.pairing = new Pairing(signer);
    const passes = this.passes = new Passes({
      ...{ secret: identity.passSecret, records },
      isOver: (grant) => grants.over(grant) !== undefined,
      onChange: () => {},
    });
    const things = this.things = new Things(records, { services: SERVICES, cameras: CAMERAS });
    const grants: Grants = this.grants = new Grants({
      ...{ device, records, clock, audit, passes, monotonic },
    });
    const lending = this.lending = new Lending({
      ...{ device, signer, records, clock, grants, things, audit, changes },
    });
    const live = this.live = new LiveSessions({ log, changes });
    const household = this.household = new Household({
      ...{ records, clock, grants, live, pairing, passes, things, audit, changes, log, monotonic },
    });
    const entrance = this.entrance = new Entrance({
      ...{ device, records, clock, pairing, grants, lending, household, things, audit },
      ...{ changes, log, monotonic },
    });
    this.admissions = new Admissions({
      ...{ identity, entrance, passes, live, audit, log, monotonic },
      hasRoom: () => this.hasRoom,
      onAdmission: (admission) => this.admitted.push(admission),
      onPresenceChange: () => this.presenceChanges++,
    });
    const rotation = this.rotation = new KeyRotation({
      ...{ identity, clock, monotonic },
      onRotation: () => this.presenceChanges++,
    });
    const watch = new GrantWatch({ records, grants, changes, monotonic });
    this.heartbeat = new Heartbeat({ live, grants, watch, audit, rotation, log });
  }

  static async run(test: (scene: Scene) => Promise<void>, world = new World()): Promise<void> {
    const folder = await Deno.makeTempDir();
    const store = Store.open(`${folder}/store.db`);
    const scene = new Scene(await Identity.load(folder), store, world);
    try {
      await scene.admissions.start();
      await test(scene);
    } finally {
      for (const run of scene.runs) await run.heartbeat.stop();
      store.close();
      await Deno.remove(folder, { recursive: true });
    }
  }

  /** The same device after its program was killed, or stopped in peace. */
  async restarted(how: "killed" | "stopped" = "killed"): Promise<Scene> {
    if (how === "stopped") await this.heartbeat.stop();
    const scene = new Scene(this.identity, this.store, this.world);
    this.runs.push(scene);
    scene.runs = this.runs;
    await scene.admissions.start();
    return scene;
  }

  /** Lets seconds pass, one by one, with all that happens each second and each minute. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.world.pass(1);
      this.heartbeat.beat();
    }
  }

  async addOwner(signer: Signer, label = "old"): Promise<void> {
    const owner = {
      keyId: await keyId(signer.publicKey),
      publicKey: signer.publicKey,
      label,
      createdAt: 1,
    };
    const cti = crypto.getRandomValues(new Uint8Array(16));
    this.store.consumeClaimAndAddOwner(cti, owner, { at: 1, event: "owner.added" });
  }

  async openWindow(): Promise<Claim> {
    const { fragment } = await this.pairing.open({
      now: this.world.monotonic,
      forMs: MIN_WINDOW_MS,
    });
    return await claimOf(fragment);
  }

  /** A link made on the board. */
  async lend(terms: Partial<LendTerms> = {}): Promise<{ id: string; fragment: string }> {
    return await this.lending.lend({
      services: ["ui"],
      cameras: ["front"],
      operations: ["view"],
      seconds: HOUR,
      uses: 1,
      label: "Plumber",
      ...terms,
    });
  }

  async browser(signer: Signer, options: BrowserOptions = {}): Promise<TestBrowser> {
    const handshake = await BrowserHandshake.start({
      devicePublicKey: this.identity.signer.publicKey,
      presence: await this.admissions.presence(),
      browser: signer,
      label: "Firefox",
      time: this.world.system,
      ...options,
    });
    return new TestBrowser(handshake, this);
  }

  /** A person with a live session. */
  async enter(signer: Signer, options: BrowserOptions = {}): Promise<Person> {
    const browser = await this.browser(signer, options);
    const admission = await browser.admitted();
    await browser.confirm(admission);
    await admission.confirmed();
    return new Person(this, { signer, browser, admission });
  }

  /** A new owner with a live session. */
  async owner(options: BrowserOptions = {}): Promise<Person> {
    const claim = options.claim ?? await this.openWindow();
    return await this.enter(await newSigner(), { ...options, claim });
  }

  /** What a browser with this key shows to come in by a link. */
  async grantsFrom(fragment: string, signer: Signer): Promise<readonly Bytes[]> {
    const link = await decodeInviteLink(fragment.slice(BORROW_FRAGMENT.length));
    return await redeemInvite(link, signer.publicKey);
  }

  /** A guest with a live session, by a link. */
  async guest(fragment: string, options: BrowserOptions = {}): Promise<Person> {
    const signer = await newSigner();
    const grants = await this.grantsFrom(fragment, signer);
    const person = await this.enter(signer, { label: "Phone", grants, ...options });
    person.grants = grants;
    return person;
  }

  /** Why this browser may not come in. */
  async refusalOf(signer: Signer, options: BrowserOptions = {}): Promise<string> {
    const browser = await this.browser(signer, options);
    await browser.offer();
    return await browser.refusal();
  }
}

/** The records, but for some calls that are answered here. */
export function override(records: Records, own: Partial<Records>): Records {
  return new Proxy(records, {
    get(target, name) {
      const holder = name in own ? own : target;
      const value: unknown = Reflect.get(holder, name);
      return typeof value === "function" ? value.bind(holder) : value;
    },
  });
}

export interface Claim {
  readonly secret: Bytes;
  readonly token: Bytes;
}

export interface BrowserOptions {
  readonly claim?: Claim;
  readonly grants?: readonly Bytes[];
  readonly pass?: Bytes;
  readonly label?: string;
  readonly time?: number;
}

/** What a pairing link carries. */
export async function claimOf(fragment: string): Promise<Claim> {
  const { secret, claim } = await decodePairLink(fragment.slice("pair=".length));
  return { secret, token: claim };
}

/** Somebody who came in. */
export class Person {
  readonly scene: Scene;
  readonly signer: Signer;
  readonly browser: TestBrowser;
  readonly admission: AgentAdmission;
  grants: readonly Bytes[] | undefined;

  constructor(
    scene: Scene,
    parts: { signer: Signer; browser: TestBrowser; admission: AgentAdmission },
  ) {
    this.scene = scene;
    this.signer = parts.signer;
    this.browser = parts.browser;
    this.admission = parts.admission;
  }

  /** How control ended the session; undefined while it runs. */
  get bye(): unknown {
    const { ended } = this.admission;
    return ended.aborted ? ended.reason : undefined;
  }

  async ask<Request extends OwnerRequest>(
    request: Request,
  ): Promise<OwnerReply & { kind: ReplyKind<Request["kind"]> }> {
    const reply = await this.admission.desk!.answer(request);
    return reply as OwnerReply & { kind: ReplyKind<Request["kind"]> };
  }

  /** Signs an invite, as an owner's browser does. */
  async invite(terms: Partial<InviteWish> = {}): Promise<MadeInvite> {
    const { issuing } = await this.ask({ kind: "people" });
    const { services = ["ui"], cameras = ["front"], operations = ["view"] } = terms;
    const { numberOf } = this.admission.greeting();
    const numbers = (kind: "service" | "camera", ids: readonly string[]) =>
      ids.map((id) => numberOf!(kind, id)).sort((a, b) => a - b);
    const { seconds = HOUR, uses = 1, notBefore = issuing.time } = terms;
    return await makeInvite({
      devicePublicKey: this.scene.identity.signer.publicKey,
      issuer: this.signer,
      issuerEpoch: issuing.epoch,
      scope: {
        services: numbers("service", services),
        cameras: numbers("camera", cameras),
        operations,
      },
      notBefore,
      expires: notBefore + seconds + (issuing.slack ?? 0),
      ttl: terms.ttl ?? seconds,
      uses,
    });
  }

  /** Signs and registers an invite. */
  async lend(terms: Partial<InviteWish> = {}): Promise<MadeInvite> {
    const invite = await this.invite(terms);
    await this.ask({ kind: "lend", token: invite.token, label: "Plumber" });
    return invite;
  }

  async statement(target: RevocationTarget, sequence?: number): Promise<Bytes> {
    const { issuing } = await this.ask({ kind: "people" });
    return await signRevocation({
      audience: this.scene.identity.id,
      issuedAt: issuing.time,
      target,
      sequence: sequence ?? issuing.sequence,
    }, this.signer);
  }

  async revoke(id: Bytes): Promise<void> {
    const statement = await this.statement({ kind: "grant", id });
    await this.ask({ kind: "revoke", statement });
  }

  async remove(owner: Person): Promise<void> {
    const id = fromHex(owner.admission.holder);
    await this.ask({ kind: "revoke", statement: await this.statement({ kind: "owner", id }) });
  }
}

export interface InviteWish {
  readonly services: readonly string[];
  readonly cameras: readonly string[];
  readonly operations: readonly Operation[];
  readonly seconds: number;
  readonly ttl: number;
  readonly uses: number;
  readonly notBefore: number;
}

type ReplyKind<Kind> = Kind extends "unpair" | "lend" | "revoke" | "kick" ? "done" : Kind;

let nextPeer = 1;

/** A browser behind the rendezvous. */
export class TestBrowser implements OfferLink {
  readonly iceServers = [{ urls: "stun:stun.example.org" }];
  readonly inbox: Bytes[] = [];
  readonly peer = nextPeer++;
  readonly handshake: BrowserHandshake;
  readonly #scene: Scene;

  constructor(handshake: BrowserHandshake, scene: Scene) {
    this.handshake = handshake;
    this.#scene = scene;
  }

  reply(sealed: Bytes): void {
    this.inbox.push(sealed);
  }

  async send(sealed: Bytes): Promise<void> {
    await this.#scene.admissions.receive(this.peer, sealed, this);
  }

  async offer(): Promise<void> {
    await this.send(await makeOffer(this.handshake));
  }

  /** Sends an offer and gives what was admitted. */
  async admitted(): Promise<AgentAdmission> {
    const before = this.#scene.admitted.length;
    await this.offer();
    const why = this.inbox.length > 0 ? await this.refusal() : "no answer";
    assert.equal(this.#scene.admitted.length, before + 1, `not admitted: ${why}`);
    return this.#scene.admitted.at(-1)!;
  }

  /** Reads the refusal that must be the only answer. */
  async refusal(): Promise<string> {
    assert.equal(this.inbox.length, 1);
    try {
      await this.handshake.acceptAnswer(this.inbox.pop()!);
    } catch (error) {
      assert.ok(error instanceof HandshakeError);
      return error.code;
    }
    throw new Error("the offer was accepted");
  }

  /** Runs the handshake with the agent's side of it to the end of M4. */
  async confirm(admission: AgentAdmission): Promise<void> {
    await admission.answer(DEVICE_TRANSPORT);
    assert.deepEqual(await this.handshake.acceptAnswer(this.inbox.shift()!), DEVICE_TRANSPORT);
    const [local, remote] = [BROWSER_TRANSPORT.fingerprint, DEVICE_TRANSPORT.fingerprint];
    const [mine, theirs] = [this.handshake.confirmation(), admission.confirmation];
    const nonce = await mine.start({ local, remote });
    const proof = await mine.receive(await theirs.start({ local: remote, remote: local }));
    await mine.receive((await theirs.receive(nonce))!);
    await theirs.receive(proof!);
  }
}
