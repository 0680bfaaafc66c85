/**
 * What the commands that ask the running porthole do: one request over the admin socket, and its answer in words or as
 * JSON. How they are typed is `agent_commands.ts`; who answers is `control/admin.ts`.
 */
import { rm, writeFile } from "node:fs/promises";
import type { AgentInvocation, LendInvocation } from "./agent_commands.ts";
import { findState } from "./config.ts";
import { type AdminCommand, adminRequest } from "./control/admin_client.ts";
import { fromBase64Url } from "./lib/bytes.ts";
import {
  isTerminal,
  localTime,
  printJson,
  printLent,
  printLine,
  printPairing,
  printTable,
  qrPicture,
  writeBytes,
} from "./terminal.ts";

/** How often the log is looked at for news, in ms. */
const FOLLOW_INTERVAL_MS = 1000;
/** A little longer than the agent takes at most. */
const SNAPSHOT_LIMIT_MS = 30_000;
/** Lines of the log that are printed at once. */
const FIRST_LINES = 100;

type Answer = Readonly<Record<string, unknown>>;
type Ask = (command: AdminCommand) => Promise<Answer>;

/** One line of the log, as the admin socket tells it. */
interface AuditLine {
  readonly sequence: number;
  readonly at: string;
  readonly event: string;
  readonly holder?: string;
  readonly label?: string;
  readonly grant?: string;
  readonly detail?: string;
}

/** Performs one of them. Throws an Error for people. `signal` ends what would go on. */
export async function askAgent(
  invocation: Exclude<AgentInvocation, { command: "doctor" }>,
  signal: AbortSignal,
): Promise<void> {
  const state = await findState(invocation.flags);
  const ask: Ask = (command) => adminRequest(state, command);
  switch (invocation.command) {
    case "pair":
      return await pair(invocation, { ask, signal });
    case "lend":
      return await lend(invocation, ask);
    case "owners":
    case "grants":
    case "sessions":
      return await list(invocation, ask);
    case "revoke":
    case "kick":
      return await end(invocation, ask);
    case "audit":
      return await audit(invocation, { ask, signal });
    case "status":
      return await status(invocation.json, ask);
    case "snapshot":
      return await snapshot(invocation, ask);
  }
}

/* ---- cameras ----------------------------------------------------------------------------------------------- */

async function snapshot(
  { camera, file, json }: AgentInvocation & { command: "snapshot" },
  ask: Ask,
): Promise<void> {
  const limitMs = SNAPSHOT_LIMIT_MS;
  const { jpeg } = await ask({ method: "POST", path: "/snapshot", body: { camera }, limitMs });
  const bytes = fromBase64Url(String(jpeg));
  if (file === "-") return await writeBytes(bytes);
  await writeFile(file, bytes);
  if (json) printJson({ camera, file, bytes: bytes.length });
  else printLine(`${file}: ${bytes.length} bytes.`);
}

/* ---- letting people in ------------------------------------------------------------------------------------- */

/** On a terminal, or with a picture, it stays until somebody has come: both check numbers can be compared. */
async function pair(
  { windowMs, qrFile, json }: AgentInvocation & { command: "pair" },
  { ask, signal }: { ask: Ask; signal: AbortSignal },
): Promise<void> {
  const body = { for: windowMs / 1000 };
  const { url, id, expires } = await ask({ method: "POST", path: "/pair", body });
  if (json) printJson({ url, id, expires });
  else printPairing(String(url), String(expires));
  if (qrFile === undefined && (json || !isTerminal())) return;
  await withPicture(qrFile, String(url), async () => {
    const came = await whoCame(String(id), { ask, signal });
    if (came !== undefined && !json) printLine(came);
  });
}

