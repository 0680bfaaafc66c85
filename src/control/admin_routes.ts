/**
 * Routes of the admin socket about people: what `porthole lend`, `grants`, `revoke`, `sessions`, `kick`, `owners` and
 * `audit` ask. Times are ISO 8601 by the device's clock.
 */
import type { Hono } from "hono";
import { fromHex } from "../lib/bytes.ts";
import { type Operation, OPERATIONS } from "../protocol/access.ts";
import type {
  AuditEntry,
  GrantEntry,
  OwnerEntry,
  SessionEntry,
  WindowEntry,
} from "../protocol/owner.ts";
import type { AdminEnv, AdminLent } from "./admin.ts";
import type { Audit } from "./audit.ts";
import type { Household } from "./household.ts";
import type { LendTerms } from "./lending.ts";

export interface PeopleActions {
  /** Makes a grant of the device. A RangeError's message goes to the person who asked. */
  lend(terms: LendTerms): Promise<AdminLent>;
  readonly household: Household;
  readonly audit: Audit;
}

/** Grants in one answer: those that are open all fit. */
const MAX_GRANTS = 256;
/** Lines of the log in one answer. */
const AUDIT_PAGE = 100;
const MAX_ITEMS = 64;
const BEGINNING = /^[0-9a-f]{4,32}$/;
const SEQUENCE = /^\d{1,15}$/;

export function addPeopleRoutes(app: Hono<AdminEnv>, actions: PeopleActions): void {
  const { lend, household, audit } = actions;
  app.post("/lend", async (context) => {
    const terms = readTerms(await context.req.json().catch(() => undefined));
    if (terms) return context.json(await lend(terms));
    return context.json({ error: `Cannot lend: expected ${EXPECTED_TERMS}` }, 400);
  });
  app.post("/revoke", async (context) => {
    const beginning = readId(await context.req.json().catch(() => undefined));
    if (beginning === undefined) return context.json({ error: EXPECTED_ID }, 400);
    const { id, kind } = household.findRevocable(beginning);
    if (kind === "owner") household.removeOwner(fromHex(id));
    else if (kind === "grant") household.revokeGrant(fromHex(id));
    else household.closePairing(id);
    return context.json({ id, kind });
  });
  app.post("/kick", async (context) => {
    const beginning = readId(await context.req.json().catch(() => undefined));
    if (beginning === undefined) return context.json({ error: EXPECTED_ID }, 400);
    const id = household.findSession(beginning);
    household.kick(id);
    return context.json({ id });
  });
  app.get("/owners", (context) => {
    const owners = household.owners().map(ownerJson);
    return context.json({ owners, windows: household.windows().map(windowJson) });
  });
  app.get("/grants", (context) => {
    return context.json({ grants: household.grants(MAX_GRANTS).map(grantJson) });
  });
  app.get("/sessions", (context) => {
    return context.json({ sessions: household.sessions().map(sessionJson) });
  });
  app.get("/audit", (context) => {
    const before = context.req.query("before");
    if (before !== undefined && !SEQUENCE.test(before)) {
      return context.json({ error: "Cannot read the log: expected ?before=NUMBER" }, 400);
    }
    const older = before === undefined ? undefined : Number(before);
    const entries = audit.page({ before: older, limit: AUDIT_PAGE });
    return context.json({ entries: entries.map(auditJson) });
  });
}

/* ---- what is asked ----------------------------------------------------------------------------------------- */

const EXPECTED_TERMS = '{"services": [ids], "cameras": [ids], "operations": ["view", …], ' +
  '"for": seconds, "uses": number} and perhaps "label"';
const EXPECTED_ID = 'Cannot do that: expected {"id": 4 to 32 digits}';

function readTerms(body: unknown): LendTerms | undefined {
  const { services, cameras, operations, for: seconds, uses, label, ...rest } = asRecord(body);
  const isWhole = Object.keys(rest).length === 0 && areTexts(services) && areTexts(cameras) &&
    areOperations(operations) && isCount(seconds) && isCount(uses) &&
    (label === undefined || typeof label === "string");
  if (!isWhole) return undefined;
  const terms = { services, cameras, operations, seconds, uses };
  return label === undefined ? terms : { ...terms, label };
}

function readId(body: unknown): string | undefined {
  const { id, ...rest } = asRecord(body);
  const isId = typeof id === "string" && BEGINNING.test(id) && Object.keys(rest).length === 0;
  return isId ? id : undefined;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MAX_ITEMS &&
    value.every((item) => typeof item === "string");
}

function areOperations(value: unknown): value is Operation[] {
  return areTexts(value) && new Set(value).size === value.length &&
    value.every((item) => OPERATIONS.some((operation) => operation === item));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/* ---- what is answered -------------------------------------------------------------------------------------- */

function ownerJson({ id, label, createdAt, lastSeen }: OwnerEntry) {
  return { id, label, createdAt: iso(createdAt), ...seenJson(lastSeen) };
}

function windowJson({ expires, ...window }: WindowEntry) {
  return { ...window, expires: iso(expires) };
}

function grantJson({ expires, guests, ...grant }: GrantEntry) {
  return {
    ...grant,
    expires: iso(expires),
    guests: guests.map(({ redeemedAt, lastSeen, ...guest }) => ({
      ...guest,
      redeemedAt: iso(redeemedAt),
      ...seenJson(lastSeen),
    })),
  };
}

function sessionJson({ since, you: _you, ...session }: SessionEntry) {
  return { ...session, since: iso(since) };
}

function auditJson({ at, ...entry }: AuditEntry) {
  return { ...entry, at: iso(at) };
}

function seenJson(lastSeen: number | undefined): { lastSeen?: string } {
  return lastSeen === undefined ? {} : { lastSeen: iso(lastSeen) };
}

/** ISO 8601 of Unix seconds. */
function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
