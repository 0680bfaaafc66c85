/** The name that a browser gives itself: shown to owners and written to logs, so it holds nothing that could disturb. */
import { utf8 } from "../lib/bytes.ts";

export const MAX_LABEL_BYTES = 64;

/** Controls, format characters such as direction overrides, unassigned ones, line and paragraph separators. */
const FORBIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;
const UNNAMED = "browser";

/** Whether a label may be stored and shown. */
export function isLabel(text: string): boolean {
  return text !== "" && text === text.trim() && !FORBIDDEN.test(text) &&
    utf8(text).length <= MAX_LABEL_BYTES;
}

/** The nearest text that `isLabel` accepts. */
export function tidyLabel(text: string): string {
  let label = "";
  for (const character of text.trim()) {
    if (FORBIDDEN.test(character)) continue;
    if (utf8(label + character).length > MAX_LABEL_BYTES) break;
    label += character;
  }
  return label.trim() || UNNAMED;
}
