/** Starts a rendezvous from what was typed. */
import { readFile } from "node:fs/promises";
import type { RendezvousInvocation } from "./commands.ts";
import type { Log } from "./lib/log.ts";
import { createLog } from "./lib/log_sink.ts";
import type { Assets } from "./platform/assets.ts";
import { shareSite } from "./rendezvous/origins.ts";
import { createRendezvous, type Rendezvous } from "./rendezvous/rendezvous.ts";
import { verify } from "./trust/ed25519.ts";
import { deviceId, deviceIdText } from "./trust/key_id.ts";

/** Where browsers find the shell and devices' pages. */
export interface Origins {
  readonly shell: string;
  readonly content: string;
}

/** A rendezvous on one machine, where nothing else was said: names below localhost are secure contexts. */
export function localOrigins(port: number): Origins {
  return {
    shell: `http://porthole.localhost:${port}`,
    content: `http://*.porthole.localhost:${port}`,
  };
}

/** Makes a rendezvous that is ready to listen. Throws an Error with a remedy. */
export async function makeRendezvous(
  options: Pick<RendezvousInvocation, "listen" | "stunUrls" | "turnUrls" | "turnSecretFile">,
  { origins, assets }: { origins: Origins; assets: Assets },
): Promise<Rendezvous> {
  const { listen, stunUrls, turnUrls, turnSecretFile } = options;
  const log = createLog("rendezvous");
  warnOfSharedSite(origins, log);
  const secret = turnSecretFile === undefined ? undefined : await readSecret(turnSecretFile);
  return createRendezvous({
    ...listen,
    shellOrigin: origins.shell,
    contentOrigin: origins.content,
    ice: secret === undefined ? { stunUrls } : { stunUrls, turn: { urls: turnUrls, secret } },
    assets,
    verify,
    deviceId: async (publicKey) => deviceIdText(await deviceId(publicKey)),
    log,
  });
}

/**
 * Says in the log that device pages are of the shell's site. Below one registrable domain they share cookies with it, and in
 * Firefox an event loop. Names below localhost are for trying porthole out, and are not worth a line.
 */
export function warnOfSharedSite({ shell, content }: Origins, log: Log): void {
  if (!shareSite(shell, content) || /(?:^|\.)localhost$/.test(new URL(shell).hostname)) return;
  log.warn("rendezvous.site_shared", {
    problem: "device pages are of the shell's site: their cookies come here, and in Firefox they " +
      "can freeze the shell and lead its tab elsewhere",
    advice: "give --content-origin a registrable domain of its own (SECURITY.md)",
  });
}

/** The origins that were typed; device pages live one label below the shell if only that was. */
export function typedOrigins(typed: RendezvousInvocation): Origins {
  if (typed.origin === undefined) return localOrigins(typed.listen.port);
  const content = typed.contentOrigin ?? typed.origin.replace("://", "://*.");
  return { shell: typed.origin, content };
}

async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw new Error(
      `Cannot read the TURN secret in '${file}': make the file readable, or correct --turn-secret-file`,
      { cause },
    );
  }
}
