import assert from "node:assert/strict";
import { Places, type Sitter, type Turn } from "./places.ts";
import type { Guest } from "./grants.ts";
import type { Way } from "./entrance.ts";

/** Places of an agent that takes 16, whose sessions let go when they are asked, or only later. */
function hotel({ rooms = 16, letsGo = true } = {}) {
  const asked: Sitter[] = [];
  const now = { ms: 0 };
  let taken = 0;
  const leave = (session: Sitter) => {
    taken--;
    places.leave(session);
  };
  const places: Places<Sitter> = new Places<Sitter>({
    monotonic: () => now.ms,
    hasRoom: () => taken < rooms,
    dismiss: (session) => {
      asked.push(session);
      if (letsGo) leave(session);
    },
  });
  const come = async (session: Sitter): Promise<Turn<Sitter>["kind"]> => {
    for (;;) {
      const turn = places.turn(session);
      if (turn.kind === "busy") return "busy";
      if (turn.kind === "taken") {
        if (await places.vacate(turn.by)) continue;
        return "busy";
      }
      taken++;
      places.take(session);
      return "free";
    }
  };
  const enter = async (session: Sitter) => {
    assert.equal(await come(session), "free", session.holder);
    places.prove(session);
    return session;
  };
  return { places, asked, come, enter, leave };
}

function sitter(holder: string, way: Way = { kind: "owner" }): Sitter {
  return { holder, way, handshake: {} };
}

let grants = 0;

function guest(holder: string): Sitter {
  const grant = { id: new Uint8Array([++grants >> 8, grants]) };
  return sitter(holder, { kind: "guest", guest: { grant } as unknown as Guest });
}

Deno.test("places: an owner's fifth session takes the place of its first, and of nobody else's", async () => {
  const { asked, enter } = hotel();
  await enter(sitter("good"));
  const first = await enter(sitter("bad"));
  for (let i = 1; i < 4; i++) await enter(sitter("bad"));
  assert.deepEqual(asked, []);
  await enter(sitter("bad"));
  assert.deepEqual(asked, [first]);
});

Deno.test("places: when the agent is full, whoever has most gives its oldest to an owner", async () => {
  const { asked, enter } = hotel({ rooms: 8 });
  const first = await enter(sitter("b"));
  await enter(sitter("a"));
  for (const holder of ["b", "b", "b", "a", "a", "c"]) await enter(sitter(holder));
  await enter(sitter("d"));
  assert.deepEqual(asked, [first]);
  await enter(sitter("d"));
  assert.equal(asked[1]!.holder, "a", "of equals the one who came first");
});

Deno.test("places: guests never use up what owners need, and no owner its only place", async () => {
  const { asked, come, enter } = hotel({ rooms: 4 });
  for (let i = 0; i < 4; i++) await enter(guest(`guest ${i}`));
  assert.equal(await come(guest("late")), "busy");
  for (let i = 0; i < 4; i++) await enter(sitter(`owner ${i}`));
  assert.deepEqual(asked.map(({ holder }) => holder), ["guest 0", "guest 1", "guest 2", "guest 3"]);
  assert.equal(await come(sitter("owner 4")), "busy");
  await enter(sitter("owner 0"));
  assert.deepEqual(asked.slice(4).map(({ holder }) => holder), ["owner 0"], "its own gives way");
});

Deno.test("places: guests and claims do not keep each other out, nor owners", async () => {
  const { come } = hotel();
  for (let i = 0; i < 4; i++) assert.equal(await come(guest(`guest ${i}`)), "free");
  assert.equal(await come(guest("one more")), "busy");
  const claim = (i: number) => ({
    ...sitter(`claim ${i}`, { kind: "claim" }),
    handshake: { claim: { id: new Uint8Array([i]) } },
  });
  for (let i = 0; i < 4; i++) assert.equal(await come(claim(i)), "free");
  assert.equal(await come(claim(4)), "busy");
  assert.equal(await come(sitter("owner")), "free");
});

Deno.test("places: one browser of a guest waits with one offer, the newest", async () => {
  const { asked, come } = hotel();
  const first = guest("guest");
  assert.equal(await come(first), "free");
  assert.equal(await come(guest("guest")), "free");
  assert.deepEqual(asked, [first]);
});

Deno.test("places: a newcomer waits until whoever gives way has let go, and not for ever", async () => {
  const { asked, come, enter, leave } = hotel({ rooms: 2, letsGo: false });
  await enter(sitter("a"));
  await enter(sitter("a"));
  const [b, c] = [come(sitter("b")), come(sitter("c"))];
  assert.equal(asked.length, 1, "one is asked, and both wait");
  leave(asked[0]!);
  assert.deepEqual((await Promise.all([b, c])).toSorted(), ["busy", "free"]);
});
