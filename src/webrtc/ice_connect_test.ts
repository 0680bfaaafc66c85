import assert from "node:assert/strict";
import { connectPromptly } from "./ice_patch.ts";
import type { IceInternals } from "./internals.ts";

const FAILED = 0; // ice/src/iceBase.ts, ICE_FAILED
const MANY = 10_000;

Deno.test("when all pairs have failed, the search for a path leaves the event loop to others", async () => {
  let turns = 0;
  const ice = {
    state: "checking",
    checkListDone: false,
    checkList: [],
    remoteCandidates: [],
    earlyChecks: [],
    sortCheckList() {},
    unfreezeInitial() {},
    checkListState: { put(_result: Promise<number>) {}, get: () => Promise.resolve(FAILED) },
    schedulingChecks() {
      if (++turns === 1) this.checkListState.put(Promise.resolve(FAILED));
      return turns < MANY; // werift waits for candidates without end
    },
  };
  const searching = connectPromptly(ice as unknown as IceInternals);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(turns < MANY, "no timer came to its turn before");
  ice.state = "closed";
  await assert.rejects(searching, /no pair of addresses works/);
});
