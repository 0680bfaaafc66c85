/**
 * A shell for the end-to-end test of the content origin: the real pump in its worker, the real `content.ts`, and a
 * device double at the far end of a connection between two peers of this page. No keys, no rendezvous.
 */
import type { PumpToShell } from "../pump/messages.ts";
import { type Content, forgetContent, openContent } from "../shell/content.ts";
import { DeviceDouble } from "./device_double.ts";
import { DeviceRoutes } from "./device_routes.ts";

const pump = new Worker("/pump.js");
const routes = new DeviceRoutes();
const ended = new AbortController();

/** Connects two peers; the near channel goes to the pump in the task that made it. */
async function connect(): Promise<DeviceDouble> {
  const near = new RTCPeerConnection();
  const far = new RTCPeerConnection();
  near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined);
  far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined);
  const channel = near.createDataChannel("bulk", { negotiated: true, id: 1 });
  pump.postMessage({ type: "channel", channel }, [channel as unknown as Transferable]);
  const device = new DeviceDouble(
    far.createDataChannel("bulk", { negotiated: true, id: 1 }),
    routes.route,
  );
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription!); // set by the line before
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription!); // likewise
  return device;
}

function heard(type: PumpToShell["type"]): Promise<PumpToShell> {
  return new Promise((resolve) => {
    const listener = ({ data }: MessageEvent<PumpToShell>) => {
      if (data.type !== type) return;
      pump.removeEventListener("message", listener);
      resolve(data);
    };
    pump.addEventListener("message", listener);
  });
}

const state: {
  device?: DeviceDouble;
  content?: Content;
  navigations: { path: string; title: string }[];
} = { navigations: [] };

/** What the test calls from outside. */
const shell = {
  state,
  async connect(): Promise<void> {
    const ready = heard("ready");
    state.device = await connect();
    await ready;
  },
  async open(origin: string): Promise<void> {
    state.content = openContent({
      origin,
      service: "ui",
      title: `Gate <controller>`,
      pump,
      container: document.body,
      signal: ended.signal,
    });
    state.content.onNavigate(({ path, title }) => state.navigations.push({ path, title }));
    await state.content.ready;
  },
  frame(path: string): void {
    document.body.append(state.content!.frame(path)); // the test opened it
  },
  navigate(path: string): void {
    const frames = document.querySelectorAll<HTMLIFrameElement>("iframe[sandbox]");
    state.content?.navigate(frames[0]!, path); // the test opened it
  },
  async forget(origin: string): Promise<void> {
    state.content?.close();
    await forgetContent(origin, document.body);
  },
  release: (path: string) => routes.release(path),
  snapshot: () => ({ navigations: state.navigations, heads: state.device?.heads ?? [] }),
  resets: () => state.device?.resets ?? [],
  async stats(): Promise<PumpToShell> {
    const stats = heard("stats");
    pump.postMessage({ type: "stats" });
    return await stats;
  },
  async disconnect(): Promise<void> {
    const closed = heard("closed");
    state.device?.close();
    await closed;
  },
};

Object.assign(globalThis, { shell });
export type TestShell = typeof shell;
