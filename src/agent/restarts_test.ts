import assert from "node:assert/strict";
import type { RestartMessage } from "../trust/handshake.ts";
import { Restarts } from "./restarts.ts";
import type { IceCredentials } from "./seams.ts";
import { Stage } from "./stage_test.ts";

const PWD = "0123456789abcdefghijkl";
const silent = () => {};
const LOG = { debug: silent, info: silent, warn: silent, error: silent };

function credentials(generation: number): RestartMessage {
  return { kind: "credentials", generation, ufrag: `gen${generation}`, pwd: PWD };
}

function candidate(generation: number): RestartMessage {
  return { kind: "candidate", generation, candidate: `theirs of ${generation}` };
}

/** Restarts of a peer whose answers a test gives. */
function newRestarts() {
  const asked: string[] = [];
  const sent: RestartMessage[] = [];
  const answers: ((credentials: IceCredentials) => void)[] = [];
  const restarts = new Restarts({
    session: "s1",
    peer: {
      restart: ({ ufrag }, tell) => {
        asked.push(ufrag);
        tell(`ours of ${ufrag}`);
        return new Promise((resolve) => answers.push(resolve));
      },
      addRestartCandidate: (text) => Promise.resolve(void asked.push(text)),
    },
    send: (message) => Promise.resolve(void sent.push(message)),
    log: LOG,
  });
  return { restarts, asked, sent, answer: () => answers.shift()!({ ufrag: "ours", pwd: PWD }) };
}

/** All that is due without timers. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

Deno.test("a restart is answered with our credentials first and our candidates behind them", async () => {
  const { restarts, asked, sent, answer } = newRestarts();
  restarts.take(credentials(1));
  restarts.take(candidate(1));
  await settle();
  assert.deepEqual(sent, [], "nothing leaves before the answer");
  answer();
  await settle();
  assert.deepEqual(sent, [
    { kind: "credentials", generation: 1, ufrag: "ours", pwd: PWD },
    { kind: "candidate", generation: 1, candidate: "ours of gen1" },
  ]);
  assert.deepEqual(asked, ["gen1", "theirs of 1"]);
});

Deno.test("what belongs to an older restart, or to none, is dropped", async () => {
  const { restarts, asked, answer } = newRestarts();
  restarts.take(candidate(1));
  restarts.take(credentials(3));
  await settle();
  answer();
  for (const message of [credentials(3), credentials(2), candidate(2), candidate(4)]) {
    restarts.take(message);
  }
  await settle();
  assert.deepEqual(asked, ["gen3"]);
});

Deno.test("a restart that the peer refuses leaves the way free for the next", async () => {
  const sent: RestartMessage[] = [];
  let fails = true;
  const restarts = new Restarts({
    session: "s1",
    peer: {
      restart: () =>
        fails ? Promise.reject(new Error("no")) : Promise.resolve({ ufrag: "o", pwd: PWD }),
      addRestartCandidate: () => Promise.resolve(),
    },
    send: (message) => Promise.resolve(void sent.push(message)),
    log: LOG,
  });
  restarts.take(credentials(1));
  await settle();
  fails = false;
  restarts.take(credentials(2));
  await settle();
  assert.deepEqual(sent.map(({ generation }) => generation), [2]);
});

Deno.test("a live session takes restarts, and one that is not live hears none", async () => {
  const stage = new Stage();
  await stage.connect();
  assert.equal(stage.admission.restart, undefined);
  await stage.live();
  stage.admission.restart!(credentials(1));
  await settle();
  assert.deepEqual(stage.peer.restarts, [`gen1 ${PWD}`]);
  assert.deepEqual(stage.admission.restarts.map(({ kind }) => kind), ["credentials", "candidate"]);
  stage.session.close("closed", "test over");
  await stage.over;
});
