/** What the cache keeps of an answer beside its body, and the checks on it when it comes back from disk. */
import { FIELD_VALUE, type Header, ORIGIN_FORM, TOKEN } from "../../../src/protocol/http.ts";
import { MAX_HEADER_LINES } from "../../../src/protocol/limits.ts";
import { isRecord } from "../port_messages.ts";

/** One stored answer to a GET. Times are ms since 1970 by this browser's clock. */
export interface StoredResponse {
  /** Names the body too. */
  readonly id: string;
  /** Whose answer it is, as the agent said with it (`HOLDER_HEADER`): nobody else is given it. */
  readonly holder: string;
  /** Path and query. The origin is this worker's own. */
  readonly path: string;
  readonly status: number;
  readonly headers: readonly Header[];
  /** What the request said of the fields that Vary names; null for nothing (RFC 9111 4.1). */
  readonly varying: readonly (readonly [name: string, value: string | null])[];
  readonly requestedAt: number;
  readonly respondedAt: number;
  readonly bodyBytes: number;
  readonly usedAt: number;
}

/** Characters of an id, holder, path or header line: more than any that is written. */
const MAX_TEXT_LENGTH = 256 << 10;

/** What one entry takes beside its body, in bytes: the cost of a record, so that empty bodies count as well. */
const ENTRY_COST_BYTES = 512;

/** What an entry counts for in the bound of the cache, in bytes. */
export function costOf({ path, headers, bodyBytes }: StoredResponse): number {
  const head = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return ENTRY_COST_BYTES + path.length + head + bodyBytes;
}

/** Checks a record: a device's own page can write to our store, for it is of the same origin. */
export function parseStored(value: unknown): StoredResponse | undefined {
  if (!isRecord(value)) return undefined;
  const { id, holder, path, status, headers, varying } = value;
  const { requestedAt, respondedAt, bodyBytes, usedAt } = value;
  if (!isText(id) || !isText(holder) || !isText(path) || !ORIGIN_FORM.test(path)) return undefined;
  if (!isCount(status) || status < 200 || status > 599) return undefined;
  if (!isCount(requestedAt) || !isCount(respondedAt)) return undefined;
  if (!isCount(bodyBytes) || !isCount(usedAt)) return undefined;
  if (!isList(headers, isHeader) || !isList(varying, isVarying)) return undefined;
  return {
    ...{ id, holder, path, status, headers, varying },
    ...{ requestedAt, respondedAt, bodyBytes, usedAt },
  };
}

function isList<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length <= MAX_HEADER_LINES && value.every(isItem);
}

function isHeader(line: unknown): line is Header {
  if (!Array.isArray(line) || line.length !== 2) return false;
  const [name, value] = line as unknown[];
  return isText(name) && TOKEN.test(name) && isText(value) && FIELD_VALUE.test(value);
}

function isVarying(line: unknown): line is readonly [string, string | null] {
  if (!Array.isArray(line) || line.length !== 2) return false;
  const [name, value] = line as unknown[];
  return isText(name) && (value === null || isText(value));
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT_LENGTH;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
