/**
 * The session handshake (security.md 1.4): how a browser and a device that know each other's keys, or share the secret of a
 * pairing link, get an authenticated connection through a rendezvous that both distrust. What it is not: it opens no
 * socket, knows no SDP and decides on nobody's rights: it carries a claim or a guest's grants and lets others judge them.
 *
 *     browser                            rendezvous                              device
 *        | <------------- M0 presence -------- | <------------------------------ |   signed by D
 *        | -- M1 offer: sealed to K, signed by B ------------------------------> |
 *        | <------------------ M2 answer: sealed to eB, signed by D ------------ |   or a refusal, alike
 *        | <-- M3 candidates: one key per direction, counted ------------------> |
 *        | <========= ICE, DTLS with exactly the signed fingerprints ==========> |
 *        | <-- M4 confirmation, in channel 0: both sign nonces and certificates  |
 *        | <-- M5 restarts: one key per direction, numbered -------------------> |   when the path was lost
 *
 * Keys: `D`, `B` Ed25519, of device and browser; `K` X25519 of the device, in epochs; `eB`, `eD` X25519 of one session.
 * Forward secrecy begins with M2: whoever steals K later can read old offers, which hold ICE data and identities only.
 */
export { BrowserHandshake, type BrowserHandshakeOptions } from "./browser_handshake.ts";
export type { Confirmation } from "./confirmation.ts";
export { DeviceHandshake, type ReceivedClaim, type ReceiveOptions } from "./device_handshake.ts";
export { HandshakeError, type RefusalReason } from "./handshake_error.ts";
export type { SealingKey } from "./offer.ts";
export type { RestartChannel, RestartMessage } from "./restart.ts";
