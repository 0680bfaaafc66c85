/**
 * How many databases this device has had. A database that was damaged takes with it what was revoked and which invites
 * were used; the device's own key lives on, and so would the grants that it signed, and those of an owner who pairs again.
 * So each new database counts one further than the last, and what was issued before it holds no more: it begins with an
 * epoch of its own. The count stands in the database and in a file of its own beside it, as one may be lost.
 *
 * Epochs are drawn by lot, and hold alone: an owner who is about to lose its place, or whoever holds its browser, could sign
 * for each that can be foreseen.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { utf8 } from "../lib/bytes.ts";

const SECONDS_PER_HOUR = 3600;

/** An epoch that nobody can foresee: four bytes (PROTOCOL.md 1), and not 0, with which the first database begins. */
export function drawEpoch(): number {
  const [drawn] = crypto.getRandomValues(new Uint32Array(1));
  return drawn || 1;
}

/** The count beside a database; undefined if there never was a whole one. */
export function readGeneration(databasePath: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(pathFor(databasePath), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  if (/^\d{1,7}\n$/.test(text)) return Number(text);
  // Damaged too: something that is greater than any count of damages, and grows.
  return Math.max(1, Math.floor(Date.now() / 1000 / SECONDS_PER_HOUR));
}

/** Replaces the count, and returns when it would survive a pulled plug. */
export function writeGeneration(databasePath: string, generation: number): void {
  const path = pathFor(databasePath);
  const beside = `${path}.${crypto.randomUUID()}.new`;
  try {
    flushed(beside, "wx", (file) => writeFileSync(file, utf8(`${generation}\n`)));
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  flushed(dirname(path), "r", () => {});
}

function pathFor(databasePath: string): string {
  return `${databasePath}.generation`;
}

function flushed(path: string, flags: string, use: (file: number) => void): void {
  const file = openSync(path, flags, 0o600);
  try {
    use(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
