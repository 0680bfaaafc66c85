/** The legs of the network: UDP at all, each STUN server, what a NAT in between does, each relay. */
import { bad, type Finding, good, type LegName, skipped, type Verdict } from "./finding.ts";
import type { NatKind, Network, RelayName, ServerName } from "./parts.ts";

interface Servers<Relay> {
  readonly stun: readonly ServerName[];
  readonly relays: readonly Relay[];
}

/** All findings of the network. */
export async function lookAtNetwork<Relay extends RelayName>(
  servers: Servers<Relay> | undefined,
  network: Network<Relay>,
): Promise<Finding[]> {
  const legs: LegName[] = ["udp", "stun", "nat", "turn"];
  if (servers === undefined) {
    const text = "not looked at: the rendezvous did not say which servers there are";
    return legs.map((leg) => ({ leg, ...skipped(text) }));
  }
  const { stun, relays } = servers;
  // A relay over UDP answers a STUN question like any STUN server (RFC 8656 3.1).
  const [answers, others, allocations] = await Promise.all([
    Promise.all(stun.map((server) => network.ask(server))),
    Promise.all(relays.filter(isDatagram).map((server) => network.ask(server))),
    Promise.all(relays.map((relay) => allocation(relay, network))),
  ]);
  const asked = answers.length + others.length;
  const isOut = [...answers, ...others].some((answer) => answer !== undefined);
  const isBlocked = asked > 0 && !isOut;
  const hasRelay = allocations.some(({ state }) => state === "good");
  return [
    { leg: "udp", ...udpVerdict(asked, isBlocked) },
    ...stunVerdicts(stun, { answers, isBlocked }).map(of("stun")),
    { leg: "nat", ...await natLeg({ stun, answers, hasRelay, network }) },
    ...turnVerdicts(relays, { allocations, isBlocked }).map(of("turn")),
  ];
}

type Answer = Awaited<ReturnType<Network["ask"]>>;

function udpVerdict(asked: number, isBlocked: boolean): Verdict {
  if (asked === 0) return skipped("not looked at: the rendezvous names no server to ask over UDP");
  if (!isBlocked) return good("UDP goes out and comes back");
  return bad(
    `no answer over UDP from ${asked === 1 ? "the only server" : `any of ${asked} servers`}`,
    "let UDP out at the firewall or router; if it is let out, the servers are down",
  );
}

function stunVerdicts(
  servers: readonly ServerName[],
  { answers, isBlocked }: { answers: readonly Answer[]; isBlocked: boolean },
): Verdict[] {
  if (servers.length === 0) return [skipped("the rendezvous names no STUN server")];
  return servers.map((server, index) => {
    const [name, answer] = [nameOf(server), answers[index]];
    if (answer !== undefined) {
      return good(`sees us as ${answer.address}, in ${Math.round(answer.ms)} ms`, name);
    }
    if (isBlocked) return skipped("not looked at: UDP does not get through", name);
    const remedy = "start the server, or take it from the rendezvous's --stun-url";
    return bad("does not answer", remedy, name);
  });
}

async function natLeg<Relay extends RelayName>(
  { stun, answers, hasRelay, network }: {
    stun: readonly ServerName[];
    answers: readonly Answer[];
    hasRelay: boolean;
    network: Network<Relay>;
  },
): Promise<Verdict> {
  const living = stun.filter((_, index) => answers[index] !== undefined);
  if (living.length === 0) return skipped("not looked at: no STUN server answers");
  return natVerdict(await network.natKind(living), hasRelay);
}

function natVerdict({ mapping, filtering }: NatKind, hasRelay: boolean): Verdict {
  if (mapping === "none") return good("no NAT: others see this machine's own address");
  if (mapping === "unknown") {
    return good("its kind cannot be told: that takes a second STUN server, or one with RFC 5780");
  }
  const kind = `mapping ${mapping}, filtering ${filtering}`;
  if (mapping === "endpoint-independent" || hasRelay) return good(kind);
  return bad(
    `${kind}: each destination sees another port, so that many browsers find no direct way`,
    "give the rendezvous a relay (--turn-url), or forward the UDP port of 'port' at the router",
  );
}

async function allocation<Relay extends RelayName>(
  relay: Relay,
  network: Network<Relay>,
): Promise<Verdict> {
  try {
    await network.allocate(relay);
    return good(`relays over ${relay.transport.toUpperCase()}`, nameOf(relay));
  } catch (error) {
    const remedy = "see that the relay runs, and that its secret is the rendezvous's; " +
      "over TLS, that its certificate holds";
    return bad(error instanceof Error ? error.message : "it failed", remedy, nameOf(relay));
  }
}

function turnVerdicts(
  relays: readonly RelayName[],
  { allocations, isBlocked }: { allocations: readonly Verdict[]; isBlocked: boolean },
): Verdict[] {
  if (relays.length === 0) return [skipped("the rendezvous names no relay")];
  return allocations.map((verdict, index) =>
    isBlocked && isDatagram(relays[index]!) && verdict.state === "bad"
      ? skipped("not looked at: UDP does not get through", nameOf(relays[index]!))
      : verdict
  );
}

function isDatagram({ transport }: RelayName): boolean {
  return transport === "udp";
}

function nameOf({ host, port }: ServerName): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function of(leg: LegName): (verdict: Verdict) => Finding {
  return (verdict) => ({ leg, ...verdict });
}
