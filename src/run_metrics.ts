/** What a device counts, put together for Prometheus. docs/metrics.md lists it. */
import process from "node:process";
import type { Sessions } from "./agent/sessions.ts";
import type { CameraFeed } from "./camera/hub.ts";
import type { CameraCode, CameraState } from "./camera/source.ts";
import type { RendezvousClient, RendezvousState } from "./control/rendezvous_client.ts";
import type { Metric, Sample } from "./metrics/exposition.ts";
import { currentRuntime } from "./platform/runtime.ts";
import { VERSION } from "./version.ts";
import type { PeerFactory } from "./webrtc/peer.ts";

/** Counts how often the rendezvous was lost, by reason. */
export class Losses {
  readonly #counts = new Map<string, number>();

  take(state: RendezvousState): void {
    if (state.kind !== "waiting") return;
    this.#counts.set(state.reason, (this.#counts.get(state.reason) ?? 0) + 1);
  }

  get samples(): Sample[] {
    return [...this.#counts].map(([reason, value]) => ({ value, labels: { reason } }));
  }
}

type Listener = Parameters<Cameras["open"]>[1];

interface Cameras {
  list(): readonly { readonly id: string; readonly title: string }[];
  open(
    camera: string,
    listener: { state(state: CameraState, code?: CameraCode): void },
    signal: AbortSignal,
  ): Promise<CameraFeed>;
}

/** The cameras, with a look at how each does: what its viewers are told. */
export class WatchedCameras implements Cameras {
  readonly #cameras: Cameras;
  readonly #viewers = new Map<string, number>();
  readonly #states = new Map<string, string>();

  constructor(cameras: Cameras) {
    this.#cameras = cameras;
    for (const { id } of cameras.list()) this.#viewers.set(id, 0);
  }

  list(): ReturnType<Cameras["list"]> {
    return this.#cameras.list();
  }

  async open(camera: string, listener: Listener, signal: AbortSignal): Promise<CameraFeed> {
    const state: Listener["state"] = (state, code) => {
      if (this.#viewers.has(camera)) this.#states.set(camera, state);
      listener.state(state, code);
    };
    const feed = await this.#cameras.open(camera, { state }, signal);
    this.#count(camera, 1);
    this.#states.set(camera, "live");
    let isOpen = true;
    return {
      profileLevelId: feed.profileLevelId,
      play: (sink) => feed.play(sink),
      keyFrameWanted: () => feed.keyFrameWanted(),
      close: () => {
        feed.close();
        if (isOpen) this.#count(camera, -1);
        isOpen = false;
      },
    };
  }

  get viewers(): Sample[] {
    return [...this.#viewers].map(([camera, value]) => ({ value, labels: { camera } }));
  }

  /** 1 for the state that holds. One that nobody watches is idle, whatever it was. */
  get states(): Sample[] {
    return [...this.#viewers].map(([camera, viewers]) => {
      const told = this.#states.get(camera) ?? "idle";
      const state = viewers === 0 && told === "live" ? "idle" : told;
      return { value: 1, labels: { camera, state } };
    });
  }

  #count(camera: string, step: number): void {
    this.#viewers.set(camera, (this.#viewers.get(camera) ?? 0) + step);
  }
}

/** What is asked at each scrape. */
export interface MeteredParts {
  readonly sessions: Pick<Sessions, "size" | "started" | "streams">;
  readonly peers: Pick<PeerFactory, "totals">;
  readonly cameras: Pick<WatchedCameras, "viewers" | "states">;
  readonly client: Pick<RendezvousClient, "state">;
  readonly losses: Losses;
}

/** All metrics but those of the event loop, which the server measures. */
export function deviceMetrics(parts: MeteredParts): Metric[] {
  const { sessions, peers: { totals }, cameras, client, losses } = parts;
  const { name, version, arch } = currentRuntime();
  const info = { version: VERSION, runtime: `${name} ${version}`, arch };
  const { counts } = totals;
  return [
    gauge("porthole_info", "This porthole.", [{ value: 1, labels: info }]),
    gauge("porthole_start_time_seconds", "When it started, since 1970: a new value is a restart.", [
      { value: Math.round((performance.timeOrigin) / 1000) },
    ]),
    gauge("porthole_sessions", "Sessions now, those that connect included.", one(sessions.size)),
    counter("porthole_sessions_started_total", "Sessions so far.", one(sessions.started)),
    gauge("porthole_streams", "Requests and WebSockets that are open.", one(sessions.streams)),
    ...pathMetrics(totals.paths),
    counter(
      "porthole_network_bytes_total",
      "Bytes of all sessions, without headers of UDP and IP.",
      [
        { value: counts.bytesSent, labels: { direction: "sent" } },
        { value: counts.bytesReceived, labels: { direction: "received" } },
      ],
    ),
    counter(
      "porthole_path_changes_total",
      "Times that a session went over to another path.",
      one(counts.restarts),
    ),
    counter("porthole_sctp_packets_sent_total", "SCTP packets.", one(counts.sctpPacketsSent)),
    counter(
      "porthole_sctp_retransmissions_total",
      "Pieces of SCTP data sent again, since they were lost.",
      one(counts.sctpRetransmissions),
    ),
    counter("porthole_sctp_timeouts_total", "Times that T3 ran out.", one(counts.sctpTimeouts)),
    counter(
      "porthole_rtp_packets_sent_total",
      "RTP packets of cameras.",
      one(counts.rtpPacketsSent),
    ),
    counter(
      "porthole_rtp_repeated_total",
      "RTP packets sent again, since a browser missed them.",
      one(counts.rtpPacketsRepeated),
    ),
    gauge("porthole_camera_viewers", "Viewers of each camera.", cameras.viewers),
    gauge("porthole_camera_state", "1 for the state that each camera is in.", cameras.states),
    gauge(
      "porthole_rendezvous_connected",
      "1 while the rendezvous knows this device.",
      one(client.state.kind === "registered" ? 1 : 0),
    ),
    counter(
      "porthole_rendezvous_losses_total",
      "Lost connections and failed tries.",
      losses.samples,
    ),
    ...memoryMetrics(),
  ];
}

function pathMetrics(paths: PeerFactory["totals"]["paths"]): Metric[] {
  const kinds = new Map<string, Sample & { value: number }>();
  for (const { kind, family, local } of paths) {
    const labels = { kind, ip: `${family}`, local: `${local}` };
    const key = JSON.stringify(labels);
    kinds.set(key, { labels, value: (kinds.get(key)?.value ?? 0) + 1 });
  }
  const trips = paths.flatMap(({ roundTripMs }) => roundTripMs ?? []).map((ms) => ms / 1000);
  const mean = trips.reduce((sum, trip) => sum + trip, 0) / trips.length;
  const roundTrips = trips.length === 0 ? [] : [{ value: mean, labels: { of: "mean" } }, {
    value: Math.max(...trips),
    labels: { of: "max" },
  }];
  return [
    gauge("porthole_paths", "Connections by the way that they take.", [...kinds.values()]),
    gauge("porthole_round_trip_seconds", "Round trip by ICE's own checks.", roundTrips),
  ];
}

function memoryMetrics(): Metric[] {
  const { rss, heapUsed, external } = process.memoryUsage();
  return [
    gauge("porthole_memory_bytes", "Memory of the process.", [
      { value: rss, labels: { of: "resident" } },
      { value: heapUsed, labels: { of: "heap" } },
      { value: external, labels: { of: "external" } },
    ]),
  ];
}

function one(value: number): Sample[] {
  return [{ value }];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, kind: "gauge", samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, kind: "counter", samples };
}
