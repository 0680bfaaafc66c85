/** What both kinds of connection need of the rendezvous. */
import type { Log } from "../lib/log.ts";
import type { Bytes } from "../lib/bytes.ts";
import type { IceServerEntry } from "../protocol/signal.ts";
import type { Limits } from "./limits.ts";
import type { Callers } from "./newcomers.ts";
import type { Registry } from "./registry.ts";
import type { Switchboard } from "./switchboard.ts";
import type { KeyedBuckets } from "./token_bucket.ts";

export type Verify = (publicKey: Bytes, message: Bytes, signature: Bytes) => Promise<boolean>;

export interface Desk {
  readonly switchboard: Switchboard;
  readonly registry: Registry;
  readonly verify: Verify;
  /** The text by which browsers ask for the device that holds this key. */
  readonly deviceId: (publicKey: Bytes) => Promise<string>;
  readonly shellOrigin: string;
  readonly iceServers: () => readonly IceServerEntry[];
  /** Whether that list holds credentials. */
  readonly hasRelay: boolean;
  readonly limits: Limits;
  readonly callers: Callers;
  readonly registrationsPerAddress: KeyedBuckets;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
}
