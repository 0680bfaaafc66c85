/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { Cameras } from "./cameras.ts";
import type { ConnectionEvents, Handshake, Link } from "./connection.ts";
import { type LostCode, LostError } from "./lost.ts";
import type { OwnerConsole } from "./owner_console.ts";
import { Session, type SessionState } from "./session.ts";
import type { Tunnel } from "./tunnel.ts";

/** An attempt that does what the test's script says. */
type Script = (
  events: ConnectionEvents,
  use: { signal: AbortSignal; claim: () => Promise<boolean> },
) => Promise<LostCode>;

const GREETING = {
  type: "hello",
  name: "Gate",
  services: [],
  cameras: [],
  access: { role: "owner" },
  pass: new Uint8Array(16),
} as const;
// No camera is wanted, so nobody uses the rest.
const LINK = { checkNumber: "123456", negotiates: () => {} } as unknown as Link;

interface Rig {
  session: Session;
  states: string[];
  page: { hidden: boolean; shown?: () => void; channelEnded?: (protocol: boolean) => void };
  failures: LostError[];
  attempts: () => number;
  /** What the owner's console was told. */
  owner: string[];
  /** Check numbers that came with greetings. */
  checks: string[];
}

/** A session whose attempts follow `scripts`; after the last one, attempts run until the session is closed. */
function rig(scripts: readonly Script[], hasClaim = false): Rig {
  const page: Rig["page"] = { hidden: false };
  const failures: LostError[] = [];
  const states: string[] = [];
  const owner: string[] = [];
  const checks: string[] = [];
  let attempts = 0;
  const session = new Session({
    signallingUrl: "ws://unused.invalid",
    device: "a".repeat(26),
    hasClaim,
    cameras: new Cameras(),
    owner: {
      attach: () => owner.push("attach"),
      detach: () => owner.push("detach"),
      receive: ({ type }: { type: string }) => owner.push(type),
    } as unknown as OwnerConsole,
    page: {
      get hidden() {
        return page.hidden;
      },
      whenShown: (listener) => page.shown = listener,
      whenOnline: () => {},
    },
    createTunnel: (ended) => {
      page.channelEnded = ended;
      return { attach() {}, close() {}, postMessage() {} } as unknown as Tunnel;
    },
    openService: () => Promise.reject(new Error("no services here")),
    startHandshake: (_presence, claim) => Promise.resolve({ claim } as unknown as Handshake),
    greeted: (_greeting, checkNumber) => checks.push(checkNumber),
    createAttempt: (destination, events) => ({
      peerConnections: 1,
      fail: (error) => failures.push(error),
      run: async (signal) => {
        const script = scripts[attempts++] ?? untilClosed;
        const handshake = () => destination.startHandshake(new Uint8Array());
        const claim = async () => (await handshake() as unknown as { claim: boolean }).claim;
        return new LostError(await script(events, { signal, claim }), "as scripted");
      },
    }),
  });
  session.state.subscribe(() => states.push(describe(session.state.value)));
  return { session, states, page, failures, owner, checks, attempts: () => attempts };
}

function describe(state: SessionState): string {
  return "code" in state ? `${state.phase} ${state.code}` : state.phase;
}

const untilClosed: Script = (_events, { signal }) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve("ended")));

const fails = (code: LostCode): Script => () => Promise.resolve(code);

const live: Script = (events, use) => {
  events.live(GREETING, LINK);
  return untilClosed(events, use);
};

/** Resolves when the session reaches a state. */
function reached({ session }: Rig, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (describe(session.state.value) === wanted) resolve();
    };
    session.state.subscribe(look);
    look();
  });
}

Deno.test("session goes live with what the device greeted", async () => {
  const one = rig([live]);
  one.session.start();
  await reached(one, "live");
  assert.deepEqual(one.session.state.value, {
    phase: "live",
    name: "Gate",
    services: [],
    cameras: [],
    access: { role: "owner" },
  });
  assert.deepEqual(one.checks, ["123456"]);
  one.session.close();
});

Deno.test("session says why it was lost and connects again by itself", async () => {
  const one = rig([fails("absent"), live]);
  one.session.start();
  await reached(one, "lost absent");
  const state = one.session.state.value;
  assert.ok(state.phase === "lost" && state.retryAt !== undefined);
  one.session.retryNow();
  await reached(one, "live");
  assert.deepEqual(one.states, ["lost absent", "live"]);
  one.session.close();
});

