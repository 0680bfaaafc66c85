/**
 * go2rtc, the program that people compare with: built from its module, or one that is there,
 * and shown in the same browser by the plainest page that takes its WebRTC.
 */
import type { Page } from "playwright-core";
import { exists, inCheckout } from "../../e2e/checkout.ts";
import { freePort } from "../../e2e/free_port.ts";

const MODULE = "github.com/AlexxIT/go2rtc@v1.9.14";
/** One that is there already is named by PORTHOLE_GO2RTC. */
const NAMED = Deno.env.get("PORTHOLE_GO2RTC");
const PROGRAM = NAMED ?? inCheckout("tests/bench/out/go2rtc");
const READY_LIMIT_MS = 15_000;

/** Builds it once; gives why that cannot be, undefined when it is there. */
export async function buildGo2rtc(): Promise<string | undefined> {
  if (await exists(PROGRAM)) return undefined;
  if (NAMED !== undefined) return `go2rtc: there is no "${NAMED}"`;
  const folder = inCheckout("tests/bench/out");
  await Deno.mkdir(folder, { recursive: true });
  try {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["install", MODULE],
      env: { GOBIN: folder, GOFLAGS: "-mod=mod", CGO_ENABLED: "0" },
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    return `go2rtc: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`;
  } catch {
    return "go2rtc: Go is missing";
  }
}

export interface Go2rtc extends AsyncDisposable {
  readonly origin: string;
  readonly pid: number;
}

/** Serves one camera, `clock`, on loopback. */
export async function startGo2rtc(source: string): Promise<Go2rtc> {
  const [api, webrtc, rtsp] = [freePort(), freePort(), freePort()];
  const config = {
    api: { listen: `127.0.0.1:${api}` },
    rtsp: { listen: `127.0.0.1:${rtsp}` },
    webrtc: { listen: `:${webrtc}`, ice_servers: [] },
    streams: { clock: source },
    log: { level: "error" },
  };
  const child = new Deno.Command(PROGRAM, {
    args: ["-config", JSON.stringify(config)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const origin = `http://127.0.0.1:${api}`;
  const end = performance.now() + READY_LIMIT_MS;
  while (!(await answers(origin))) {
    if (performance.now() > end) throw new Error("go2rtc does not answer");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    origin,
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** Shows the camera in `#clock` of a page of its own origin; its answer has all candidates. */
export async function showGo2rtc(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/api`);
  await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
    const scope = globalThis as any;
    const video = scope.document.createElement("video");
    Object.assign(video, { id: "clock", autoplay: true, muted: true, playsInline: true });
    scope.document.body.replaceChildren(video);
    const peer = new scope.RTCPeerConnection();
    scope.peer = peer; // else it is collected
    const { receiver } = peer.addTransceiver("video", { direction: "recvonly" });
    receiver.jitterBufferTarget = 0; // as our own page asks
    video.srcObject = new scope.MediaStream([receiver.track]);
    await peer.setLocalDescription();
    await new Promise<void>((resolve) => {
      const look = () => peer.iceGatheringState === "complete" && resolve();
      peer.onicegatheringstatechange = look;
      look();
    });
    const answer = await fetch("/api/webrtc?src=clock", {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: peer.localDescription.sdp,
    });
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    await video.play();
  });
}

async function answers(origin: string): Promise<boolean> {
  try {
    const answer = await fetch(`${origin}/api`);
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
