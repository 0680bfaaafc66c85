/** A guest who came in: may do what its grant says, for as long as it holds. */
import { type Bytes, toHex } from "../lib/bytes.ts";
import type { ByeCode } from "../protocol/control.ts";
import type { Greeting, SessionAccess, Use } from "./admission_types.ts";
import { useLine } from "./audit.ts";
import type { EntranceOptions, Entry } from "./entrance.ts";
import { actorOf, type Guest } from "./grants.ts";

export class GuestEntry implements Entry {
  readonly access: SessionAccess;
  readonly desk = undefined;
  /** Id of the grant, 32 digits. */
  readonly grant: string;
  readonly since: number;
  readonly #options: EntranceOptions;
  readonly #guest: Guest;
  readonly #pass: Bytes;
  /** By the monotonic clock. */
  readonly #startedAt: number;

  /** Comes in, once its grant was redeemed: the log tells of it. */
  constructor(options: EntranceOptions, { guest, pass }: { guest: Guest; pass: Bytes }) {
    this.#options = options;
    this.#guest = guest;
    this.#pass = pass;
    this.#startedAt = options.monotonic();
    this.since = options.clock.now();
    this.grant = toHex(guest.grant.id);
    const { operations } = guest.chain.scope;
    const { services, cameras } = options.things.idsOf(guest.chain.scope);
    this.access = {
      role: "guest",
      services: new Set(services),
      cameras: new Set(cameras),
      operations: new Set(operations),
    };
    const lent = [...services, ...cameras.map((id) => `camera:${id}`)].join(",");
    options.audit.person("session.opened", actorOf(guest), `${operations.join(",")} ${lent}`);
  }

  greeting(): Greeting {
    const { operations } = this.#guest.chain.scope;
    const remainingSeconds = this.#options.grants.remaining(this.#guest);
    return { access: { role: "guest", operations, remainingSeconds }, pass: this.#pass };
  }

  used(use: Use): void {
    const line = useLine(use);
    if (line) this.#options.audit.person(line.event, actorOf(this.#guest), line.thing);
  }

  verdict(): ByeCode | undefined {
    const standing = this.#options.grants.standing(this.#guest);
    return standing === "ok" ? undefined : standing;
  }

  close(code?: ByeCode): void {
    const { audit, monotonic } = this.#options;
    this.#saw();
    if (code === "kicked") return; // whoever did it has written so
    const actor = actorOf(this.#guest);
    if (code) return audit.person("session.ended", actor, code);
    const seconds = Math.round((monotonic() - this.#startedAt) / 1000);
    audit.person("session.closed", actor, `after ${seconds} s`);
  }

  /** Only nice to know: the end of a session goes on without. */
  #saw(): void {
    const { records, clock, log } = this.#options;
    try {
      records.sawGuest(this.#guest.grant.id, this.#guest.keyId, clock.now());
    } catch (error) {
      log.error("admission.failed", { error: String(error) });
    }
  }
}
