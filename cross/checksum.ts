/** Checksums of files, as `sha256sum` and npm's `integrity` have them. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** In hexadecimal. */
export async function checksum(path: string, algorithm: "sha256" | "sha512"): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** Throws an Error if it is not the one that is pinned. */
export async function demandChecksum(
  path: string,
  { sha256, sha512, what }: {
    readonly sha256?: string;
    readonly sha512?: string;
    readonly what: string;
  },
): Promise<void> {
  const checks = [["sha256", sha256], ["sha512", sha512]] as const;
  for (const [algorithm, wanted] of checks) {
    if (wanted === undefined || await checksum(path, algorithm) === wanted) continue;
    throw new Error(`Cannot use ${what}: it does not have the pinned ${algorithm}`);
  }
}
