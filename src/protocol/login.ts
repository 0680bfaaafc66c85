/**
 * A service that asks for a user name and password (RFC 7235): what the agent tells the service worker, and what a person
 * answers. Pure. The agent marks an answer of status 401 with `LOGIN_HEADER`; the person's answer is the body of a POST to
 * `LOGIN_PATH`, which gets 204 and is kept in the agent's memory.
 *
 *   header   [realm, refused]              what the service calls the area; whether a password was just refused
 *   body     [realm, user, password]
 */
import { parseJson } from "./json.ts";

/** In an answer of status 401: a password would help. */
export const LOGIN_HEADER = "x-porthole-login";

/** Bytes of a realm, a user name and a password; the longest that servers are known to take is 256. */
export const MAX_REALM_BYTES = 1024;
export const MAX_USER_BYTES = 512;
export const MAX_PASSWORD_BYTES = 1024;

/** Bytes of the body: all three, each character escaped. */
export const MAX_LOGIN_BYTES = 32 << 10;

/** What a service asks for. */
export interface LoginQuestion {
  readonly realm: string;
  readonly refused: boolean;
}

/** What a person answers. The password is a secret. */
export interface LoginAnswer {
  readonly realm: string;
  readonly user: string;
  readonly password: string;
}

export function encodeLoginQuestion({ realm, refused }: LoginQuestion): string {
  return JSON.stringify([realm, refused]);
}

/** Reads the header; undefined for what is no question. */
export function parseLoginQuestion(text: string): LoginQuestion | undefined {
  const value = parseArray(text, 2);
  if (value === undefined) return undefined;
  const [realm, refused] = value;
  return typeof realm === "string" ? { realm, refused: refused === true } : undefined;
}

export function encodeLoginAnswer({ realm, user, password }: LoginAnswer): string {
  return JSON.stringify([realm, user, password]);
}

/** Reads the body; undefined for what is no answer. Lengths in bytes are the reader's to check. */
export function parseLoginAnswer(text: string): LoginAnswer | undefined {
  const value = parseArray(text, 3);
  if (value === undefined) return undefined;
  const [realm, user, password] = value;
  if (typeof realm !== "string" || typeof user !== "string" || typeof password !== "string") {
    return undefined;
  }
  return { realm, user, password };
}

function parseArray(text: string, length: number): unknown[] | undefined {
  const value = parseJson(text);
  return Array.isArray(value) && value.length === length ? value : undefined;
}
