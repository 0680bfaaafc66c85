/**
 * How long a person waits for a live picture: from the live session, and from opening the pairing link, to the first frame
 * on the screen. Each camera alone with an agent of its own.
 */
import { RtspServer, rtspServerLack } from "../contract/rtsp_camera.ts";
import { type Figure, figure } from "./measure.ts";
import type { Findings } from "./report.ts";
import type { Agent, Stage } from "./stage.ts";
import { newProfile, pair } from "./visit.ts";

/** The hub keeps a camera this long after its last viewer (`camera/hub.ts`), and then some. In ms. */
const COLD_AGAIN_MS = 3000;

export interface PictureOptions {
  readonly repeats: number;
}

/** Why there is no RTSP camera on this machine; undefined if there can be one. */
export function rtspMissing(): string | undefined {
  const lack = rtspServerLack();
  return lack === undefined ? undefined : `first picture of an RTSP camera: ${lack}`;
}

export async function measureTestPicture(
  stage: Stage,
  { repeats }: PictureOptions,
): Promise<Findings> {
  await using agent = await stage.agent({ cameras: ["camera=test:"] });
  return { figures: await pictures("test:", { stage, agent, repeats, cold: true }) };
}

/** Alone a camera is started for the viewer; beside another viewer, pictures are there already. */
export async function measureRtspPicture(
  stage: Stage,
  { repeats }: PictureOptions,
): Promise<Findings> {
  await using server = await rtspServer();
  const camera = `camera=rtsp://127.0.0.1:${server.port}/stream1`;
  await using agent = await stage.agent({ cameras: [camera] });
  const alone = await pictures("RTSP, first viewer", { stage, agent, repeats, cold: true });
  await using watching = await newProfile(stage.browser);
  await (await pair(watching, agent)).picture("camera");
  const beside = await pictures("RTSP, second viewer", { stage, agent, repeats, cold: false });
  return { figures: [...alone, ...beside] };
}

async function pictures(
  variant: string,
  { stage, agent, repeats, cold }: PictureOptions & {
    stage: Stage;
    agent: Agent;
    /** Whether each viewer is the first, so that the camera must have stopped before. */
    cold: boolean;
  },
): Promise<Figure[]> {
  const sinceLive: number[] = [];
  const sinceLink: number[] = [];
  for (let round = 0; round < repeats; round++) {
    await using context = await newProfile(stage.browser);
    const visit = await pair(context, agent);
    const shown = await visit.picture("camera");
    sinceLink.push(shown);
    sinceLive.push(shown - (await visit.phases()).live);
    await visit.close();
    if (cold) await new Promise((resolve) => setTimeout(resolve, COLD_AGAIN_MS));
  }
  return [
    figure("live to first picture", { variant, unit: "ms", samples: sinceLive }),
    figure("pair link to first picture", { variant, unit: "ms", samples: sinceLink }),
  ];
}

async function rtspServer(): Promise<{ port: number } & AsyncDisposable> {
  const server = await RtspServer.start();
  return { port: server.port, [Symbol.asyncDispose]: () => server.kill() };
}
