import type { IncomingMessage } from "node:http";

/** As devices guard against DNS rebinding and cross-site requests: a page's origin must be the host it asked. */
export function hasOwnOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}
