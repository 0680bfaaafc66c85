/** For tests of the store: folders, and things to store. No part of the product imports it. */
import { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../lib/bytes.ts";
import { type AuditDraft, type Grant, type Guest, type Owner, Store } from "./store.ts";

/** The device's time in these tests. */
export const NOW = 1_800_000_000;
export const DAY_S = 24 * 3600;

/** A byte string that a number, up to 65,535, makes its own. */
export function bytes(length: number, number: number): Bytes {
  const made = new Uint8Array(length);
  made.set([number >> 8, number & 255], length - 2);
  return made;
}

export function cti(number: number): Bytes {
  return bytes(16, number);
}

export function keyId(number: number): Bytes {
  return bytes(8, number);
}

export function owner(number: number): Owner {
  return {
    keyId: keyId(number),
    publicKey: bytes(32, number),
    label: `browser ${number}`,
    createdAt: NOW + number,
  };
}

export function grant(number: number, changed: Partial<Grant> = {}): Grant {
  return {
    id: cti(number),
    issuer: keyId(1),
    token: bytes(300, number),
    label: `grant ${number}`,
    createdAt: NOW,
    expires: NOW + DAY_S,
    uses: 1,
    ...changed,
  };
}

export function guest(number: number, changed: Partial<Guest> = {}): Guest {
  return {
    grant: cti(1),
    keyId: keyId(number),
    publicKey: bytes(32, number),
    label: `guest ${number}`,
    redeemedAt: NOW + number,
    spentSeconds: 0,
    ...changed,
  };
}

export function line(event = "tested", at = NOW): AuditDraft {
  return { at, event };
}

/** Pairs an owner with a claim of the same number. */
export function pair(store: Store, number: number): "added" | "already_used" {
  return store.consumeClaimAndAddOwner(cti(number), owner(number), line("owner.added"));
}

/** Gives the test a folder of its own. */
export function inFolder(test: (path: string) => void): () => void {
  return () => {
    const folder = Deno.makeTempDirSync();
    try {
      test(`${folder}/porthole.db`);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  };
}

/** Gives the test an open store, and its file. */
export function withStore(test: (store: Store, path: string) => void): () => void {
  return inFolder((path) => {
    using store = Store.open(path);
    test(store, path);
  });
}

/** Does what no store does to its file. */
export function sql(path: string, text: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(text);
  } finally {
    database.close();
  }
}

/** What a query gives, read past the store. */
export function query(path: string, text: string): unknown[] {
  const database = new DatabaseSync(path);
  try {
    return database.prepare(text).all().flatMap((row) => Object.values(row));
  } finally {
    database.close();
  }
}
