/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { Bytes } from "../../src/lib/bytes.ts";
import type { RestartMessage } from "../../src/trust/handshake.ts";
import { LostError } from "./lost.ts";
import { Recovery, type RestartPeer } from "./recovery.ts";
import type { Found } from "./signalling.ts";

const REMOTE = {
  ufrag: "first",
  pwd: "p".repeat(22),
  fingerprint: new Uint8Array(32).fill(5),
  setup: "passive",
} as const;

/** What our own description says after so many restarts. */
function localSdp(restarts: number): string {
  return [
    "v=0",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "a=mid:0",
    `a=ice-ufrag:mine${restarts}`,
    `a=ice-pwd:${"q".repeat(22)}`,
    `a=fingerprint:sha-256 ${Array(32).fill("AA").join(":")}`,
    "a=setup:actpass",
    "",
  ].join("\r\n");
}

/** M5 without a seal. */
const plain = {
  seal: (message: RestartMessage) =>
    Promise.resolve(new TextEncoder().encode(JSON.stringify(message))),
  open: (wire: Bytes) => {
    const text = new TextDecoder().decode(wire);
    return text.startsWith("{")
      ? Promise.resolve(JSON.parse(text) as RestartMessage)
      : Promise.reject(new Error("forged"));
  },
};

/** A rendezvous and a device behind it. `answers` is what comes for our credentials. */
interface Script {
  readonly isThere?: boolean;
  readonly answers?: (generation: number) => readonly (RestartMessage | "junk")[];
  readonly isSameRun?: boolean;
}

function rig(script: (attempt: number) => Script) {
  const ending = new AbortController();
  const descriptions: string[] = [];
  const added: string[] = [];
  const sent: RestartMessage[] = [];
  const failures: LostError[] = [];
  let [attempts, open, restarts, heardAt, held] = [0, 0, 0, -Infinity, 0];
  const peer = {
    localDescription: null as { sdp: string } | null,
    onicecandidate: null,
    restartIce: () => void restarts++,
    setLocalDescription() {
      peer.localDescription = { sdp: localSdp(restarts) };
      return Promise.resolve();
    },
    setRemoteDescription: ({ sdp }: { sdp: string }) =>
      Promise.resolve(void descriptions.push(sdp)),
    addIceCandidate: ({ candidate }: { candidate: string }) =>
      Promise.resolve(void added.push(candidate)),
    getConfiguration: () => ({}),
    setConfiguration: () => {},
  };
  const recovery = new Recovery({
    peer: peer as unknown as RestartPeer,
    restarts: plain,
    isSameRun: () => Promise.resolve(script(attempts).isSameRun ?? true),
    openSignalling: (lost) => {
      const { isThere = true, answers = () => [] } = script(++attempts);
      open++;
      const waiting: Bytes[] = [];
      let wake = () => {};
      return {
        found: () => {
          if (isThere) {
            return Promise.resolve<Found>({ presence: new Uint8Array(), iceServers: [] });
          }
          const error = new LostError("absent", "not there");
          lost(error);
          return Promise.reject(error);
        },
        send: (wire) => {
          const message = JSON.parse(new TextDecoder().decode(wire)) as RestartMessage;
          sent.push(message);
          if (message.kind !== "credentials") return;
          for (const answer of answers(message.generation)) {
            waiting.push(
              new TextEncoder().encode(answer === "junk" ? answer : JSON.stringify(answer)),
            );
          }
          wake();
        },
        delivery: async () => {
          while (waiting.length === 0) await new Promise<void>((resolve) => wake = resolve);
          return waiting.shift()!;
        },
        close: () => void open--,
      };
    },
    heardAt: () => heardAt,
    remote: REMOTE,
    restarted: () => {},
    negotiator: () => ({
      hold: () => Promise.resolve(void held++),
      release: () => void held--,
      standing: () => [],
    }),
    fail: (error) => {
      failures.push(error);
      ending.abort(error);
    },
    signal: ending.signal,
  });
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return {
    ...{ recovery, descriptions, added, sent, failures, until },
    /** The device is heard. */
    hear: () => heardAt = performance.now(),
    open: () => open,
    held: () => held,
    attempts: () => attempts,
    end: () => {
      ending.abort(new LostError("ended", "test over"));
      recovery.close();
    },
  };
}

