/** Which requests a stored answer fits (RFC 9111 4.1). Pure. */
import type { Header } from "../../../src/protocol/http.ts";
import { tokens, valueOf } from "./fields.ts";
import type { StoredResponse } from "./stored_response.ts";

/**
 * Fields that decide nothing here. The agent adds Cookie and Authorization unseen, so nobody on this side can say
 * whether they are the same; "*" names what no request shows.
 */
const UNSEEN: ReadonlySet<string> = new Set(["*", "cookie", "authorization"]);

/** What a request said of the fields that its answer varies by. `sent` is the head as it travelled. */
export function varyingOf(
  response: readonly Header[],
  sent: readonly Header[],
): StoredResponse["varying"] {
  const names = [...new Set(tokens(valueOf(response, "vary")))];
  return names.map((name) => [name, normal(valueOf(sent, name))]);
}

/** Whether a stored answer may be used for this request as far as Vary goes. */
export function fits({ varying }: StoredResponse, sent: readonly Header[]): boolean {
  return varying.every(([name, value]) =>
    !UNSEEN.has(name) && normal(valueOf(sent, name)) === value
  );
}

/** Whether two answers are for the same requests: the newer one then takes the older one's place. */
export function sameVariant(a: StoredResponse, b: StoredResponse): boolean {
  if (a.varying.length !== b.varying.length) return false;
  return a.varying.every(([name, value]) =>
    b.varying.some(([other, theirs]) => other === name && theirs === value)
  );
}

/** RFC 9111 4.1 allows to change whitespace where it means nothing. */
function normal(value: string | undefined): string | null {
  return value === undefined ? null : value.trim().replace(/\s*,\s*/g, ",");
}
