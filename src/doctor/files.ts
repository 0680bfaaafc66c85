/** Whether the files on which a device lives are there, its own, and nobody else's. */
import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { bad, good, skipped, type Verdict } from "./finding.ts";
import type { DeviceFile } from "./parts.ts";

/** Beneath this the database may not be able to write its log. */
const LEAST_FREE_BYTES = 8 * 1024 * 1024;
const OTHERS = 0o077;

/** Undefined where the state folder can be used. */
export async function lookAtFolder(folder: string): Promise<Verdict | undefined> {
  const found = await stat(folder).catch(codeOf);
  if (found === "ENOENT") {
    return bad(`'${folder}' is not there`, "start porthole once, or correct 'state' or --state");
  }
  if (typeof found === "string" || !found.isDirectory()) {
    return bad(`'${folder}' is no folder that can be read`, "correct 'state' or its rights");
  }
  const mode = constants.R_OK | constants.W_OK | constants.X_OK;
  const denied = await access(folder, mode).then(() => undefined, codeOf);
  if (denied === undefined) return undefined;
  const remedy = denied === "EROFS"
    ? "the file system is read-only: check the disk, then mount it for writing"
    : `give the folder to the user that runs porthole: chown -R USER '${folder}'`;
  return bad(`'${folder}' cannot be written (${denied})`, remedy);
}

/** The rights of a folder that can be used, of the secrets in it, and the room. The first that is wrong is said. */
export async function lookAtRights(
  folder: string,
  secretFiles: readonly string[],
): Promise<Verdict> {
  return await openToOthers(folder, secretFiles) ?? await fullDisk(folder) ??
    good(`'${folder}' is ours, and nobody else's`);
}

async function openToOthers(
  folder: string,
  secretFiles: readonly string[],
): Promise<Verdict | undefined> {
  for (const path of [folder, ...secretFiles.map((name) => join(folder, name))]) {
    const found = await stat(path).catch(codeOf);
    if (typeof found === "string" || (found.mode & OTHERS) === 0) continue;
    const rights = (found.mode & 0o777).toString(8);
    return bad(`others may read '${path}' (mode ${rights})`, `chmod go= '${path}'`);
  }
  return undefined;
}

async function fullDisk(folder: string): Promise<Verdict | undefined> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Infinity, bsize: 1 }));
  if (bavail * bsize >= LEAST_FREE_BYTES) return undefined;
  return bad(`the disk of '${folder}' is full`, "make room: logs and old recordings first");
}

/** A camera's device file. */
export async function lookAtDeviceFile({ camera, path }: DeviceFile): Promise<Verdict> {
  const denied = await access(path, constants.R_OK | constants.W_OK).then(() => undefined, codeOf);
  if (denied === undefined) return good(`'${path}' may be used`, camera);
  if (denied === "ENOENT") {
    return bad(`'${path}' is not there`, "plug the camera in, or correct its source", camera);
  }
  const remedy = "let the user that runs porthole use it: usermod -aG video USER, and restart";
  return bad(`'${path}' may not be used (${denied})`, remedy, camera);
}

/** For what a bad leg makes pointless. */
export function notLookedAt(because: string, subject?: string): Verdict {
  return skipped(`not looked at: ${because}`, subject);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown";
}
