/**
 * Finds the addresses under which others reach us: those of this machine (werift does that), those
 * that STUN servers see, and relays. werift asks one server of each kind, over IPv4 (audit 4); here
 * all are asked, and each that answers counts.
 *
 *   hosts -> reflexive: one question for each server and family    relays: UDP first, then streams
 */
import {
  Candidate,
  candidateFoundation,
  candidatePriority,
  serverReflexiveCandidate,
} from "werift";
import { isLoopbackAddress } from "../lib/network_path.ts";
import { within } from "./ice_patch.ts";
import type { IceServers, RelayServer, ServerAddress } from "./ice_servers.ts";
import type { IceInternals, LocalCandidate, ProtocolInternals } from "./internals.ts";
import { allocate, type Relay, type RelayParts } from "./relay.ts";

/** How long a STUN server may take, in ms: seven questions, the last after 3.2 s. */
const REFLEXIVE_LIMIT_MS = 5_000;
/** Relays over TCP and TLS carry less and cost more: they are asked when UDP brought none by then. */
const DATAGRAM_HEAD_START_MS = 1_500;
/** Allocations of one session: a second one is there when a server goes away. */
const MAX_RELAYS = 2;
/** RFC 8445 5.1.2.1. */
const MAX_LOCAL_PREFERENCE = 65_535;

/** See the head of this file. */
export class Gathering {
  readonly #ice: IceInternals;
  readonly #servers: IceServers;
  readonly #parts: RelayParts;
  readonly #stopping = new AbortController();
  #candidates = 0;
  #relays = 0;

  constructor(ice: IceInternals, options: RelayParts & { readonly servers: IceServers }) {
    this.#ice = ice;
    this.#servers = options.servers;
    this.#parts = options;
    this.#hook();
  }

  /** Ends what is under way; nothing is added any more. */
  stop(): void {
    this.#stopping.abort();
  }

  #hook(): void {
    const ice = this.#ice;
    ice.stunServer = undefined;
    ice.turnServer = undefined;
    const gatherHosts = ice.getCandidatePromises.bind(ice);
    ice.getCandidatePromises = (addresses, timeout) => {
      const hosts = gatherHosts(addresses, timeout);
      const reflexive = Promise.allSettled(hosts).then(() => this.#askReflexive());
      return [...hosts, reflexive, this.#askRelays()];
    };
    const append = ice.appendLocalCandidate.bind(ice);
    ice.appendLocalCandidate = (candidate) => {
      // RFC 8445 5.1.2.1: no two of the same priority. werift gives all of a type the same.
      const preference = MAX_LOCAL_PREFERENCE - this.#candidates++;
      candidate.priority = candidatePriority(candidate.type as "host", preference);
      append(candidate);
    };
  }

  /* ---- reflexive ---------------------------------------------------------------------------------- */

  async #askReflexive(): Promise<void> {
    const bases = [4, 6].flatMap((family) => this.#baseOf(family) ?? []);
    const seen = new Set<string>();
    await Promise.all(
      bases.flatMap((base) =>
        this.#servers.reflexive.map((server) => this.#askOne(base, { server, seen }))
      ),
    );
  }

  /** All local addresses of a family share one port, so that asking from one of them is enough. */
  #baseOf(family: number): ProtocolInternals | undefined {
    const ofFamily = this.#ice.protocols.filter(({ type, localCandidate }) =>
      type === "stun" && localCandidate !== undefined &&
      localCandidate.host.includes(":") === (family === 6)
    );
    const others = ofFamily.filter((one) => !isLoopbackAddress(one.localCandidate!.host));
    return others[0] ?? ofFamily[0];
  }

  async #askOne(
    base: ProtocolInternals,
    { server, seen }: { server: ServerAddress; seen: Set<string> },
  ): Promise<void> {
    const asker = base as unknown as Parameters<typeof serverReflexiveCandidate>[0];
    const question = serverReflexiveCandidate(asker, [server.host, server.port]);
    let found: LocalCandidate | undefined;
    const asked = question.then((candidate) => found = candidate, () => {}); // it has no such address
    await within(asked, REFLEXIVE_LIMIT_MS, this.#stopping.signal);
    if (found === undefined || this.#stopping.signal.aborted) return;
    const name = `${found.host} ${found.port}`;
    if (seen.has(name) || this.#isHost(found)) return;
    seen.add(name);
    this.#ice.appendLocalCandidate(found);
  }

  /** Without a NAT in between a STUN server sees what we know already (RFC 8445 5.1.3). */
  #isHost({ host, port }: LocalCandidate): boolean {
    return this.#ice.localCandidates.some((one) => one.host === host && one.port === port);
  }

  /* ---- relays ------------------------------------------------------------------------------------- */

  async #askRelays(): Promise<void> {
    const { relays } = this.#servers;
    const streams = relays.filter(({ transport }) => transport !== "udp");
    const datagrams = relays.filter(({ transport }) => transport === "udp");
    const asked = Promise.all(datagrams.map((server) => this.#askRelay(server)));
    if (streams.length === 0) return void await asked;
    await within(asked, DATAGRAM_HEAD_START_MS, this.#stopping.signal);
    if (this.#relays > 0 || this.#stopping.signal.aborted) return void await asked;
    await Promise.all([asked, ...streams.map((server) => this.#askRelay(server))]);
  }

  /** Never rejects. */
  async #askRelay(server: RelayServer): Promise<void> {
    const { signal } = this.#stopping;
    const relay = await allocate(server, { ...this.#parts, signal }).catch(() => undefined);
    if (relay === undefined) return; // the doctor says why
    if (signal.aborted || this.#relays >= MAX_RELAYS) await relay.protocol.close?.();
    else this.#add(relay);
  }

  #add({ protocol, relayed: [host, port], mapped }: Relay): void {
    const ice = this.#ice;
    this.#relays++;
    const candidate = new Candidate(
      candidateFoundation("relay", "udp", host),
      1,
      "udp",
      candidatePriority("relay"),
      host,
      port,
      "relay",
      mapped[0],
      mapped[1],
      undefined,
      ice.generation,
      ice.localUsername,
    );
    protocol.localCandidate = candidate;
    ice.ensureProtocol(protocol);
    ice.protocols.push(protocol);
    ice.pairLocalProtocol(protocol); // werift forgets those of the browser that came before
    ice.appendLocalCandidate(candidate);
  }
}
