/** The devices that this browser is paired with, or was lent, as IndexedDB keeps them. Shared by all tabs. */
import type { Bytes } from "../../src/lib/bytes.ts";
import type { Operation } from "../../src/protocol/access.ts";
import { committed, DEVICES, result } from "./database.ts";
import type { LostCode } from "./lost.ts";

/** A device that this browser may reach, or might. Times are milliseconds since 1970. */
export interface Device {
  /** Text form of the device's id: 26 characters of base32. */
  readonly id: string;
  readonly publicKey: Bytes;
  /** What the device calls itself; the id's first letters until it has said. */
  readonly name: string;
  /** When this browser became an owner, or first used what was lent. */
  readonly pairedAt: number;
  /** End of the last session, or the moment of the last greeting. */
  readonly lastSeen: number;
  readonly role: "owner" | "guest";
  /** Marks offers as those of somebody known (`src/trust/pass.ts`). */
  readonly pass?: Bytes | undefined;
  /** Newest entry of the device's log that this browser has seen and believed. Owners only. */
  readonly auditHead?: AuditHead | undefined;
  /** Guests only. */
  readonly loan?: Loan | undefined;
  /** Lent too, and not shown now: `loans.ts`. */
  readonly otherLoans?: readonly Loan[] | undefined;
  /** Ids of services that this browser was told of: what their pages left here goes when the device is forgotten. */
  readonly services?: readonly string[] | undefined;
  /** Why the device does not let this browser in any more; absent while it does. */
  readonly ended?: LostCode | undefined;
}

/** An entry of a device's log, as hello names it. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: Bytes;
}

/** What was lent to this browser. */
export interface Loan {
  /** The invite and this browser's own link of the chain, signed tokens. */
  readonly grants: readonly Bytes[];
  readonly operations: readonly Operation[];
  readonly expires: number;
}

/** All devices, by name. */
export async function listDevices(database: IDBDatabase): Promise<readonly Device[]> {
  const stored: readonly Device[] = await result(
    database.transaction(DEVICES).objectStore(DEVICES).getAll(),
  );
  return [...stored].sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
}

/** Adds a device, or writes all that is known of it anew. */
export function putDevice(database: IDBDatabase, device: Device): Promise<void> {
  return change(database, (store) => store.put(device));
}

/** Changes some of what is known of a device; nothing if another tab has forgotten it meanwhile. */
export function changeDevice(
  database: IDBDatabase,
  id: string,
  known: Partial<Device>,
): Promise<void> {
  return change(database, (store) => {
    const reading = store.get(id);
    reading.onsuccess = () => {
      if (reading.result !== undefined) store.put({ ...reading.result, ...known });
    };
    return reading;
  });
}

/** Forgets a device on this side; the device itself keeps the key until its owner removes it there. */
export function removeDevice(database: IDBDatabase, id: string): Promise<void> {
  return change(database, (store) => store.delete(id));
}

function change(
  database: IDBDatabase,
  work: (store: IDBObjectStore) => IDBRequest,
): Promise<void> {
  const transaction = database.transaction(DEVICES, "readwrite", { durability: "strict" });
  const done = committed(transaction);
  work(transaction.objectStore(DEVICES));
  return done;
}
