/**
 * A child that is killed. Racing, it opens the store, says so, waits for a byte, does its share of the operations and prints
 * each acknowledgement after its call returned; then it waits for its end.
 *
 *     racer_process.ts <store> <name> <first operation> <how many>
 *     racer_process.ts <folder> open                                  opens new stores and old ones, for ever
 */
import { readSync, writeSync } from "node:fs";
import type { Records } from "../../src/control/records.ts";
import { Store } from "../../src/store/store.ts";
import { OPERATIONS, perform, type Racer, writeFirstRelease } from "./operations.ts";

/** A write of one line to a pipe is whole or not there (POSIX: up to PIPE_BUF), also when a kill comes. */
function print(value: unknown): void {
  writeSync(1, new TextEncoder().encode(JSON.stringify(value) + "\n"));
}

/** Until the parent sends a byte, or is gone. */
function waitForParent(): void {
  readSync(0, new Uint8Array(1));
}

function race(path: string, by: Racer, { first, share }: { first: number; share: number }): void {
  const store = openWhole(path);
  const records: Records = store; // `Store` is what control needs, by structure
  print("open");
  waitForParent();
  const end = Math.min(first + share, OPERATIONS.length);
  for (let operation = first; operation < end; operation++) {
    print({ operation, outcome: perform(records, by, operation) });
  }
  if (end < OPERATIONS.length) waitForParent();
  store.close();
}

function openForEver(folder: string): never {
  for (let number = 0;; number++) {
    const path = `${folder}/${number}.db`;
    if (number % 2 === 1) writeFirstRelease(path);
    print({ opening: number });
    openWhole(path).close();
  }
}

function openWhole(path: string): Store {
  const store = Store.open(path);
  if (store.damaged) throw new Error("the store is damaged", { cause: store.damaged.cause });
  return store;
}

const [path, name, first, share] = Deno.args;
if (name === "open") openForEver(path!);
race(path!, name as Racer, { first: Number(first), share: Number(share) });
