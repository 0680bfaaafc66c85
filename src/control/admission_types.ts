/**
 * What admission needs of the store and of the signalling link, and what it gives to the agent. Matched by structure:
 * `Admission` is the agent's type of that name (`src/agent/seams.ts`), `Owners` a part of `src/store/store.ts`.
 */
import type { Bytes } from "../lib/bytes.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import type { IceServerEntry } from "../protocol/signal.ts";
import type { Confirmation } from "../trust/handshake.ts";

/** An owner, as it is stored. */
export interface OwnerRecord {
  readonly keyId: Bytes;
  readonly publicKey: Bytes;
  readonly label: string;
  /** Unix seconds. */
  readonly createdAt: number;
}

/** Who may come in, and which claims were used. What is answered has survived a pulled plug. */
export interface Owners {
  owner(keyId: Bytes): OwnerRecord | undefined;
  isConsumed(cti: Bytes): boolean;
  /** Both or neither. */
  consumeClaimAndAddOwner(cti: Bytes, owner: OwnerRecord): "added" | "already_used";
}

/** The way back to one browser, through the rendezvous. */
export interface OfferLink {
  /** Sends, or drops if the browser is gone. Never throws. */
  reply(sealed: Bytes): void;
  readonly iceServers: readonly IceServerEntry[];
}

/** A verified offer that waits for its answer; then a session. The agent's side of it. */
export interface Admission {
  /** For logs. */
  readonly sessionId: string;
  /** Key id of the person's browser, in hexadecimal digits. */
  readonly holder: string;
  readonly remote: TransportFields;
  readonly remoteCandidates: readonly string[];
  readonly iceServers: readonly IceServerEntry[];
  answer(local: TransportFields): Promise<void>;
  sendCandidate(candidate: string): Promise<void>;
  onCandidate(listener: (candidate: string) => void): void;
  readonly confirmation: Confirmation;
  confirmed(): Promise<void>;
  release(): void;
}
