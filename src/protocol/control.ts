/**
 * Messages of channel 0, `control` (DESIGN 8). One data-channel message holds one control message in CBOR.
 *
 *   browser                                   agent
 *      | -- confirm (M4, opaque to us) ---------> |   nothing else is accepted before both sides verified
 *      | <-- confirm --------------------------- |
 *      | <-- hello ------------------------------ |   name, services, cameras
 *      | -- camera-start -----------------------> |   the source starts, its parameter sets are learnt
 *      | <-- camera-ready ----------------------- |
 *      | -- media-offer ------------------------> |   one section per camera, also for those already shown
 *      | <-- media-answer ----------------------- |
 *      | -- media-applied ----------------------> |   its receivers are ready: pictures flow from here on
 *      | <-- camera-state ----------------------- |   live, waiting, failed with a code
 *      | -- camera-stop ------------------------> |
 *      | -- owner-request ----------------------> |   owners only: `owner.ts`
 *      | <-- owner-reply, people-changed -------- |
 *      | <-> ping, pong, bye                      |
 */
import type { Bytes } from "../lib/bytes.ts";
import type { Access } from "./access.ts";
import type { OwnerError, OwnerReply, OwnerRequest } from "./owner.ts";
import type { MediaAnswer, MediaOffer } from "./sdp.ts";

/** A thing that a person may open, as the device names it. */
export interface Named {
  readonly id: string;
  readonly title: string;
  /** What stands for it in grants; told to owners. */
  readonly number?: number;
}

/** Why a camera gives no picture. The page has its own words for each. */
export type CameraCode =
  | "unknown"
  | "unreachable"
  | "unauthorised"
  | "unsupported"
  | "broken"
  | "busy"
  | "ended";

/** What a camera is doing. `waiting` is a source that was there and is being tried again. */
export type CameraState = "starting" | "live" | "waiting" | "failed";

/**
 * Why a session ends. `expired`, `revoked`: the grant did; `removed`: the owner was, or the one who lent; `kicked`: an owner
 * ended this session, and nothing else.
 */
export const BYE_CODES = [
  "closed",
  "refused",
  "protocol",
  "limit",
  "shutdown",
  "expired",
  "revoked",
  "removed",
  "kicked",
] as const;
export type ByeCode = (typeof BYE_CODES)[number];

/** Every message of the control channel. */
export type ControlMessage =
  | { readonly type: "confirm"; readonly bytes: Bytes }
  | {
    readonly type: "hello";
    readonly name: string;
    readonly services: readonly Named[];
    readonly cameras: readonly Named[];
    readonly access: Access;
    /** Marks the next offers of this browser as those of somebody known (`src/trust/pass.ts`). A secret. */
    readonly pass: Bytes;
    /** Owners: the newest entry of the log, to compare with the one seen last. */
    readonly audit?: { readonly sequence: number; readonly hash: Bytes };
  }
  | { readonly type: "camera-start"; readonly camera: string }
  | { readonly type: "camera-stop"; readonly camera: string }
  | { readonly type: "camera-ready"; readonly camera: string; readonly profileLevelId: string }
  | {
    readonly type: "camera-state";
    readonly camera: string;
    readonly state: CameraState;
    readonly code?: CameraCode;
  }
  | { readonly type: "media-offer"; readonly id: number; readonly media: readonly MediaOffer[] }
  | { readonly type: "media-answer"; readonly id: number; readonly media: readonly MediaAnswer[] }
  /** Sent before, pictures would meet no receiver, and the first key frame would be lost. */
  | { readonly type: "media-applied"; readonly id: number }
  | { readonly type: "owner-request"; readonly id: number; readonly request: OwnerRequest }
  | { readonly type: "owner-reply"; readonly id: number; readonly reply: OwnerReply }
  | { readonly type: "owner-reply"; readonly id: number; readonly error: OwnerError }
  | { readonly type: "people-changed" }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "pong"; readonly id: number }
  | { readonly type: "bye"; readonly code: ByeCode };
