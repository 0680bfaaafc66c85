/**
 * Looks at everything that a connection to this device depends on, and says of each leg whether it is good, or what is
 * wrong and what to do. A leg that cannot be judged because another one is bad is skipped: what is named bad is what a
 * person has to mend. It repairs nothing, and knows neither WebRTC, cameras nor HTTP: `run_doctor.ts` hands them in.
 */
import { lookAtDeviceFile, lookAtFolder, lookAtRights, notLookedAt } from "./files.ts";
import { bad, type Finding, good, type LegName, LEGS, skipped, type Verdict } from "./finding.ts";
import { lookAtNetwork } from "./network.ts";
import type { DoctorParts, Probed, RelayName, RendezvousProbe } from "./parts.ts";

/** A wrong clock is one that makes certificates and grants fail; networks alone delay less. */
const CLOCK_SLACK_MS = 2 * 60_000;
/** What one service or one camera may take, in ms: a camera may leave seconds between two key frames. */
const PROBE_LIMIT_MS = 15_000;
/** For dialling the rendezvous, and for asking it for servers. */
const RENDEZVOUS_LIMIT_MS = 15_000;

/** All findings, in the order of `LEGS`. Never rejects for anything it finds. */
export async function diagnose<Relay extends RelayName>(
  parts: DoctorParts<Relay>,
): Promise<Finding[]> {
  const found = await Promise.all([
    [{ leg: "agent" as const, ...parts.agent }],
    lookAtState(parts),
    lookOutside(parts),
    lookAtEach("service", parts.services),
    lookAtCameras(parts),
  ]);
  return found.flat().sort((a, b) => LEGS.indexOf(a.leg) - LEGS.indexOf(b.leg));
}

/* ---- state -------------------------------------------------------------------------------------------------- */

async function lookAtState(
  { state, secretFiles, checkIdentity, checkStore }: Pick<
    DoctorParts,
    "state" | "secretFiles" | "checkIdentity" | "checkStore"
  >,
): Promise<Finding[]> {
  const lost = await lookAtFolder(state);
  const files = lost ?? await lookAtRights(state, secretFiles);
  const check = async (leg: LegName, look: () => Promise<boolean>, what: string) => {
    if (lost !== undefined) return { leg, ...notLookedAt("its folder cannot be used") };
    return { leg, ...await sound(look, what) };
  };
  return [
    { leg: "files", ...files },
    await check("identity", checkIdentity, "identity"),
    await check("store", checkStore, "store"),
  ];
}

async function sound(look: () => Promise<boolean>, what: string): Promise<Verdict> {
  try {
    if (await look()) return good(`the ${what} is sound`);
    return skipped(`there is no ${what} yet: the first start makes it`);
  } catch (error) {
    const [text, remedy = "restore the state folder from a backup"] = textOf(error).split(". ", 2);
    return bad(text!, remedy);
  }
}

/* ---- outside ------------------------------------------------------------------------------------------------ */

async function lookOutside<Relay extends RelayName>(
  parts: DoctorParts<Relay>,
): Promise<Finding[]> {
  const probe = await parts.probeRendezvous(AbortSignal.timeout(RENDEZVOUS_LIMIT_MS));
  const servers = await parts.servers(AbortSignal.timeout(RENDEZVOUS_LIMIT_MS))
    .catch(() => undefined);
  return [
    { leg: "rendezvous", ...rendezvousVerdict(probe) },
    { leg: "clock", ...clockVerdict(probe, parts.now()) },
    ...await lookAtNetwork(servers, parts.network),
  ];
}

function rendezvousVerdict(probe: RendezvousProbe): Verdict {
  if (probe.kind === "good") return good("answers, and is one of ours");
  if (probe.early) return notLookedAt("by this machine's clock its certificate does not hold yet");
  return bad(probe.reason, probe.remedy);
}

function clockVerdict(probe: RendezvousProbe, now: number): Verdict {
  const remedy = "set it: timedatectl set-ntp true; without a network, timedatectl set-time";
  if (probe.kind === "bad" && probe.early) {
    return bad(`it says ${new Date(now).toISOString()}, which is too early`, remedy);
  }
  if (probe.date === undefined) return notLookedAt("the rendezvous does not say what time it is");
  const skewMs = now - probe.date;
  if (Math.abs(skewMs) <= CLOCK_SLACK_MS) return good("agrees with the rendezvous's");
  const side = skewMs < 0 ? "behind" : "ahead of";
  return bad(`it is ${spanOf(Math.abs(skewMs))} ${side} the rendezvous's`, remedy);
}

function spanOf(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

/* ---- what the device shows ---------------------------------------------------------------------------------- */

async function lookAtCameras(
  { cameras, deviceFiles }: Pick<DoctorParts, "cameras" | "deviceFiles">,
): Promise<Finding[]> {
  const files = await Promise.all(deviceFiles.map(lookAtDeviceFile));
  const lost = new Set(files.filter(({ state }) => state === "bad").map(({ subject }) => subject));
  const whole = cameras.filter(({ id }) => !lost.has(id));
  const none = cameras.filter(({ id }) => lost.has(id));
  return [
    ...files.map((verdict): Finding => ({ leg: "device-file", ...verdict })),
    ...none.map(({ id }): Finding => ({
      leg: "camera",
      ...notLookedAt("its device file cannot be used", id),
    })),
    ...await lookAtEach("camera", whole),
  ];
}

const REMEDIES = {
  service: "start the service, or correct its 'target'",
  camera: "see that the camera runs and that its 'source' is right, password included",
} as const;

async function lookAtEach(
  leg: "service" | "camera",
  things: readonly Probed[],
): Promise<Finding[]> {
  return await Promise.all(things.map(async ({ id, probe }): Promise<Finding> => {
    const signal = AbortSignal.timeout(PROBE_LIMIT_MS);
    try {
      await probe(signal);
      return { leg, ...good(leg === "camera" ? "gives a picture" : "answers", id) };
    } catch (error) {
      return { leg, ...bad(textOf(error), REMEDIES[leg], id) };
    }
  }));
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, " ").slice(0, 300);
}
