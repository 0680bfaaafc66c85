/** Which way the packets of a connection go, as the browser's own statistics say it (W3C webrtc-stats). */
import { isLocalAddress, type NetworkPath } from "../../src/lib/network_path.ts";

/** What is read of a report; Firefox leaves out more than Chromium does. */
export interface Stat {
  readonly id: string;
  readonly type: string;
  readonly selectedCandidatePairId?: string;
  readonly nominated?: boolean;
  readonly state?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: string;
  readonly address?: string | null;
  readonly port?: number;
  readonly currentRoundTripTime?: number;
}

/** The path in use; undefined before there is one. */
export async function readPath(
  peer: Pick<RTCPeerConnection, "getStats">,
): Promise<NetworkPath | undefined> {
  const stats: Stat[] = [];
  (await peer.getStats()).forEach((stat: Stat) => stats.push(stat));
  return pathOf(stats);
}

/** See `readPath`. */
export function pathOf(stats: readonly Stat[]): NetworkPath | undefined {
  const pair = selectedPair(stats);
  const byId = (id: string | undefined) => stats.find((stat) => stat.id === id);
  const [local, remote] = [byId(pair?.localCandidateId), byId(pair?.remoteCandidateId)];
  if (pair === undefined || local === undefined || remote === undefined) return undefined;
  const address = remote.address ?? local.address ?? "";
  const { currentRoundTripTime: seconds } = pair;
  return {
    kind: local.candidateType === "relay" || isRelay(remote, stats) ? "relay" : "direct",
    family: address.includes(":") ? 6 : 4,
    local: isLocalAddress(address),
    ...seconds === undefined ? {} : { roundTripMs: seconds * 1000 },
  };
}

function selectedPair(stats: readonly Stat[]): Stat | undefined {
  const chosen = stats.find(({ selectedCandidatePairId }) => selectedCandidatePairId !== undefined);
  return stats.find(({ type, id, nominated, state }) =>
    type === "candidate-pair" &&
    (chosen === undefined
      ? nominated === true && state === "succeeded"
      : id === chosen.selectedCandidatePairId)
  );
}

/** The device's relay too: its check may have come before its candidate did, and then it has no type of its own. */
function isRelay(remote: Stat, stats: readonly Stat[]): boolean {
  return stats.some(({ type, candidateType, address, port }) =>
    type === "remote-candidate" && candidateType === "relay" &&
    address === remote.address && port === remote.port
  );
}
