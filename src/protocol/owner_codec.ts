/** What an owner asks and is answered (`owner.ts`), checked field by field. */
import type { Bytes } from "../lib/bytes.ts";
import { OPERATIONS } from "./access.ts";
import {
  exactBytes,
  type Fields,
  flag,
  hex,
  id,
  label,
  line,
  list,
  matching,
  oneOf,
  optional,
  record,
  seconds,
  someOf,
  token,
  uint,
  unreadable,
} from "./fields.ts";
import {
  type AuditEntry,
  GRANT_STATES,
  type GrantEntry,
  type GuestEntry,
  MAX_AUDIT_PAGE,
  type OwnerEntry,
  type OwnerReply,
  type OwnerRequest,
  type People,
  type SessionEntry,
  type WindowEntry,
} from "./owner.ts";

const KEY_ID_BYTES = 8;
const ID_BYTES = 16; // of grants, claims and sessions
const HASH_BYTES = 32;
const EVENT = /^[a-z][a-z0-9_.-]{0,47}$/;
const MAX_DETAIL_BYTES = 384; // 120 characters of any script (src/control/audit.ts)
/** What stands behind "#" in a pairing link; today's has 188 characters. */
const FRAGMENT = /^[A-Za-z0-9_=-]{1,512}$/;

type Reader<T> = (fields: Fields) => T;

const REQUESTS: ReadonlyMap<unknown, Reader<OwnerRequest>> = new Map<unknown, Reader<OwnerRequest>>(
  [
    ["people", () => ({ kind: "people" })],
    ["pair", (f) => ({ kind: "pair", forSeconds: uint(f.forSeconds) })],
    ["unpair", (f) => ({ kind: "unpair", id: longId(f.id) })],
    ["lend", (f) => ({ kind: "lend", token: token(f.token), label: label(f.label) })],
    ["revoke", (f) => ({ kind: "revoke", statement: token(f.statement) })],
    ["kick", (f) => ({ kind: "kick", session: longId(f.session) })],
    ["audit", (f) => ({ kind: "audit", ...optional(f, "before", uint) })],
    ["audit-hash", (f) => ({ kind: "audit-hash", sequence: uint(f.sequence) })],
  ],
);

const REPLIES: ReadonlyMap<unknown, Reader<OwnerReply>> = new Map<unknown, Reader<OwnerReply>>([
  ["people", (f) => ({ kind: "people", ...people(f) })],
  ["pair", (f) => ({
    kind: "pair",
    fragment: matching(f.fragment, FRAGMENT),
    id: longId(f.id),
    forSeconds: uint(f.forSeconds),
  })],
  ["done", () => ({ kind: "done" })],
  ["audit", (f) => ({ kind: "audit", entries: list(f.entries, auditEntry, MAX_AUDIT_PAGE) })],
  ["audit-hash", (f) => ({ kind: "audit-hash", ...optional(f, "hash", hash) })],
]);

export function readOwnerRequest(value: unknown): OwnerRequest {
  return readKind(value, REQUESTS);
}

export function readOwnerReply(value: unknown): OwnerReply {
  return readKind(value, REPLIES);
}

/** SHA-256. */
export function hash(value: unknown): Bytes {
  return exactBytes(value, HASH_BYTES);
}

function readKind<T>(value: unknown, readers: ReadonlyMap<unknown, Reader<T>>): T {
  const fields = record(value);
  const read = readers.get(fields.kind);
  if (read === undefined) throw unreadable("unknown kind");
  return read(fields);
}

function people(fields: Fields): People {
  const issuing = record(fields.issuing);
  return {
    owners: list(fields.owners, ownerEntry),
    grants: list(fields.grants, grantEntry),
    sessions: list(fields.sessions, sessionEntry),
    ...optional(fields, "windows", (value) => list(value, windowEntry)),
    ...optional(fields, "omitted", uint),
    issuing: {
      epoch: uint(issuing.epoch),
      sequence: uint(issuing.sequence),
      time: seconds(issuing.time),
      ...optional(issuing, "slack", uint),
    },
  };
}

function ownerEntry(value: unknown): OwnerEntry {
  const fields = record(value);
  return {
    id: keyId(fields.id),
    label: label(fields.label),
    createdAt: seconds(fields.createdAt),
    ...optional(fields, "lastSeen", seconds),
    you: flag(fields.you),
  };
}

function windowEntry(value: unknown): WindowEntry {
  const fields = record(value);
  return {
    id: longId(fields.id),
    ...optional(fields, "label", label),
    expires: seconds(fields.expires),
  };
}

function grantEntry(value: unknown): GrantEntry {
  const fields = record(value);
  return {
    id: longId(fields.id),
    label: label(fields.label),
    ...optional(fields, "issuer", keyId),
    services: list(fields.services, id),
    cameras: list(fields.cameras, id),
    operations: someOf(fields.operations, OPERATIONS),
    expires: seconds(fields.expires),
    uses: uint(fields.uses),
    state: oneOf(fields.state, GRANT_STATES),
    guests: list(fields.guests, guestEntry),
  };
}

function guestEntry(value: unknown): GuestEntry {
  const fields = record(value);
  return {
    id: keyId(fields.id),
    label: label(fields.label),
    redeemedAt: seconds(fields.redeemedAt),
    ...optional(fields, "lastSeen", seconds),
  };
}

function sessionEntry(value: unknown): SessionEntry {
  const fields = record(value);
  return {
    id: longId(fields.id),
    holder: keyId(fields.holder),
    label: label(fields.label),
    role: oneOf(fields.role, ["owner", "guest"]),
    ...optional(fields, "grant", longId),
    since: seconds(fields.since),
    you: flag(fields.you),
  };
}

function auditEntry(value: unknown): AuditEntry {
  const fields = record(value);
  return {
    sequence: uint(fields.sequence),
    at: seconds(fields.at),
    event: matching(fields.event, EVENT),
    ...optional(fields, "holder", keyId),
    ...optional(fields, "label", label),
    ...optional(fields, "grant", longId),
    ...optional(fields, "detail", (text) => line(text, MAX_DETAIL_BYTES)),
  };
}

function keyId(value: unknown): string {
  return hex(value, KEY_ID_BYTES);
}

function longId(value: unknown): string {
  return hex(value, ID_BYTES);
}
