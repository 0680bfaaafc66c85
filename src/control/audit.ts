/**
 * The log of who came, when, with which grant, to what, allowed or not, and why. It is for owners (`porthole audit`, the
 * shell), not for debugging: that is `lib/log.ts`. The store chains the lines by their hashes and drops the oldest ones;
 * the device signs where the kept part begins.
 *
 * A line tells a fixed word, key ids, labels and ids of services: no tokens, keys, addresses or contents. What belongs to
 * a change is written with the change (`draft`). All else waits up to a second (`note`), and is limited for everybody who
 * could otherwise push out what others did by making lines: what is left out is counted, and the count is told.
 */
import { type Bytes, concat, equalBytes, toHex, utf8 } from "../lib/bytes.ts";
import type { Log } from "../lib/log.ts";
import type { AuditEntry } from "../protocol/owner.ts";
import type { Use } from "./admission_types.ts";
import type { DeviceClock } from "./clock.ts";
import type { AuditDraft, AuditRecord, Records } from "./records.ts";
import { TokenBucket } from "./token_bucket.ts";

/** What happened. The shell has words of its own for each. */
export type AuditEvent =
  | "owner.added"
  | "owner.removed"
  | "guest.added"
  | "grant.lent"
  | "grant.revoked"
  | "pairing.opened"
  | "session.opened"
  | "session.closed"
  | "session.ended"
  | "session.kicked"
  | "session.refused"
  | "service.used"
  | "service.refused"
  | "camera.used"
  | "camera.refused"
  | "request.refused"
  | "log.broken";

/** Who did it: nobody stands for the device itself, or for somebody at it. */
export interface Actor {
  /** Key id. */
  readonly holder?: Bytes;
  readonly label?: string;
  readonly grant?: Bytes;
}

export interface AuditOptions {
  readonly records: Pick<
    Records,
    "record" | "audit" | "auditHead" | "auditBase" | "signAuditBase" | "brokenAudit"
  >;
  readonly clock: Pick<DeviceClock, "now">;
  /** Milliseconds of a clock that only runs forward. */
  monotonic(): number;
  /** The device's key. */
  sign(message: Bytes): Promise<Bytes>;
  readonly log: Log;
}

/** All who are neither owners nor guests together: six lines at once, then one in ten minutes. */
const STRANGERS = { capacity: 6, perSecond: 1 / 600 };
/**
 * One owner, or all guests of one grant, were there 64 of them: a day of opening and closing; at its worst a week until the
 * oldest line of others is gone.
 */
const PERSON = { capacity: 100, perSecond: 1 / 60 };
/** Rates that are known at once: of 256 grants that hold and 64 owners. The one that was quiet for longest begins anew. */
const MAX_PEOPLE = 320;
/** Lines that wait for the disk; this many are written at once. */
const MAX_WAITING = 64;
/** Characters of a detail. */
const MAX_DETAIL = 120;
/** An id as in the configuration. What a guest makes up is not repeated. */
const THING = /^[a-z0-9][a-z0-9-]{0,31}$/;
const USE_EVENTS = {
  service: { used: "service.used", refused: "service.refused" },
  camera: { used: "camera.used", refused: "camera.refused" },
  "owner-request": { used: undefined, refused: "request.refused" },
} as const;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const BASE_DOMAIN = utf8("porthole/audit-base/v1");

interface Line {
  readonly event: AuditEvent;
  readonly actor: Actor;
  readonly detail: string | undefined;
}

/** What one owner, the guests of one grant, or all strangers, may still write. */
interface Quota {
  readonly bucket: TokenBucket;
  /** Lines that are not written yet, and the latest of them. */
  left: number;
  latest: Line | undefined;
  /** Whose lines they are, as far as it is the same of all. */
  common: Actor;
}

export class Audit {
  readonly #options: AuditOptions;
  readonly #strangers = newQuota(STRANGERS);
  /** By grant, or key id of an owner; the one that was quiet for longest first. */
  readonly #people = new Map<string, Quota>();
  #waiting: AuditDraft[] = [];

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /** Says so when the log on disk is not the one that was written. */
  start(): void {
    const broken = this.#options.records.brokenAudit();
    if (broken === undefined) return;
    this.#options.log.error("audit.broken", { sequence: broken });
    this.note("log.broken", {}, `from line ${broken} on`);
  }

  /** A line to be written together with the change that it tells of. */
  draft(event: AuditEvent, actor: Actor, detail?: string): AuditDraft {
    const { holder, label, grant } = actor;
    return {
      at: this.#options.clock.now(),
      event,
      ...(holder && { holder }),
      ...(label !== undefined && { label }),
      ...(grant && { grant }),
      ...(detail !== undefined && { detail: tidy(detail) }),
    };
  }

