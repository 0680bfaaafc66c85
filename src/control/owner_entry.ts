/** An owner who came in: may do everything, until it is removed. */
import type { Bytes } from "../lib/bytes.ts";
import type { ByeCode } from "../protocol/control.ts";
import type { Greeting } from "./admission_types.ts";
import type { EntranceOptions, Entry } from "./entrance.ts";
import { SessionDesk } from "./owner_desk.ts";

/** Who came in, and as what session. */
export interface EnteredOwner {
  readonly sessionId: string;
  readonly owner: {
    readonly keyId: Bytes;
    readonly label: string;
    /** Unix seconds, as its browser says. */
    readonly time: number;
  };
  readonly pass: Bytes;
  /** Whether it still is one. */
  isOwner(): boolean;
}

export class OwnerEntry implements Entry {
  readonly access = { role: "owner" } as const;
  readonly desk: SessionDesk;
  readonly since: number;
  readonly #options: EntranceOptions;
  readonly #entered: EnteredOwner;

  /** Comes in: the log tells of it, and the clock hears the time. */
  constructor(options: EntranceOptions, entered: EnteredOwner) {
    this.#options = options;
    this.#entered = entered;
    const { sessionId, owner: { keyId, label, time } } = entered;
    options.clock.attest(time);
    this.since = options.clock.now();
    this.#saw();
    options.audit.person("session.opened", { holder: keyId, label }, "owner");
    this.desk = new SessionDesk(options, { keyId, sessionId });
  }

  greeting(): Greeting {
    const { records, things } = this.#options;
    return {
      access: this.access,
      pass: this.#entered.pass,
      audit: records.auditHead(),
      numberOf: (kind, id) => things.numberOf(kind, id),
    };
  }

  /** Owners may do everything: a line for each use would hide what guests do. */
  used(): void {}

  verdict(): ByeCode | undefined {
    return this.#entered.isOwner() ? undefined : "removed";
  }

  close(code?: ByeCode): void {
    const { audit, log } = this.#options;
    const { keyId: holder, label } = this.#entered.owner;
    this.desk.close();
    try {
      this.#saw();
    } catch (error) {
      log.error("admission.failed", { error: String(error) }); // only nice to know: the end goes on
    }
    if (code === undefined || code === "kicked") return; // whoever kicked has written so
    audit.person("session.ended", { holder, label }, code);
  }

  #saw(): void {
    const { records, clock } = this.#options;
    records.sawOwner(this.#entered.owner.keyId, clock.now());
  }
}
