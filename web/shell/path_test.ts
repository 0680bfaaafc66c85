import assert from "node:assert/strict";
import { pathOf, type Stat } from "./path.ts";

const PAIR: Stat = {
  id: "P",
  type: "candidate-pair",
  nominated: true,
  state: "succeeded",
  localCandidateId: "L",
  remoteCandidateId: "R",
  currentRoundTripTime: 0.012,
};
const LOCAL: Stat = { id: "L", type: "local-candidate", candidateType: "host", address: null };

function remote(candidateType: string, address: string, id = "R"): Stat {
  return { id, type: "remote-candidate", candidateType, address, port: 5000 };
}

Deno.test("a pair of hosts at home is direct and local", () => {
  const chosen: Stat = { id: "T", type: "transport", selectedCandidatePairId: "P" };
  const path = pathOf([chosen, PAIR, LOCAL, remote("host", "192.168.1.20")]);
  assert.deepEqual(path, { kind: "direct", family: 4, local: true, roundTripMs: 12 });
});

Deno.test("Firefox, which names no chosen pair, is understood by its nomination", () => {
  const other: Stat = { ...PAIR, id: "Q", nominated: false };
  const path = pathOf([other, PAIR, LOCAL, remote("srflx", "2001:db8::7")]);
  assert.deepEqual([path?.kind, path?.family, path?.local], ["direct", 6, false]);
});

Deno.test("a relay of either end is a relay, even one whose check came before its candidate", () => {
  const ours = pathOf([PAIR, { ...LOCAL, candidateType: "relay" }, remote("host", "203.0.113.5")]);
  const theirs = pathOf([
    PAIR,
    LOCAL,
    remote("prflx", "203.0.113.5"),
    remote("relay", "203.0.113.5", "X"),
  ]);
  assert.deepEqual([ours?.kind, theirs?.kind], ["relay", "relay"]);
});

Deno.test("before a pair is chosen there is no path", () => {
  assert.equal(
    pathOf([{ ...PAIR, nominated: false }, LOCAL, remote("host", "10.0.0.1")]),
    undefined,
  );
  assert.equal(pathOf([PAIR]), undefined);
});
