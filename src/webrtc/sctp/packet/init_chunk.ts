/**
 * INIT and INIT ACK (RFC 9260 3.3.2, 3.3.3):
 *
 *     type = 1 or 2 | 0 | length || initiate tag || a_rwnd || out streams | in streams
 *     || initial TSN || parameters
 *
 * We announce no extension. Those that peers announce we know and leave unused, so they are not
 * reported as unrecognised; all other types are treated by their high bits.
 */
import type { Chunk } from "./chunk.ts";
import { makeParameters, type Parameter, readParameters } from "./parameters.ts";
import { readU16, readU32, writeU16, writeU32 } from "./words.ts";

const FIXED_BYTES = 20;
const STATE_COOKIE = 7;
const UNRECOGNIZED = 8;
const HOST_NAME = 11;

/**
 * Known and without effect here: heartbeat info (1), addresses (5, 6), unrecognised (8), cookie
 * preservative (9), address types (12), ECN (0x8000), zero checksum (0x8001, RFC 9653),
 * authentication (0x8002 to 0x8004, RFC 4895), padding (0x8005), supported extensions (0x8008),
 * FORWARD TSN (0xc000, RFC 3758: we do not announce it, so none may come), adaptation (0xc006).
 */
// deno-fmt-ignore
const KNOWN: ReadonlySet<number> = new Set([
  1, 5, 6, UNRECOGNIZED, 9, 12, 0x8000, 0x8001, 0x8002, 0x8003, 0x8004, 0x8005, 0x8008, 0xc000,
  0xc006,
]);

/** The fixed part. */
export interface InitContent {
  readonly tag: number;
  readonly window: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  readonly initialTsn: number;
}

export interface ReceivedInit extends InitContent {
  readonly cookie: Uint8Array | undefined;
  /** Whole parameters, header included, that the sender wants to hear about (3.2.1). */
  readonly unrecognized: readonly Parameter[];
  /** Whether it names a host, which nobody may any more (5.1.2). */
  readonly hasHostName: boolean;
}

/** Undefined when lengths do not fit. Values are for the caller to judge. */
export function readInit(packet: Uint8Array, { at, end }: Chunk): ReceivedInit | undefined {
  if (end - at < FIXED_BYTES) return undefined;
  const parameters = readParameters(packet, at + FIXED_BYTES, end);
  if (parameters === undefined) return undefined;
  return {
    tag: readU32(packet, at + 4),
    window: readU32(packet, at + 8),
    outboundStreams: readU16(packet, at + 12),
    inboundStreams: readU16(packet, at + 14),
    initialTsn: readU32(packet, at + 16),
    ...sort(parameters),
  };
}

function sort(
  parameters: readonly Parameter[],
): Pick<ReceivedInit, "cookie" | "unrecognized" | "hasHostName"> {
  let cookie: Uint8Array | undefined;
  let hasHostName = false;
  const unrecognized: Parameter[] = [];
  for (const parameter of parameters) {
    const { type } = parameter;
    if (type === STATE_COOKIE) cookie = parameter.value;
    else if (type === HOST_NAME) hasHostName = true;
    else if (!KNOWN.has(type)) {
      if ((type & 0x4000) !== 0) unrecognized.push(parameter);
      if ((type & 0x8000) === 0) break;
    }
  }
  return { cookie, unrecognized, hasHostName };
}

/** Body of an INIT, or of an INIT ACK when it has a cookie; for `makeChunk`. */
export function makeInitBody(
  content: InitContent,
  answer?: { readonly cookie: Uint8Array; readonly unrecognized: readonly Parameter[] },
): Uint8Array {
  const parameters = answer === undefined ? [] : [
    { type: STATE_COOKIE, value: answer.cookie },
    ...answer.unrecognized.map((one) => ({ type: UNRECOGNIZED, value: makeParameters([one]) })),
  ];
  const tail = makeParameters(parameters);
  const body = new Uint8Array(16 + tail.length);
  writeU32(body, 0, content.tag);
  writeU32(body, 4, content.window);
  writeU16(body, 8, content.outboundStreams);
  writeU16(body, 10, content.inboundStreams);
  writeU32(body, 12, content.initialTsn);
  body.set(tail, 16);
  return body;
}
