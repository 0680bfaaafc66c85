/**
 * Two hosts with a link of a given delay, loss and rate between them, as network namespaces on this machine
 * (`tools/two_hosts.sh` of the shared folder). Only one pair can be up at a time.
 */
import { sharedFolder } from "./checkout.ts";

/** The device's host, 10.77.0.1. */
export const DEVICE_HOST = { netns: "phdev", address: "10.77.0.1" } as const;
/** The viewer's host, 10.77.0.2. */
export const VIEWER_HOST = { netns: "phview", address: "10.77.0.2" } as const;

export interface Link {
  /** One way, in ms; 0 if absent. */
  readonly delayMs?: number;
  readonly lossPercent?: number;
  /** Mbit/s; no limit if absent. */
  readonly rateMbit?: number;
  /** Packets; 1000 if absent. */
  readonly queue?: number;
}

/** Building the emulator and the namespaces takes a second or two. */
const UP_LIMIT_MS = 60_000;

/** Why there can be no two hosts on this machine; undefined if there can. For `Deno.test({ ignore })`. */
export async function twoHostsMissing(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "two hosts need root, for network namespaces";
  if (await sharedFolder() === undefined) {
    return "two hosts need the shared folder: set PORTHOLE_SHARED or put it beside the checkout";
  }
  return undefined;
}

/** Puts the two hosts up. Undefined, with a printed reason, where that cannot be. Dispose of it to take them down. */
export async function twoHosts(link: Link = {}): Promise<AsyncDisposable | undefined> {
  const missing = await twoHostsMissing();
  if (missing !== undefined) {
    await Deno.stderr.write(new TextEncoder().encode(`skipped: ${missing}\n`));
    return undefined;
  }
  const { delayMs = 0, lossPercent = 0, rateMbit = 0, queue = 1000 } = link;
  await script("up", ...[delayMs, lossPercent, rateMbit, queue].map(String));
  return { [Symbol.asyncDispose]: () => script("down") };
}

async function script(...args: readonly string[]): Promise<void> {
  // Output goes to a file: the emulator outlives the script and would keep a pipe open.
  const log = await Deno.makeTempFile();
  try {
    const { code } = await new Deno.Command("sh", {
      args: ["-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log]
        .concat(`${await sharedFolder()}/tools/two_hosts.sh`, args),
      stdout: "null",
      stderr: "null",
      signal: AbortSignal.timeout(UP_LIMIT_MS),
    }).output();
    if (code === 0) return;
    throw new Error(`Cannot bring two hosts ${args[0]}: ${await Deno.readTextFile(log)}`);
  } finally {
    await Deno.remove(log);
  }
}
