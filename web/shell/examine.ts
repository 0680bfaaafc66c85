/** What the browser has to be asked for a diagnosis (`diagnosis.ts`): the time elsewhere, and what it decodes. */
import { diagnose, type Leg, type Trace } from "./diagnosis.ts";

const CLOCK_LIMIT_MS = 5_000;

/** `unsupported` are cameras whose video is not for this browser. Never rejects. */
export async function examine(trace: Trace, unsupported: readonly string[]): Promise<Leg[]> {
  const clockAheadMs = await clockAhead();
  return diagnose({
    ...trace,
    ...clockAheadMs === undefined ? {} : { clockAheadMs },
    decodes: decodesH264(),
    unsupported,
  });
}

/** The rendezvous says what time it is with whatever it answers. */
async function clockAhead(): Promise<number | undefined> {
  try {
    const signal = AbortSignal.timeout(CLOCK_LIMIT_MS);
    const { headers } = await fetch("/", { method: "HEAD", cache: "no-store", signal });
    const date = Date.parse(headers.get("date") ?? "");
    return Number.isNaN(date) ? undefined : Date.now() - date;
  } catch {
    return undefined; // it does not answer: that is another leg's matter
  }
}

function decodesH264(): boolean {
  const { codecs = [] } = RTCRtpReceiver.getCapabilities("video") ?? {};
  return codecs.some(({ mimeType }) => mimeType.toLowerCase() === "video/h264");
}
