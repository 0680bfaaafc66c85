/**
 * Allocations at TURN servers (RFC 8656), for connections and for the doctor: werift's
 * `TurnProtocol` on sockets of ours. Left out: relayed IPv6 addresses (RFC 8656 7.1), which werift
 * does not ask for.
 */
import { Buffer } from "node:buffer";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { Message, parseMessage, StunOverTurnProtocol, TurnProtocol } from "werift";
import { within } from "./ice_patch.ts";
import type { RelayServer } from "./ice_servers.ts";
import type { Address, RelayInternals } from "./internals.ts";
import { RelayDatagrams } from "./relay_datagram.ts";
import { RelayStream } from "./relay_stream.ts";
import type { OpenSocket } from "./udp_ports.ts";

/** RFC 8656 3.2, seconds; werift renews it. */
const LIFETIME_SECONDS = 600;
/** RFC 8656 9: a permission lives 300 s; werift refreshes channels, which renew it, after 500 s. */
const CHANNEL_REFRESH_SECONDS = 240;
/** How long a server may take to connect, and to allocate; each in ms. */
const CONNECT_LIMIT_MS = 8_000;
const ALLOCATE_LIMIT_MS = 7_000;
/** How long `close` waits for the server to say that it let go, in ms. Else it does so by itself. */
const RELEASE_LIMIT_MS = 300;
// ice-server/src/stun/const.ts
const REFRESH = 4;
const REQUEST = 0;
/** RFC 8489 14.8. */
const UNAUTHENTICATED = 401;
/** RFC 8656 18.13: the server knows our address by another request, such as one of ours that it got twice. */
const ALLOCATION_MISMATCH = 437;
/** Addresses of ours that are tried then, one after the other (RFC 8656 7.4). */
const MAX_OWN_ADDRESSES = 3;

export interface RelayParts {
  readonly openSocket: OpenSocket;
  /** Certificates in PEM that relays over TLS are checked with, instead of the system's. */
  readonly relayCa?: string | undefined;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
}

/** An allocation; `close` gives it back. */
export interface Relay {
  readonly protocol: RelayInternals;
  /** Where others reach us. */
  readonly relayed: Address;
  /** Where the server sees us. */
  readonly mapped: Address;
}

/** Asks for an allocation. Rejects with an Error when no address of the server gives one. */
export async function allocate(server: RelayServer, parts: RelayParts): Promise<Relay> {
  const { host, port, transport } = server;
  if (transport !== "udp") {
    const { relayCa: ca, signal } = parts;
    const options = { tls: transport === "tls", limitMs: CONNECT_LIMIT_MS, ca, signal };
    const stream = await RelayStream.open([host, port], options);
    return await allocateOn(stream, { server, address: stream.remoteAddress, signal });
  }
  const tries = (await addressesOf(host)).map((address) =>
    allocateByDatagrams(server, { address: [address, port], parts })
  );
  return await firstOf(tries, (relay) => relay.protocol.close!());
}

async function allocateByDatagrams(
  server: RelayServer,
  { address, parts: { openSocket, signal } }: { address: Address; parts: RelayParts },
): Promise<Relay> {
  for (let tried = 1;; tried++) {
    const socket = await RelayDatagrams.open(address, openSocket);
    try {
      return await allocateOn(socket, { server, address, signal });
    } catch (error) {
      if (!(error instanceof MismatchError) || tried === MAX_OWN_ADDRESSES) throw error;
    }
  }
}

/** Another address of ours may be taken. */
class MismatchError extends Error {}

async function allocateOn(
  transport: RelayDatagrams | RelayStream,
  { server, address, signal }: {
    server: RelayServer;
    address: Address;
    signal: AbortSignal | undefined;
  },
): Promise<Relay> {
  const { username, credential } = server;
  const turn = new TurnProtocol(
    address,
    username,
    credential,
    LIFETIME_SECONDS,
    // werift's type names more than it uses.
    transport as unknown as ConstructorParameters<typeof TurnProtocol>[4],
    { channelRefreshTime: CHANNEL_REFRESH_SECONDS },
  );
  let isAllocated = false;
  const allocated = turn.connectionMade().then(() => isAllocated = true, () => {});
  const refusals = noteRefusals(transport);
  await within(Promise.race([allocated, refusals.mismatch]), ALLOCATE_LIMIT_MS, signal);
  refusals.end();
  if (!isAllocated) {
    stopTransactions(turn);
    await transport.close();
    const reason = refusals.reason ?? "it does not answer";
    const Refusal = refusals.isMismatch ? MismatchError : Error;
    throw new Refusal(`Cannot use relay '${server.host}:${server.port}': ${reason}`);
  }
  const protocol = new StunOverTurnProtocol(turn);
  const close = protocol.close.bind(protocol);
  protocol.close = async () => {
    await release(turn);
    await close();
  };
  return {
    protocol: protocol as unknown as RelayInternals,
    relayed: turn.relayedAddress,
    mapped: turn.mappedAddress,
  };
}

/**
 * Gives the allocation back (RFC 8656 7.1): servers count those of one user, and keep each for ten
 * minutes. werift only closes its socket.
 */
async function release(turn: TurnProtocol): Promise<void> {
  stopTransactions(turn);
  if (turn.transport.closed) return;
  const request = new Message(REFRESH, REQUEST).setAttribute("LIFETIME", 0);
  await within(turn.request(request, turn.server).catch(() => {}), RELEASE_LIMIT_MS);
  stopTransactions(turn);
}

function stopTransactions(turn: TurnProtocol): void {
  for (const transaction of Object.values(turn.transactions)) transaction.cancel();
}

/** One of each family at most; the server may have either, and so may we. */
async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  return [4, 6].flatMap((family) => found.find((one) => one.family === family)?.address ?? []);
}

/** The first that succeeds; those that succeed later are let go. Rejects as the first that failed did. */
async function firstOf<Value>(
  tries: readonly Promise<Value>[],
  letGo: (late: Value) => Promise<void>,
): Promise<Value> {
  const [first] = tries;
  const winner = await Promise.any(tries).catch(async () => await first!);
  for (const attempt of tries) {
    attempt.then((value) => value === winner ? undefined : letGo(value)).catch(() => {});
  }
  return winner;
}

/**
 * What a server's refusals say. werift ignores those without MESSAGE-INTEGRITY, as it should: these
 * are only for people. The first 401 is part of the way (RFC 8489 9.2.4).
 */
function noteRefusals(transport: RelayDatagrams | RelayStream) {
  const { onData } = transport;
  const { promise: mismatch, resolve } = Promise.withResolvers<void>();
  const noted: { reason?: string; isMismatch: boolean; mismatch: Promise<void>; end(): void } = {
    isMismatch: false,
    mismatch,
    end: () => void (transport.onData = onData),
  };
  let challenges = 0;
  transport.onData = (data, from) => {
    onData(data, from);
    const [code, text] = (parseMessage(data)?.getAttributeValue("ERROR-CODE") ?? []) as unknown[];
    if (typeof code !== "number" || (code === UNAUTHENTICATED && ++challenges === 1)) return;
    noted.reason = `it refuses: ${code} ${printable(text)}`.trimEnd();
    noted.isMismatch = code === ALLOCATION_MISMATCH;
    if (noted.isMismatch) resolve();
  };
  return noted;
}

/** A server's words: a line of letters at most. */
function printable(text: unknown): string {
  const words = Buffer.isBuffer(text) ? text.toString("utf8") : String(text ?? "");
  return words.replaceAll(/[^ -~]/g, "").slice(0, 64);
}