Deno.test("session stays lost in the words while it looks again", async () => {
  const looks: Script = (events) => {
    events.phase("finding");
    return Promise.resolve("absent");
  };
  const one = rig([looks, looks, (events, use) => {
    events.phase("finding");
    events.phase("offering");
    return live(events, use);
  }]);
  one.session.start();
  await reached(one, "lost absent");
  one.session.retryNow();
  while (one.attempts() < 2) await Promise.resolve();
  await reached(one, "lost absent");
  for (let i = 0; i < 20; i++) await Promise.resolve();
  one.session.retryNow();
  await reached(one, "live");
  assert.equal(one.states[0], "finding");
  assert.ok(one.states.slice(1, -2).every((state) => state === "lost absent"));
  assert.deepEqual(one.states.slice(-2), ["offering", "live"]);
  one.session.close();
});

Deno.test("session fetches a new presence at once when the device restarted", async () => {
  const one = rig([fails("stale"), live]);
  one.session.start();
  await reached(one, "live");
  assert.deepEqual(one.states, ["live"]);
  one.session.close();
});

Deno.test("session pauses when the second presence is stale as well", async () => {
  const one = rig([fails("stale"), fails("stale"), live]);
  one.session.start();
  await reached(one, "lost stale");
  one.session.close();
});

Deno.test("session stops where only a person can go on", async () => {
  const one = rig([fails("not_paired")]);
  one.session.start();
  await reached(one, "closed not_paired");
  assert.equal(one.attempts(), 1);
  one.session.close();
});

Deno.test("session hands an owner's messages to the console, from the greeting to the end", async () => {
  const one = rig([(events) => {
    events.live(GREETING, LINK);
    events.owner({ type: "people-changed" });
    return Promise.resolve("silent");
  }]);
  one.session.start();
  await reached(one, "lost silent");
  assert.deepEqual(one.owner, ["attach", "people-changed", "detach"]);
  one.session.close();
});

Deno.test("session tells a guest when it ends, and opens no console for it", async () => {
  const access = { role: "guest", operations: ["view"], remainingSeconds: 60 } as const;
  const one = rig([(events, use) => {
    events.live({ ...GREETING, access }, LINK);
    return untilClosed(events, use);
  }]);
  const before = Date.now();
  one.session.start();
  await reached(one, "live");
  const state = one.session.state.value;
  assert.ok(state.phase === "live" && state.endsAt !== undefined);
  assert.ok(state.endsAt >= before + 60_000 && state.endsAt <= Date.now() + 60_000);
  assert.deepEqual(one.owner, []);
  one.session.close();
});

Deno.test("session that was kicked begins again when a person asks, and not by itself", async () => {
  const one = rig([fails("kicked"), live]);
  one.session.start();
  await reached(one, "closed kicked");
  assert.equal(one.attempts(), 1);
  one.session.retryNow();
  await reached(one, "live");
  one.session.close();
});

Deno.test("session whose grant has ended does not begin again", async () => {
  const one = rig([fails("grant_expired"), live]);
  one.session.start();
  await reached(one, "closed grant_expired");
  one.session.retryNow();
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.equal(one.attempts(), 1);
  one.session.close();
});

Deno.test("session takes a used claim as its own when the device knows the browser", async () => {
  const claims: boolean[] = [];
  const note = (then: Script): Script => async (events, use) => {
    claims.push(await use.claim());
    return then(events, use);
  };
  const one = rig([note(fails("claim_used")), note(live)], true);
  one.session.start();
  await reached(one, "live");
  assert.deepEqual(claims, [true, false]);
  one.session.close();
});

Deno.test("session says that the claim was used when another browser used it", async () => {
  const one = rig([fails("claim_used"), fails("not_paired")], true);
  one.session.start();
  await reached(one, "closed claim_used");
  one.session.close();
});

Deno.test("session retries nothing while nobody looks", async () => {
  const one = rig([fails("silent"), live]);
  one.page.hidden = true;
  one.session.start();
  await reached(one, "lost silent");
  const state = one.session.state.value;
  assert.ok(state.phase === "lost" && state.retryAt === undefined);
  assert.equal(one.attempts(), 1);
  one.page.shown!();
  await reached(one, "live");
  one.session.close();
});

Deno.test("session that is closed starts nothing more", async () => {
  const one = rig([live]);
  one.session.start();
  await reached(one, "live");
  one.session.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(one.attempts(), 1);
  assert.equal(one.session.state.value.phase, "live");
});

Deno.test("session ends a live connection whose bulk channel ended, and no other", async () => {
  const one = rig([untilClosed]);
  one.session.start();
  one.page.channelEnded!(false); // of the connection before
  assert.deepEqual(one.failures, []);
  one.session.close();
  const other = rig([live]);
  other.session.start();
  await reached(other, "live");
  other.page.channelEnded!(true);
  assert.deepEqual(other.failures.map(({ code }) => code), ["protocol"]);
  other.session.close();
});
