/** Which way a connection's packets go, by the pair that ICE chose. */
import { isLocalAddress, type NetworkPath } from "../lib/network_path.ts";
import type { LocalCandidate, PairInternals } from "./internals.ts";

/** `remotes` are all candidates of the browser: one that was first seen by its check may be a relay's. */
export function pathOf(
  { localCandidate, remoteCandidate: { host, port }, rtt }: PairInternals,
  remotes: readonly LocalCandidate[],
): NetworkPath {
  const isTheirs = remotes.some((one) =>
    one.type === "relay" && one.host === host && one.port === port
  );
  return {
    kind: isTheirs || localCandidate.type === "relay" ? "relay" : "direct",
    family: host.includes(":") ? 6 : 4,
    local: isLocalAddress(host),
    ...rtt === undefined ? {} : { roundTripMs: rtt * 1000 },
  };
}
