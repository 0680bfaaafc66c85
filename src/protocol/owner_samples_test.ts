/** People, grants and lines of a log for tests. Holds no tests. */
import fc from "fast-check";
import { OPERATIONS } from "./access.ts";
import { GRANT_STATES, type People } from "./owner.ts";

const KEY = "0123456789abcdef";
const LONG = KEY + KEY;

export const OWNER = { id: KEY, label: "Anna's phone", createdAt: 1, lastSeen: 2, you: true };
export const GUEST = { id: KEY, label: "Pixel 9", redeemedAt: 3, lastSeen: 4 };
export const GRANT = {
  id: LONG,
  label: "Plumber",
  issuer: KEY,
  services: ["ui"],
  cameras: ["front"],
  operations: ["view", "operate"],
  expires: 2 ** 33,
  uses: 2,
  state: "waiting",
  guests: [GUEST],
} as const;
export const SESSION = {
  id: LONG,
  holder: KEY,
  label: "Pixel 9",
  role: "guest",
  grant: LONG,
  since: 5,
  you: false,
} as const;
export const WINDOW = { id: LONG, label: "Anna's phone", expires: 6 };
export const PEOPLE: People = {
  owners: [OWNER, { id: KEY, label: "", createdAt: 1, you: false }],
  grants: [GRANT, { ...GRANT, state: "revoked", guests: [], cameras: [] }],
  sessions: [SESSION],
  issuing: { epoch: 1, sequence: 2, time: 1_800_000_000 },
};
export const AUDIT_ENTRY = {
  sequence: 9,
  at: 1_800_000_000,
  event: "session.refused",
  holder: KEY,
  label: "Pixel 9",
  grant: LONG,
  detail: "grant_expired",
};

const digits = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((all) =>
    Array.from(all, (byte) => byte.toString(16).padStart(2, "0")).join("")
  );
const label = fc.oneof(fc.constant("a"), fc.constant("ö".repeat(32)), fc.constant("漢".repeat(21)));
const time = fc.integer({ min: 0, max: 8.64e12 });
const id = fc.oneof(fc.constant("ui"), fc.constant("a".repeat(32)));

const PLAIN = { noNullPrototype: true };

/** Anybody at all; lists of people up to `most`, lists within a grant no longer than a device can have them. */
export function anyPeople(most: number): fc.Arbitrary<People> {
  const some = <T>(one: fc.Arbitrary<T>, limit = most) =>
    fc.array(one, { maxLength: Math.min(most, limit), size: "max" });
  const owner = { id: digits(8), label, createdAt: time, you: fc.boolean() };
  const guest = fc.record({ id: digits(8), label, redeemedAt: time, lastSeen: time }, PLAIN);
  const grant = fc.record({
    id: digits(16),
    label,
    issuer: digits(8),
    services: some(id, 32),
    cameras: some(id, 32),
    operations: fc.subarray([...OPERATIONS]),
    expires: time,
    uses: fc.integer({ min: 1, max: 64 }),
    state: fc.constantFrom(...GRANT_STATES),
    guests: some(guest, 64),
  }, PLAIN);
  const session = fc.record({
    id: digits(16),
    holder: digits(8),
    label,
    role: fc.constantFrom("owner", "guest"),
    since: time,
    you: fc.boolean(),
  }, PLAIN);
  return fc.record({
    owners: some(fc.record(owner, PLAIN)),
    grants: some(grant),
    sessions: some(session),
    windows: some(fc.record({ id: digits(16), label, expires: time }, PLAIN), 4),
    issuing: fc.record({ epoch: fc.nat(), sequence: fc.nat(), time }, PLAIN),
  }, PLAIN);
}
