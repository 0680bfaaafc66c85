/**
 * What admission needs of the signalling link, and what it gives to the agent. Matched by structure: `Admission` and what
 * stands around it are the agent's types of these names (`src/agent/seams.ts`). What is needed of the store is in
 * `records.ts`.
 */
import type { Bytes } from "../lib/bytes.ts";
import type { Access, Operation } from "../protocol/access.ts";
import type { OwnerReply, OwnerRequest } from "../protocol/owner.ts";
import type { TransportFields } from "../protocol/sdp.ts";
import type { IceServerEntry } from "../protocol/signal.ts";
import type { Confirmation, RestartMessage } from "../trust/handshake.ts";

/** The way back to one browser, through the rendezvous. */
export interface OfferLink {
  /** Sends, or drops if the browser is gone. Never throws. */
  reply(sealed: Bytes): void;
  readonly iceServers: readonly IceServerEntry[];
}

/** What a session may reach, by the ids of the configuration. */
export type SessionAccess =
  | { readonly role: "owner" }
  | {
    readonly role: "guest";
    readonly services: ReadonlySet<string>;
    readonly cameras: ReadonlySet<string>;
    readonly operations: ReadonlySet<Operation>;
  };

/** What the device says of itself and its guest when the session begins, beside services and cameras. */
export interface Greeting {
  readonly access: Access;
  /** A secret between this browser and the device. */
  readonly pass: Bytes;
  /** Owners only: the newest line of the log. */
  readonly audit?: { readonly sequence: number; readonly hash: Bytes };
  /** Owners only: what stands for a thing in grants. */
  numberOf?(kind: "service" | "camera", id: string): number;
}

/** Answers what one owner asks. */
export interface OwnerDesk {
  /** Rejects with an error whose `code` is an OwnerError. */
  answer(request: OwnerRequest): Promise<OwnerReply>;
  /** Told when something that `people` shows is different; replaces the listener before. */
  onChange(listener: () => void): void;
}

/** Something that a session reached for: told once for each thing and outcome. */
export interface Use {
  readonly kind: "service" | "camera" | "owner-request";
  readonly id: string;
  readonly allowed: boolean;
}

/** A verified offer that waits for its answer; then a session. The agent's side of it. */
export interface Admission {
  /** For logs. */
  readonly sessionId: string;
  /** Key id of the person's browser, in hexadecimal digits. */
  readonly holder: string;
  /** Whose cookies and logins at services are used. Not for logs. */
  readonly account: string;
  readonly remote: TransportFields;
  readonly remoteCandidates: readonly string[];
  readonly iceServers: readonly IceServerEntry[];
  answer(local: TransportFields): Promise<void>;
  sendCandidate(candidate: string): Promise<void>;
  onCandidate(listener: (candidate: string) => void): void;
  /** Seals and sends a message about another path; after `confirmed`. */
  sendRestart(message: RestartMessage): Promise<void>;
  /** What the browser says about another path, in order; after `confirmed`. */
  onRestart(listener: (message: RestartMessage) => void): void;
  readonly confirmation: Confirmation;
  confirmed(): Promise<void>;
  release(): void;
  /** What may be reached. After `confirmed`, as the three below. */
  readonly access: SessionAccess;
  greeting(): Greeting;
  /** Undefined for guests. */
  readonly desk: OwnerDesk | undefined;
  used(use: Use): void;
  /** Aborted when control ends the session; the reason is a ByeCode. */
  readonly ended: AbortSignal;
}
