/**
 * What the holder of a session may do, in the words that device and page share. Pure types; `src/trust/scope.ts` is the
 * same inside a signed grant.
 *
 *   view      watch cameras; read pages of services: GET, HEAD and OPTIONS, no WebSocket
 *   operate   all methods and WebSockets of services
 *   talk      speak through a camera (nothing uses it yet)
 */
export const OPERATIONS = ["view", "talk", "operate"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Said by the device in its hello. Owners may do everything. */
export type Access =
  | { readonly role: "owner" }
  | {
    readonly role: "guest";
    readonly operations: readonly Operation[];
    /** Until the grant ends, by the device's clock; it may end before. */
    readonly remainingSeconds: number;
  };
