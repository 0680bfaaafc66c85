/** Honest ends in the hands of an evil rendezvous: a browser that wants to reach a device, and the device's agent. */
import type { Admission } from "../../src/agent/seams.ts";
import type { BrowserOptions, Scene } from "../../src/control/testing/scene.ts";
import { type Bytes, equalBytes, toHex } from "../../src/lib/bytes.ts";
import type { Signer } from "../../src/trust/ed25519.ts";
import { BrowserHandshake, HandshakeError } from "../../src/trust/handshake.ts";
import { keyId } from "../../src/trust/key_id.ts";
import { newEndFields } from "./secrets.ts";
import type { Lent } from "./stage.ts";

/** Something that must not happen happened. */
export class Violation extends Error {
  override name = "Violation";
}

/** What a visitor may get. */
export type Right = "owner" | Lent;

export interface VisitorOptions {
  readonly name: string;
  readonly device: Scene;
  readonly signer: Signer;
  readonly right: Right;
  readonly shows: BrowserOptions;
}

/** The errors that hostile input may give: words of the handshake, or a step out of turn. */
export async function refusable<Result>(step: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await step();
  } catch (error) {
    const isOfTurn = error instanceof Error && /^Cannot .*: handshake is /.test(error.message);
    if (error instanceof HandshakeError || isOfTurn) return undefined;
    throw new Violation("an end failed with a foreign error", { cause: error });
  }
}

/** A browser of somebody honest. */
export class Visitor {
  readonly fields = newEndFields("actpass");
  readonly options: VisitorOptions;
  readonly holder: string;
  /** M4 messages that it made. */
  readonly said: Bytes[] = [];
  /** Candidates of the device that it took. */
  readonly heard: string[] = [];
  handshake: BrowserHandshake | undefined;
  /** The device's fields by the answer that it took. */
  answered = false;

  private constructor(options: VisitorOptions, holder: string) {
    this.options = options;
    this.holder = holder;
  }

  static async make(options: VisitorOptions): Promise<Visitor> {
    return new Visitor(options, toHex(await keyId(options.signer.publicKey)));
  }

  async hearPresence(presence: Bytes): Promise<void> {
    const { device, signer, shows, name } = this.options;
    this.handshake ??= await refusable(() =>
      BrowserHandshake.start({
        devicePublicKey: device.identity.signer.publicKey,
        presence,
        browser: signer,
        label: name,
        time: device.world.system,
        ...shows,
      })
    );
  }

  async offer(): Promise<Bytes | undefined> {
    const { transport, candidates } = this.fields;
    return await this.handshake?.offer({ transport, candidates: candidates.slice(0, 1) });
  }

  /** An answer or a candidate, for all that it knows. */
  async take(message: Bytes): Promise<void> {
    const { handshake } = this;
    if (handshake === undefined) return;
    if (message[0] === 3) {
      const candidate = await refusable(() => handshake.openCandidate(message));
      if (candidate !== undefined) this.heard.push(candidate);
      return;
    }
    if (await refusable(() => handshake.acceptAnswer(message))) this.answered = true;
  }
}

/** A session as the agent of a device sees it. */
export class Hosted {
  readonly fields = newEndFields("passive");
  readonly device: Scene;
  readonly admission: Admission;
  /** M4 messages that it made. */
  readonly said: Bytes[] = [];
  /** Candidates of the browser that it took. */
  readonly heard: string[] = [];

  constructor(device: Scene, admission: Admission) {
    this.device = device;
    this.admission = admission;
  }

  async answer(): Promise<void> {
    this.admission.onCandidate((candidate) => this.heard.push(candidate));
    await this.admission.answer(this.fields.transport);
  }

  async sendCandidates(): Promise<void> {
    for (const candidate of this.fields.candidates) await this.admission.sendCandidate(candidate);
  }

  /** Lets the browser in if it may come. */
  async confirmed(): Promise<boolean> {
    return await refusable(async () => {
      await this.admission.confirmed();
      return true;
    }) ?? false;
  }
}

/** What a device lets in must be within what this person has. */
export function checkRight({ admission }: Hosted, right: Right): void {
  const { access } = admission;
  if (right === "owner") return;
  if (access.role === "owner") throw new Violation("a guest came in as an owner");
  const within = (inner: ReadonlySet<string>, outer: readonly string[]) =>
    [...inner].every((entry) => outer.includes(entry));
  const isWithin = within(access.services, right.services) &&
    within(access.cameras, right.cameras) && within(access.operations, right.operations);
  if (!isWithin) throw new Violation("a guest has more than it was lent");
}

/** Whether what arrived is the beginning of what was sent. */
export function isPrefix(arrived: readonly string[], sent: readonly string[]): boolean {
  return arrived.every((candidate, i) => candidate === sent[i]);
}

export function isOneOf(message: Bytes, all: readonly Bytes[]): boolean {
  return all.some((one) => equalBytes(one, message));
}
