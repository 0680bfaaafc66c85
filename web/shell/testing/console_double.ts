/** An owner's console that shows what it was made with, and pretends to do what it is asked. For the gallery. */
import type { AuditEntry, GrantEntry, People } from "../../../src/protocol/owner.ts";
import type { History } from "../audit_head.ts";
import { Observable } from "../observable.ts";
import type { LogView, OpenLink, PeopleView } from "../owner_console.ts";
import { RequestError } from "../owner_requests.ts";
import type { OwnerSource } from "../views/owner_source.ts";

const KEY = "1f3a5c7e9b0d2f41";
const PHONE = "a0b1c2d3e4f50617";
const GUEST = "77aa88bb99cc00dd";
const PLUMBER = "0123456789abcdef0123456789abcdef";
/** As long as a real one for three things. */
const INVITE = "A".repeat(218);
const CLAIM = "B".repeat(183);

const now = () => Math.floor(Date.now() / 1000);

function grant(part: Partial<GrantEntry>): GrantEntry {
  return {
    id: PLUMBER,
    label: "Plumber",
    services: ["ui"],
    cameras: ["front"],
    operations: ["view", "operate"],
    expires: now() + 2900,
    uses: 1,
    state: "used",
    guests: [{
      id: GUEST,
      label: "Safari on iPhone",
      redeemedAt: now() - 700,
      lastSeen: now() - 5,
    }],
    ...part,
  };
}

/** A household with everything in it. */
export function fullHouse(): People {
  return {
    owners: [
      {
        id: KEY,
        label: "Firefox on Linux",
        createdAt: now() - 9_000_000,
        lastSeen: now(),
        you: true,
      },
      {
        id: PHONE,
        label: "Chrome on Android",
        createdAt: now() - 800_000,
        lastSeen: now() - 7300,
        you: false,
      },
    ],
    grants: [
      grant({ issuer: KEY }),
      grant({
        id: "1".repeat(32),
        label: "Neighbours, while we are away",
        issuer: PHONE,
        services: [],
        cameras: ["front", "yard"],
        operations: ["view"],
        expires: now() + 6 * 86_400,
        uses: 3,
        state: "waiting",
        guests: [],
      }),
      grant({ id: "2".repeat(32), label: "Parcel", issuer: KEY, state: "revoked", guests: [] }),
      grant({
        id: "3".repeat(32),
        label: "Guest",
        state: "expired",
        expires: now() - 90_000,
        services: [],
        cameras: [],
      }),
    ],
    sessions: [
      {
        id: "4".repeat(32),
        holder: KEY,
        label: "Firefox on Linux",
        role: "owner",
        since: now() - 60,
        you: true,
      },
      {
        id: "5".repeat(32),
        holder: GUEST,
        label: "Safari on iPhone",
        role: "guest",
        grant: PLUMBER,
        since: now() - 700,
        you: false,
      },
    ],
    issuing: { epoch: 0, sequence: 4, time: now() },
  };
}

/** One owner, nothing lent. */
export function alone(): People {
  const { owners, sessions, issuing } = fullHouse();
  return { owners: owners.slice(0, 1), grants: [], sessions: sessions.slice(0, 1), issuing };
}

const LINES: readonly (readonly [string, Partial<AuditEntry>])[] = [
  ["session.opened", { label: "Firefox on Linux", holder: KEY, detail: "owner" }],
  ["session.closed", { label: "Chrome on Android", holder: PHONE, detail: "after 754 s" }],
  ["service.used", { label: "Safari on iPhone", holder: GUEST, grant: PLUMBER, detail: "ui" }],
  ["camera.refused", { label: "Safari on iPhone", holder: GUEST, grant: PLUMBER, detail: "yard" }],
  ["session.opened", { label: "Safari on iPhone", holder: GUEST, grant: PLUMBER }],
  ["guest.added", { label: "Safari on iPhone", holder: GUEST, grant: PLUMBER }],
  ["grant.lent", { label: "Firefox on Linux", holder: KEY, grant: PLUMBER, detail: "Plumber" }],
  ["session.kicked", { label: "Firefox on Linux", detail: `${GUEST} Edge on Windows` }],
  ["session.refused", { label: "Edge on Windows", detail: "not_paired" }],
  ["session.refused", { detail: "14 more like this" }],
  ["session.ended", { label: "Edge on Windows", holder: "c".repeat(16), detail: "removed" }],
  [
    "owner.removed",
    { label: "Firefox on Linux", holder: KEY, detail: `${"c".repeat(16)} Edge on Windows` },
  ],
  ["owner.added", { label: "Chrome on Android", holder: PHONE, detail: "check 048213" }],
  ["pairing.opened", { label: "Firefox on Linux", holder: KEY }],
  ["some.day", { detail: "an event of a later version" }],
];

export function someLog(): LogView {
  const entries = LINES.map(([event, part], index): AuditEntry => ({
    sequence: 90 - index,
    at: now() - index * index * 900 - 20,
    event,
    ...part,
  }));
  return { entries, phase: "more" };
}

export class ConsoleDouble implements OwnerSource {
  readonly people: Observable<PeopleView>;
  readonly log: Observable<LogView>;
  readonly history: Observable<History>;
  /** What was asked of it. */
  readonly asked: string[] = [];
  readonly #refuses: boolean;

  constructor(
    { people = fullHouse(), history = "sound", refuses = false }: {
      people?: People | "unknown" | "failed";
      history?: History;
      refuses?: boolean;
    } = {},
  ) {
    this.people = new Observable<PeopleView>(
      typeof people === "string" ? { phase: people } : { phase: "known", people, clockAhead: 0 },
    );
    this.log = new Observable<LogView>(someLog());
    this.history = new Observable<History>(history);
    this.#refuses = refuses;
  }

  lend(): Promise<OpenLink> {
    return this.#do("lend", link(PLUMBER, `borrow=${INVITE}`, 3600));
  }
  addOwner(): Promise<OpenLink> {
    return this.#do("addOwner", link("6".repeat(32), `pair=${CLAIM}`, 600));
  }
  endGrant(): Promise<void> {
    return this.#do("endGrant", undefined);
  }
  removeOwner(): Promise<void> {
    return this.#do("removeOwner", undefined);
  }
  withdraw(): Promise<void> {
    return this.#do("unpair", undefined);
  }

  kick(): Promise<void> {
    return this.#do("kick", undefined);
  }
  readLog(): Promise<void> {
    this.log.set({ ...this.log.value, phase: "whole" });
    return Promise.resolve();
  }
  acceptHistory(): void {
    this.history.set("sound");
  }

  #do<T>(what: string, outcome: T): Promise<T> {
    this.asked.push(what);
    if (this.#refuses) return Promise.reject(new RequestError("limit", "as the scene wants"));
    return Promise.resolve(outcome);
  }
}

function link(id: string, fragment: string, seconds: number): OpenLink {
  const expires = Date.now() + seconds * 1000;
  return { id, url: `https://porthole.example/#${fragment}`, expires };
}