const answer = (generation: number): RestartMessage => ({
  kind: "credentials",
  generation,
  ufrag: `theirs${generation}`,
  pwd: "r".repeat(22),
});
const CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host";

Deno.test("a restart takes name and password from the answer, and all else from the handshake", async () => {
  const one = rig(() => ({
    answers: (generation) => [
      "junk",
      answer(generation + 1),
      answer(generation),
      { kind: "candidate", generation: generation + 1, candidate: `${CANDIDATE} x y` },
      { kind: "candidate", generation, candidate: CANDIDATE },
    ],
  }));
  one.recovery.begin("doubt");
  await one.until(() => one.added.length > 0);
  one.hear();
  await one.until(() => one.held() === 0);
  assert.deepEqual(one.sent, [{
    kind: "credentials",
    generation: 1,
    ufrag: "mine1",
    pwd: "q".repeat(22),
  }]);
  const [sdp] = one.descriptions;
  assert.match(sdp!, /a=ice-ufrag:theirs1\r\n/);
  assert.match(sdp!, /a=fingerprint:sha-256 05:05:/);
  assert.match(sdp!, /a=setup:passive/);
  assert.deepEqual(one.added, [CANDIDATE]);
  assert.equal(one.open(), 1, "candidates may follow");
  one.end();
  assert.equal(one.open(), 0);
});

Deno.test("a device that is not there yet is looked for again; one that answers meanwhile is left alone", async () => {
  const one = rig((attempt) => ({ isThere: attempt > 2 }));
  one.recovery.begin("doubt");
  one.recovery.begin("doubt"); // runs already
  await one.until(() => one.attempts() === 2);
  one.hear();
  await one.until(() => one.held() === 0);
  assert.ok(one.attempts() <= 3);
  assert.deepEqual(one.sent, []);
  assert.equal(one.open(), 0);
  one.end();
});

Deno.test("an offer without an answer is made again with the next number, though the path is back", async () => {
  const one = rig((attempt) => attempt === 1 ? {} : { answers: (number) => [answer(number)] });
  one.recovery.begin("doubt");
  await one.until(() => one.sent.length === 1);
  one.hear();
  await one.until(() => one.held() === 0);
  assert.deepEqual(one.sent.map(({ generation }) => generation), [1, 2]);
  assert.match(one.descriptions[0]!, /a=ice-ufrag:theirs2\r\n/);
  one.end();
});

Deno.test("a device that started again and does not answer ends the session", async () => {
  const one = rig(() => ({ isSameRun: false }));
  one.recovery.begin("doubt");
  await one.until(() => one.failures.length > 0);
  assert.equal(one.failures[0]!.code, "silent");
  await one.until(() => one.held() === 0);
  one.end();
});

Deno.test("after a recovery a mere doubt begins none for a while, and a lost path does", async () => {
  const one = rig(() => ({ answers: (generation) => [answer(generation)] }));
  one.recovery.begin("doubt");
  await one.until(() => one.descriptions.length === 1);
  one.hear();
  await one.until(() => one.held() === 0);
  await new Promise((resolve) => setTimeout(resolve, 0));
  one.recovery.begin("doubt");
  assert.equal(one.held(), 0);
  one.recovery.begin("lost");
  await one.until(() => one.descriptions.length === 2);
  one.hear();
  await one.until(() => one.held() === 0);
  one.end();
});

Deno.test("a connection that ends stops the search and lets go of the way", async () => {
  const one = rig(() => ({}));
  one.recovery.begin("doubt");
  await one.until(() => one.sent.length === 1);
  one.end();
  await one.until(() => one.held() === 0);
  assert.equal(one.open(), 0);
  assert.deepEqual(one.failures, []);
});
