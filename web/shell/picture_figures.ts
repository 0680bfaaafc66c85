/**
 * What a browser counts of one picture, as figures for people: from two looks at its statistics
 * (webrtc-stats), a second or so apart. Pure.
 */

/** How the packets travel. */
export type Path = "direct" | "relay";

/** One look. Counters are since the start; times in ms. */
export interface Look {
  readonly at: number;
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
  /** Sums over all pictures that were shown: time in the jitter buffer, time of decoding. */
  readonly buffered: { readonly ms: number; readonly pictures: number };
  readonly decoded: { readonly ms: number; readonly pictures: number };
  readonly roundTripMs?: number;
  /** As in "H.264". */
  readonly codec?: string;
  readonly path?: Path;
}

/** What is shown. What the browser does not tell is absent. */
export interface PictureFigures {
  readonly kilobits: number;
  /** Of a hundred packets, those that never came, one place behind the point. */
  readonly lossPercent: number;
  /** From the device to the screen, in ms: half a round trip, waiting, decoding. The camera's own delay is not in it. */
  readonly latencyMs?: number;
  readonly codec?: string;
  readonly path?: Path;
}

type Entry = Readonly<Record<string, unknown>>;

/** Reads a report's entries; undefined where there is no picture in it. */
export function readLook(entries: Iterable<Entry>): Look | undefined {
  const all = [...entries];
  const byId = (id: unknown) => all.find((entry) => entry.id === id);
  const inbound = all.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
  if (inbound === undefined) return undefined;
  const pair = selectedPair(all, byId);
  const roundTrip = pair?.currentRoundTripTime;
  const codec = codecName(byId(inbound.codecId)?.mimeType);
  const path = pathOf(byId(pair?.localCandidateId), byId(pair?.remoteCandidateId));
  return {
    at: number(inbound.timestamp),
    bytes: number(inbound.bytesReceived),
    packets: number(inbound.packetsReceived),
    lost: number(inbound.packetsLost),
    buffered: {
      ms: 1000 * number(inbound.jitterBufferDelay),
      pictures: number(inbound.jitterBufferEmittedCount),
    },
    decoded: {
      ms: 1000 * number(inbound.totalDecodeTime),
      pictures: number(inbound.framesDecoded),
    },
    ...(typeof roundTrip === "number" ? { roundTripMs: 1000 * roundTrip } : {}),
    ...(codec === undefined ? {} : { codec }),
    ...(path === undefined ? {} : { path }),
  };
}

/**
 * What changed between two looks. `screenMs` is what was measured on the screen itself, from a
 * picture's arrival to its showing, and counts before the browser's own sums.
 */
export function compareLooks(
  before: Look,
  { now, screenMs }: { readonly now: Look; readonly screenMs?: number | undefined },
): PictureFigures | undefined {
  const passed = now.at - before.at;
  if (passed <= 0 || now.bytes < before.bytes) return undefined; // another stream
  const came = now.packets - before.packets;
  const lost = Math.max(0, now.lost - before.lost);
  const inside = screenMs ?? meanOf(before, now);
  const latencyMs = inside === undefined || now.roundTripMs === undefined
    ? undefined
    : Math.round(now.roundTripMs / 2 + inside);
  return {
    kilobits: Math.round((8 * (now.bytes - before.bytes)) / passed),
    lossPercent: came + lost === 0 ? 0 : Math.round((1000 * lost) / (came + lost)) / 10,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(now.codec === undefined ? {} : { codec: now.codec }),
    ...(now.path === undefined ? {} : { path: now.path }),
  };
}

/** As people read it: "2.4 Mbit/s", "640 kbit/s". */
export function rateText(kilobits: number): string {
  return kilobits >= 1000 ? `${(kilobits / 1000).toFixed(1)} Mbit/s` : `${kilobits} kbit/s`;
}

function meanOf(before: Look, now: Look): number | undefined {
  const shown = now.buffered.pictures - before.buffered.pictures;
  const decoded = now.decoded.pictures - before.decoded.pictures;
  if (shown <= 0 || decoded <= 0) return undefined;
  return (now.buffered.ms - before.buffered.ms) / shown +
    (now.decoded.ms - before.decoded.ms) / decoded;
}

/** Chromium names it in the transport; Firefox marks the pair. */
function selectedPair(
  all: readonly Entry[],
  byId: (id: unknown) => Entry | undefined,
): Entry | undefined {
  const named = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  if (named !== undefined) return byId(named);
  const pairs = all.filter(({ type }) => type === "candidate-pair");
  return pairs.find(({ selected }) => selected === true) ??
    pairs.find(({ nominated, state }) => nominated === true && state === "succeeded");
}

function pathOf(local: Entry | undefined, remote: Entry | undefined): Path | undefined {
  if (local === undefined) return undefined;
  const isRelayed = local.candidateType === "relay" || remote?.candidateType === "relay";
  return isRelayed ? "relay" : "direct";
}

function codecName(mimeType: unknown): string | undefined {
  if (typeof mimeType !== "string") return undefined;
  const name = mimeType.slice(mimeType.indexOf("/") + 1);
  return name.toUpperCase().replace(/^H26/, "H.26").slice(0, 12);
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
