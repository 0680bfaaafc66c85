/**
 * Whether a device's log is still the one that this browser saw (security.md 1.2). A device whose SD card was put back to
 * an older copy, or cloned, has forgotten what happened since: people who were removed may be let in again. Pure.
 */
import { equalBytes } from "../../src/lib/bytes.ts";
import type { Bytes } from "../../src/lib/bytes.ts";
import type { AuditHead } from "./devices.ts";

/** `older`: ends before the entry seen last; `different`: tells another story at that entry. */
export type History = "sound" | "older" | "different";

/** Compares what hello says with what was seen. "ask": the device must be asked for the entry seen last. */
export function compareHeads(seen: AuditHead | undefined, said: AuditHead): History | "ask" {
  if (seen === undefined) return "sound";
  if (said.sequence < seen.sequence) return "older";
  if (said.sequence > seen.sequence) return "ask";
  return equalBytes(said.hash, seen.hash) ? "sound" : "different";
}

/** Compares the answer. An entry that is not kept any more proves nothing: logs are bounded. */
export function compareHash(seen: AuditHead, hash: Bytes | undefined): History {
  return hash === undefined || equalBytes(hash, seen.hash) ? "sound" : "different";
}
