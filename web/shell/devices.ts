/** The devices that this browser is paired with, as IndexedDB keeps them. Shared by all tabs. */
import type { Bytes } from "../../src/lib/bytes.ts";
import { committed, DEVICES, result } from "./database.ts";

/** A paired device. Times are milliseconds since 1970. */
export interface Device {
  /** Text form of the device's id: 26 characters of base32. */
  readonly id: string;
  readonly publicKey: Bytes;
  /** What the device calls itself; the id's first letters until it has said. */
  readonly name: string;
  readonly pairedAt: number;
  /** End of the last session, or the moment of the last greeting. */
  readonly lastSeen: number;
}

/** All devices, by name. */
export async function listDevices(database: IDBDatabase): Promise<readonly Device[]> {
  const stored: readonly Device[] = await result(
    database.transaction(DEVICES).objectStore(DEVICES).getAll(),
  );
  return [...stored].sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
}

/** Adds a device, or changes what is known of it. */
export function putDevice(database: IDBDatabase, device: Device): Promise<void> {
  return change(database, (store) => store.put(device));
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
