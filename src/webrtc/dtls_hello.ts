/**
 * How a hello without a cookie becomes one that werift answers at once: its server asks every client
 * for a cookie first (dtls/src/server.ts), a round trip that shows nothing after ICE.
 */
import { Buffer } from "node:buffer";
import type { TranscriptMessage } from "./dtls_guard.ts";
import type { HandshakeMessage } from "./dtls_handshake.ts";

/** Where random, session id and cookie are in a ClientHello (RFC 6347 4.2.1). */
const SESSION_ID_AT = 34;

/** The hello as werift wants to read it; what is signed stays as it came. */
export function withCookie(hello: HandshakeMessage, cookie: Uint8Array): TranscriptMessage {
  const { fragment } = hello;
  const cookieAt = SESSION_ID_AT + 1 + fragment[SESSION_ID_AT]!;
  const body = Buffer.concat([
    fragment.subarray(0, cookieAt),
    Uint8Array.of(cookie.length),
    cookie,
    fragment.subarray(cookieAt + 1 + fragment[cookieAt]!),
  ]);
  return Object.assign(Object.create(hello), {
    fragment: body,
    serialize: () => hello.serialize(),
  });
}

/** werift counts the message with the cookie, which was not sent, when it starts its next flight. */
export function countFromZero(context: { sequenceNumber: number }): void {
  let [count, started] = [0, false];
  Object.defineProperty(context, "sequenceNumber", {
    configurable: true,
    get: () => count,
    set: (next: number) => {
      count = started ? next : 0;
      started = true;
    },
  });
}
