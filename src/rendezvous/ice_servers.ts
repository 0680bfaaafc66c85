/**
 * The STUN and TURN list with time-limited credentials (draft-uberti-behave-turn-rest-00 2.2), which coturn checks by
 * its `static-auth-secret` without knowing us: user name = end of validity, colon, a label; credential = HMAC-SHA1.
 */
import { createHmac, randomBytes } from "node:crypto";
import type { IceServerEntry } from "../protocol/signal.ts";
import { TURN_LIFETIME_SECONDS } from "./limits.ts";

export interface IceConfiguration {
  readonly stunUrls: readonly string[];
  readonly turn?: { readonly urls: readonly string[]; readonly secret: string };
}

/** Credentials that end at `expires` (Unix seconds). `label` tells users apart in coturn's log and quotas. */
export function turnCredential(
  secret: string,
  options: { expires: number; label: string },
): { username: string; credential: string } {
  const username = `${options.expires}:${options.label}`;
  const credential = createHmac("sha1", secret).update(username).digest("base64");
  return { username, credential };
}

/** The list for one client at `now` (ms). The label is random: the relay must not learn who talks to which device. */
export function iceServersAt(configuration: IceConfiguration, now: number): IceServerEntry[] {
  const { stunUrls, turn } = configuration;
  const servers: IceServerEntry[] = stunUrls.map((urls) => ({ urls }));
  if (turn === undefined) return servers;
  const expires = Math.floor(now / 1000) + TURN_LIFETIME_SECONDS;
  const label = randomBytes(8).toString("hex");
  const credential = turnCredential(turn.secret, { expires, label });
  return [...servers, ...turn.urls.map((urls) => ({ urls, ...credential }))];
}