  /** A line of the device, or of somebody whom nothing limits. */
  note(event: AuditEvent, actor: Actor, detail?: string): void {
    this.#waiting.push(this.draft(event, actor, detail));
    if (this.#waiting.length >= MAX_WAITING) this.flush();
  }

  /** A line that somebody known brought about. */
  person(event: AuditEvent, actor: Actor & { readonly holder: Bytes }, detail?: string): void {
    const quota = this.#quotaOf(toHex(actor.grant ?? actor.holder));
    this.#limited(quota, { event, actor, detail });
  }

  /** A line that anybody on the network can bring about. */
  stranger(event: AuditEvent, actor: Actor, detail?: string): void {
    this.#limited(this.#strangers, { event, actor, detail });
  }

  /** Writes what waits. Never throws: a full disk costs lines, and the log says so. */
  flush(): void {
    for (const quota of [this.#strangers, ...this.#people.values()]) this.#tell(quota);
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    try {
      this.#options.records.record(lines);
    } catch (error) {
      this.#options.log.error("audit.failed", { lines: lines.length, error: String(error) });
    }
  }

  /** Lines older than `before`, the newest first; the newest of all without it. */
  page(options: { readonly before?: number | undefined; readonly limit: number }): AuditEntry[] {
    this.flush();
    const { before, limit } = options;
    const older = before === undefined ? { limit } : { before, limit };
    return this.#options.records.audit(older).map(auditEntry);
  }

  /** Signs where the log begins since lines were dropped. */
  async signBase(): Promise<void> {
    const { records, sign } = this.#options;
    const base = records.auditBase();
    if (base === undefined || base.signature) return;
    records.signAuditBase(base.sequence, await sign(auditBaseText(base)));
  }

  #limited(quota: Quota, latest: Line): void {
    quota.common = quota.latest ? inCommon(quota.common, latest.actor) : latest.actor;
    quota.left++;
    quota.latest = latest;
    this.#tell(quota);
  }

  /** Several lines that were left out become one, as soon as there may be one. */
  #tell(quota: Quota): void {
    const { latest, left } = quota;
    if (latest === undefined || !quota.bucket.take(this.#options.monotonic())) return;
    quota.left = 0;
    quota.latest = undefined;
    if (left === 1) return this.note(latest.event, latest.actor, latest.detail);
    const actor = quota === this.#strangers ? {} : quota.common; // a sum is no single stranger's
    this.note(latest.event, actor, `${left} more like this`);
  }

  #quotaOf(whose: string): Quota {
    const quota = this.#people.get(whose) ?? newQuota(PERSON);
    this.#people.delete(whose);
    this.#people.set(whose, quota);
    const [quietest] = this.#people.keys();
    if (this.#people.size > MAX_PEOPLE) this.#people.delete(quietest!); // it is not empty
    return quota;
  }
}

/** The line that tells of a use; undefined for what makes none. */
export function useLine(
  { kind, id, allowed }: Use,
): { event: AuditEvent; thing: string } | undefined {
  const event = USE_EVENTS[kind][allowed ? "used" : "refused"];
  return event && { event, thing: THING.test(id) ? id : "?" };
}

/** What the device signs for the beginning of its log: the number in 8 bytes, and the hash. */
export function auditBaseText(base: { readonly sequence: number; readonly hash: Bytes }): Bytes {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(base.sequence));
  return concat(BASE_DOMAIN, number, base.hash);
}

/** A line as people get it. */
function auditEntry(record: AuditRecord): AuditEntry {
  const { sequence, at, event, holder, label, grant, detail } = record;
  return {
    sequence,
    at,
    event,
    ...(holder && { holder: toHex(holder) }),
    ...(label !== undefined && { label }),
    ...(grant && { grant: toHex(grant) }),
    ...(detail !== undefined && { detail }),
  };
}

function newQuota(rate: { capacity: number; perSecond: number }): Quota {
  return { bucket: new TokenBucket(rate), left: 0, latest: undefined, common: {} };
}

/** A sum of several guests' lines is the grant's. */
function inCommon(one: Actor, other: Actor): Actor {
  const isSame = one.holder && other.holder && equalBytes(one.holder, other.holder);
  return isSame ? other : { ...(other.grant && { grant: other.grant }) };
}

function tidy(detail: string): string {
  return detail.replace(UNPRINTABLE, "").slice(0, MAX_DETAIL);
}