/** The picture holds the secret of the link: it goes when the link does. */
async function withPicture(
  file: string | undefined,
  url: string,
  work: () => Promise<void>,
): Promise<void> {
  if (file === undefined) return await work();
  try {
    await writeFile(file, qrPicture(url), { mode: 0o600 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`Cannot write '${file}' (${code}): correct --qr-file`, { cause });
  }
  await work().finally(() => rm(file, { force: true }));
}

/** In words, once this window has ended; undefined if `signal` was aborted before. */
export async function whoCame(
  id: string,
  { ask, signal, intervalMs = FOLLOW_INTERVAL_MS }: {
    readonly ask: Ask;
    readonly signal: AbortSignal;
    readonly intervalMs?: number;
  },
): Promise<string | undefined> {
  while (await pause(intervalMs, signal)) {
    const { windows } = await ask({ method: "GET", path: "/owners" });
    if (asRows(windows).some((window) => window.id === id)) continue;
    const line = (await auditPage(ask)).find((line) => isOwnerBy(id, line));
    if (line === undefined) return "Nobody came.";
    const [, check = ""] = CHECK.exec(line.detail ?? "") ?? [];
    return `${line.label ?? "A browser"} is an owner now (check ${check}).`;
  }
}

/** `check 123456, link 0123abcd` in an `owner.added`: two windows may be waited for at once. */
const CHECK = /^check (\d+), link ([0-9a-f]{8})$/;

function isOwnerBy(id: string, { event, detail = "" }: AuditLine): boolean {
  const link = CHECK.exec(detail)?.[2];
  return event === "owner.added" && link !== undefined && id.startsWith(link);
}

async function lend(typed: LendInvocation, ask: Ask): Promise<void> {
  const { services, cameras, operations, forMs, uses, label, json } = typed;
  const terms = { services, cameras, operations, for: forMs / 1000, uses };
  const body = label === undefined ? terms : { ...terms, label };
  const { url, id, expires, begins } = await ask({ method: "POST", path: "/lend", body });
  if (json) return printJson({ url, id, expires, ...(begins !== undefined && { begins }) });
  const term = begins === "first-visit" ? { forMs } : { expires: String(expires) };
  printLent(String(url), { term, uses });
}

/* ---- looking, and ending ------------------------------------------------------------------------------------ */

const COLUMNS = {
  owners: ["id", "label", "createdAt", "lastSeen"],
  windows: ["id", "label", "expires"],
  grants: ["id", "label", "state", "services", "cameras", "operations", "expires", "guests"],
  sessions: ["id", "label", "role", "since", "grant"],
} as const;

async function list(
  { command, json }: AgentInvocation & { command: "owners" | "grants" | "sessions" },
  ask: Ask,
): Promise<void> {
  const found = await ask({ method: "GET", path: `/${command}` });
  if (json) return printJson(found);
  const rows = asRows(found[command]);
  if (rows.length === 0) printLine(`There are no ${command}.`);
  else printRows(command, rows);
  const windows = asRows(found.windows);
  if (windows.length === 0) return;
  printLine("\nPairing links that are still good; `porthole revoke ID` ends one:");
  printRows("windows", windows.map((window) => ({ label: "at the device", ...window })));
}

function printRows(what: keyof typeof COLUMNS, rows: readonly Answer[]): void {
  const columns = COLUMNS[what];
  printTable(columns, rows.map((row) => columns.map((column) => cell(column, row[column]))));
}

async function end(
  { command, id, json }: AgentInvocation & { command: "revoke" | "kick" },
  ask: Ask,
): Promise<void> {
  const done = await ask({ method: "POST", path: `/${command}`, body: { id } });
  if (json) return printJson(done);
  const kind = command === "kick" ? "session" : String(done.kind);
  const what = kind === "window" ? "pairing link" : kind;
  printLine(`The ${what} ${String(done.id)} is ended.`);
}

async function audit(
  { follow, json }: AgentInvocation & { command: "audit" },
  { ask, signal }: { ask: Ask; signal: AbortSignal },
): Promise<void> {
  const print = (line: AuditLine) => json ? printJson(line) : printLine(auditText(line));
  const first = (await auditPage(ask)).slice(0, FIRST_LINES).reverse();
  for (const line of first) print(line);
  if (!follow) return;
  const after = first.at(-1)?.sequence ?? 0;
  for await (const line of newLines(ask, { after, signal })) print(line);
}

async function status(json: boolean, ask: Ask): Promise<void> {
  const found = await ask({ method: "GET", path: "/status" });
  if (json) return printJson(found);
  for (const [name, value] of Object.entries(found)) {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    printLine(`${name.padEnd(12)}${text}`);
  }
}

/* ---- the log -------------------------------------------------------------------------------------------------- */

/** The newest first. */
async function auditPage(ask: Ask): Promise<readonly AuditLine[]> {
  const { entries } = await ask({ method: "GET", path: "/audit" });
  return Array.isArray(entries) ? entries as AuditLine[] : [];
}

/** Lines as they are written, the oldest first. What comes faster than a page in a second is left out. */
async function* newLines(
  ask: Ask,
  { after, signal }: { after: number; signal: AbortSignal },
): AsyncGenerator<AuditLine> {
  let seen = after;
  while (await pause(FOLLOW_INTERVAL_MS, signal)) {
    for (const line of (await auditPage(ask)).toReversed()) {
      if (line.sequence <= seen) continue;
      seen = line.sequence;
      yield line;
    }
  }
}

/** False as soon as `signal` is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", settle);
      resolve(!signal.aborted);
    };
    const timer = setTimeout(settle, ms);
    signal.addEventListener("abort", settle);
  });
}

function auditText({ at, event, holder, label, grant, detail }: AuditLine): string {
  const who = label ?? (holder === undefined ? "at the device" : holder);
  const lent = grant === undefined ? "" : `  grant ${grant.slice(0, 8)}`;
  return `${localTime(at)}  ${event.padEnd(15)}  ${who}${lent}${detail ? `  ${detail}` : ""}`;
}

/* ---- text ------------------------------------------------------------------------------------------------------ */

function asRows(value: unknown): readonly Answer[] {
  return Array.isArray(value) ? value as Answer[] : [];
}

function cell(column: string, value: unknown): string {
  if (value === undefined) return "-";
  if (column === "guests" && Array.isArray(value)) return String(value.length);
  if (Array.isArray(value)) return value.join(",") || "-";
  const text = String(value);
  return /^\d{4}-\d\d-\d\dT/.test(text) ? localTime(text) : text;
}
