import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CONTENT_HOST, Fixture, newIdentity, recordingLog, registration } from "./fixture.ts";
import { SHELL, SHELL_HOST } from "./fixture.ts";

const refused = (code: string) => ({ type: "refused", code });

/* ---- registration ---------------------------------------------------------------------------------------- */

Deno.test("a device registers by signing its challenge", async () => {
  const { log, lines } = recordingLog();
  await using fixture = await new Fixture({ log }).start();
  const identity = await newIdentity();
  const device = await fixture.device();
  const challenge = await device.next();
  assert.match(challenge.nonce, /^[\w-]{43}$/);
  const answer = await device.ask(await registration(identity, challenge));
  assert.deepEqual(answer, {
    type: "registered",
    iceServers: [{ urls: "stun:127.0.0.1:3478" }],
    shell: SHELL,
  });
  assert.ok(lines.includes(`device.registered {"device":"${identity.device}"}`));
});

Deno.test("each challenge is another", async () => {
  await using fixture = await new Fixture().start();
  const [first, second] = [await fixture.device(), await fixture.device()];
  assert.notEqual((await first.next()).nonce, (await second.next()).nonce);
});

Deno.test("a device with a signature of another key or another challenge is refused", async () => {
  await using fixture = await new Fixture().start();
  const [identity, other] = [await newIdentity(), await newIdentity()];
  for (
    const forge of [
      async (challenge: { nonce: string }) => ({
        ...await registration(other, challenge),
        key: (await registration(identity, challenge) as { key: string }).key,
      }),
      () => registration(identity, { nonce: "A".repeat(43) }),
    ]
  ) {
    const device = await fixture.device();
    const message = await forge(await device.next());
    assert.deepEqual(await device.ask(message), refused("bad_signature"));
    assert.equal(await device.ended, 1008);
  }
  assert.equal(
    (await (await fixture.browser()).ask({ type: "find", device: identity.device })).type,
    "absent",
  );
});

Deno.test("a device that does not answer its challenge is cut off", async () => {
  await using fixture = await new Fixture({ limits: { registerMs: 1 } }).start();
  const device = await fixture.device();
  assert.equal(await device.ended, 1008);
});

Deno.test("nothing but a registration is taken before it, and no second one after", async () => {
  await using fixture = await new Fixture().start();
  for (
    const early of [{ type: "presence", presence: "AA" }, { type: "send", peer: 1, sealed: "AA" }, {
      type: "find",
    }]
  ) {
    const device = await fixture.device();
    await device.next();
    assert.deepEqual(await device.ask(early), refused("malformed"));
    await device.ended;
  }
  const identity = await newIdentity();
  const device = await fixture.device();
  const message = await registration(identity, await device.next());
  await device.ask(message);
  assert.deepEqual(await device.ask(message), refused("malformed"));
});

Deno.test("a check that fails to run refuses the device and hurts nobody else", async () => {
  const verify = () => Promise.reject(new Error("Cannot verify: broken"));
  await using fixture = await new Fixture({ verify }).start();
  const device = await fixture.device();
  const message = await registration(await newIdentity(), await device.next());
  assert.deepEqual(await device.ask(message), refused("internal"));
  assert.equal((await fixture.get("/", { host: SHELL_HOST })).status, 200);
});

Deno.test("a second registration of a living device is refused and logged", async () => {
  const { log, lines } = recordingLog();
  await using fixture = await new Fixture({ log }).start();
  const identity = await newIdentity();
  const older = await fixture.registered(identity);
  const newer = await fixture.device();
  const answer = await newer.ask(await registration(identity, await newer.next()));
  assert.deepEqual(answer, refused("already_registered"));
  assert.ok(lines.includes(`device.possible_clone {"device":"${identity.device}"}`));
  await older.beat();
});

Deno.test("a registration replaces one whose connection is dead", async () => {
  await using fixture = await new Fixture({ limits: { clonePingMs: 1 } }).start();
  const identity = await newIdentity();
  const dead = await fixture.registered(identity, { autoPong: false });
  const device = await fixture.registered(identity);
  assert.equal(await dead.ended, 1006);
  const browser = await fixture.browser();
  assert.equal((await browser.ask({ type: "find", device: identity.device })).type, "found");
  browser.send({ type: "send", device: identity.device, sealed: "AA" });
  assert.equal((await device.next()).type, "deliver");
});

/* ---- delivery -------------------------------------------------------------------------------------------- */

Deno.test("a browser finds a device with its newest presence", async () => {
  await using fixture = await new Fixture().start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const browser = await fixture.browser();
  const find = { type: "find", device: identity.device };
  assert.deepEqual(await browser.ask(find), {
    type: "found",
    device: identity.device,
    presence: "cHJlc2VuY2U",
    iceServers: [{ urls: "stun:127.0.0.1:3478" }],
  });
  device.send({ type: "presence", presence: "AAAA" });
  await device.beat();
  assert.equal((await browser.ask(find)).presence, "AAAA");
});

Deno.test("a device that is not there is absent, also for a message", async () => {
  await using fixture = await new Fixture().start();
  const identity = await newIdentity();
  const browser = await fixture.browser();
  const absent = { type: "absent", device: identity.device };
  assert.deepEqual(await browser.ask({ type: "find", device: identity.device }), absent);
  assert.deepEqual(
    await browser.ask({ type: "send", device: identity.device, sealed: "AA" }),
    absent,
  );
});

Deno.test("a device that left is absent", async () => {
  await using fixture = await new Fixture().start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  device.webSocket.close();
  await fixture.until(({ devices }) => devices === 0);
  const browser = await fixture.browser();
  assert.equal((await browser.ask({ type: "find", device: identity.device })).type, "absent");
});

Deno.test("sealed messages go both ways, each browser under a number of its own", async () => {
  await using fixture = await new Fixture().start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const [one, two] = [await fixture.browser(), await fixture.browser()];
  one.send({ type: "send", device: identity.device, sealed: "AAAA" });
  assert.deepEqual(await device.next(), { type: "deliver", peer: 1, sealed: "AAAA" });
  two.send({ type: "send", device: identity.device, sealed: "BBBB" });
  assert.deepEqual(await device.next(), { type: "deliver", peer: 2, sealed: "BBBB" });
  one.send({ type: "send", device: identity.device, sealed: "CCCC" });
  assert.deepEqual(await device.next(), { type: "deliver", peer: 1, sealed: "CCCC" });
  device.send({ type: "send", peer: 2, sealed: "DDDD" });
  const { device: id } = identity;
  assert.deepEqual(await two.next(), { type: "deliver", device: id, sealed: "DDDD" });
  device.send({ type: "send", peer: 1, sealed: "EEEE" });
  assert.deepEqual(await one.next(), { type: "deliver", device: id, sealed: "EEEE" });
});

Deno.test("a device hears that a browser is gone, and its number is not used again", async () => {
  await using fixture = await new Fixture().start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const message = { type: "send", device: identity.device, sealed: "AAAA" };
  const one = await fixture.browser();
  one.send(message);
  assert.equal((await device.next()).peer, 1);
  one.terminate();
  assert.deepEqual(await device.next(), { type: "gone", peer: 1 });
  assert.deepEqual(
    await device.ask({ type: "send", peer: 1, sealed: "AA" }),
    refused("unknown_peer"),
  );
  (await fixture.browser()).send(message);
  assert.equal((await device.next()).peer, 2);
});

Deno.test("a device reaches only browsers that wrote to it", async () => {
  await using fixture = await new Fixture().start();
  const [identity, other] = [await newIdentity(), await newIdentity()];
  const device = await fixture.registered(identity);
  const stranger = await fixture.registered(other);
  const browser = await fixture.browser();
  browser.send({ type: "send", device: identity.device, sealed: "AAAA" });
  await device.next();
  const answer = await stranger.ask({ type: "send", peer: 1, sealed: "AAAA" });
  assert.deepEqual(answer, refused("unknown_peer"));
});

/* ---- limits ---------------------------------------------------------------------------------------------- */

Deno.test("messages that are malformed, binary or too large end the connection", async () => {
  await using fixture = await new Fixture().start();
  for (
    const text of ["", "{}", "[]", "null", '{"type":"find","device":"../x"}', "x".repeat(16_384)]
  ) {
    const browser = await fixture.browser();
    browser.webSocket.send(text);
    assert.deepEqual(await browser.next(), refused("malformed"));
    assert.equal(await browser.ended, 1008);
  }
  const binary = await fixture.browser();
  binary.webSocket.send(new Uint8Array(4));
  assert.deepEqual(await binary.next(), refused("malformed"));
  const large = await fixture.browser();
  large.webSocket.send("x".repeat(16_385));
  assert.equal(await large.ended, 1009);
});

Deno.test("a page's handshake with its candidates passes, a flood does not", async () => {
  await using fixture = await new Fixture({ monotonicNow: () => 0 }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const browser = await fixture.browser();
  for (let i = 0; i < 60; i++) {
    browser.send({ type: "send", device: identity.device, sealed: "AAAA" });
    assert.equal((await device.next()).type, "deliver");
  }
  browser.send({ type: "send", device: identity.device, sealed: "AAAA" });
  assert.deepEqual(await browser.next(), refused("too_many"));
  assert.equal(await browser.ended, 1008);
  assert.deepEqual(await device.next(), { type: "gone", peer: 1 });
});

Deno.test("browsers that are new to a device are limited, in all and from one address", async () => {
  const rate = { burst: 2, perSecond: 0 };
  const many = { burst: 9, perSecond: 0 };
  const cases = [
    { newPeers: rate, newPeersPerAddress: [many] },
    { newPeers: many, newPeersPerAddress: [rate] },
  ];
  for (const limits of cases) {
    await using fixture = await new Fixture({ limits }).start();
    const [identity, other] = [await newIdentity(), await newIdentity()];
    const device = await fixture.registered(identity);
    const message = { type: "send", device: identity.device, sealed: "AAAA" };
    const first = await fixture.browser();
    for (const browser of [first, await fixture.browser()]) {
      browser.send(message);
      assert.equal((await device.next()).type, "deliver");
    }
    const third = await fixture.browser();
    third.send(message);
    const find = { type: "find", device: identity.device };
    assert.deepEqual(await third.ask(find), refused("too_many"));
    assert.equal((await third.next()).type, "found");
    first.send(message); // those who are in go on
    assert.deepEqual(await device.next(), { type: "deliver", peer: 1, sealed: "AAAA" });
    await fixture.registered(other);
    assert.equal((await third.ask({ type: "find", device: other.device })).type, "found");
  }
});

Deno.test("a place beside a device is free again when its browser leaves", async () => {
  await using fixture = await new Fixture({ limits: { peersPerDevice: 1 } }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  for (let i = 1; i <= 3; i++) {
    const browser = await fixture.browser();
    browser.send({ type: "send", device: identity.device, sealed: "AAAA" });
    assert.equal((await device.next()).peer, i);
    browser.terminate();
    assert.deepEqual(await device.next(), { type: "gone", peer: i });
  }
});

Deno.test("a newcomer gets the place of the oldest browser of the fullest address", async () => {
  const options = { limits: { peersPerDevice: 3 }, trustedProxies: ["127.0.0.1"] };
  await using fixture = await new Fixture(options).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const message = { type: "send", device: identity.device, sealed: "AAAA" };
  const from = (address: string) =>
    fixture.browser({
      headers: { host: SHELL_HOST, origin: SHELL, "x-forwarded-for": address },
    });
  const [lone, first, second] = [
    await from("192.0.2.1"),
    await from("192.0.2.2"),
    await from("192.0.2.2"),
  ];
  for (const [index, browser] of [lone, first, second].entries()) {
    browser.send(message);
    assert.equal((await device.next()).peer, index + 1);
  }
  const newcomer = await from("192.0.2.3");
  newcomer.send(message);
  assert.deepEqual(await device.next(), { type: "gone", peer: 2 });
  assert.deepEqual(await device.next(), { type: "deliver", peer: 4, sealed: "AAAA" });
  assert.deepEqual(await first.next(), refused("too_many"));
  lone.send(message);
  assert.deepEqual(await device.next(), { type: "deliver", peer: 1, sealed: "AAAA" });
  first.send(message); // it may come again, as anybody: now each address has one
  assert.deepEqual(await device.next(), { type: "gone", peer: 1 });
  assert.deepEqual(await device.next(), { type: "deliver", peer: 5, sealed: "AAAA" });
});

Deno.test("who comes seldom gets in while others come as often as they may", async () => {
  const options = { monotonicNow: () => 0, trustedProxies: ["127.0.0.1"] };
  await using fixture = await new Fixture(options).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const message = { type: "send", device: identity.device, sealed: "AAAA" };
  const from = (address: string) =>
    fixture.browser({
      headers: { host: SHELL_HOST, origin: SHELL, "x-forwarded-for": address },
    });
  let refusals = 0;
  for (let i = 0; i < 300 && refusals === 0; i++) {
    const stranger = await from(`198.51.100.${i % 2}`);
    stranger.send(message);
    const next = await Promise.race([device.next(), stranger.next()]);
    if (next.type === "refused") refusals++;
    stranger.terminate();
    while (next.type === "deliver" && (await device.next()).type !== "gone");
  }
  assert.equal(refusals, 1, "nothing limits two addresses");
  const person = await from("192.0.2.1");
  person.send(message);
  assert.equal((await device.next()).type, "deliver");
});

/* ---- people whom the device knows ------------------------------------------------------------------------ */

/** What an offer with a tag of this byte looks like, in the least that tells. */
function offerOf(person: number): string {
  return Buffer.from([1, 0, 0, 0, 1, ...new Uint8Array(16).fill(person)]).toString("base64url");
}

/** The message of a device that knows these. */
function people(...persons: number[]): object {
  const tags = persons.flatMap((person) => [...new Uint8Array(8).fill(person)]);
  return { type: "people", tags: Buffer.from(tags).toString("base64url") };
}

Deno.test("people whom the device knows come past any crowd of strangers, and not past a device that forgot them", async () => {
  const options = { monotonicNow: () => 0, trustedProxies: ["127.0.0.1"] };
  await using fixture = await new Fixture(options).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  device.send(people(7, 8));
  await device.beat();
  const comes = async (person: number, address: string) => {
    const browser = await fixture.browser({
      headers: { host: SHELL_HOST, origin: SHELL, "x-forwarded-for": address },
    });
    browser.send({ type: "send", device: identity.device, sealed: offerOf(person) });
    const next = await Promise.race([device.next(), browser.next()]);
    return next.type;
  };
  let strangers = 0;
  while (await comes(1, `198.51.100.${strangers}`) === "deliver") strangers++;
  assert.equal(
    strangers,
    80,
    "each from an address of its own, as those of one IPv6 network may be",
  );
  assert.deepEqual([await comes(7, "192.0.2.1"), await comes(8, "192.0.2.1")], [
    "deliver",
    "deliver",
  ]);
  device.send(people(8));
  await device.beat();
  assert.deepEqual([await comes(7, "192.0.2.1"), await comes(8, "192.0.2.1")], [
    "refused",
    "deliver",
  ]);
});

Deno.test("a tag that many bear lets through as many as one person is, and the others as strangers", async () => {
  const limits = {
    offersOfPerson: { burst: 3, perSecond: 0 },
    newPeers: { burst: 1, perSecond: 0 },
  };
  await using fixture = await new Fixture({ limits }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  device.send(people(7));
  await device.beat();
  const outcomes: string[] = [];
  for (let count = 0; count < 5; count++) {
    const browser = await fixture.browser();
    browser.send({ type: "send", device: identity.device, sealed: offerOf(7) });
    outcomes.push((await Promise.race([device.next(), browser.next()])).type);
    browser.terminate();
    if (outcomes.at(-1) === "deliver") assert.equal((await device.next()).type, "gone");
  }
  assert.deepEqual(outcomes, ["deliver", "deliver", "deliver", "deliver", "refused"]);
});

Deno.test("strangers give way to each other and not in place of people, of whom nobody has more than a person's places", async () => {
  const limits = { peersPerDevice: 3, placesOfPerson: 2 };
  await using fixture = await new Fixture({ limits }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  device.send(people(7));
  await device.beat();
  const come = async (person: number) => {
    const browser = await fixture.browser();
    browser.send({ type: "send", device: identity.device, sealed: offerOf(person) });
    const gone = [];
    for (;;) {
      const next = await device.next();
      if (next.type === "deliver") return gone;
      gone.push(next.peer);
    }
  };
  const gone = [];
  for (const person of [7, 7, 1, 2, 7, 3]) gone.push(...await come(person));
  assert.deepEqual(gone, [3, 4, 5], "the third of the person counts as a stranger");
});

Deno.test("a stranger who is in makes one more offer like any stranger", async () => {
  const limits = { newPeers: { burst: 2, perSecond: 0 } };
  await using fixture = await new Fixture({ limits }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const browser = await fixture.browser();
  const send = (sealed: string) => browser.send({ type: "send", device: identity.device, sealed });
  for (const sealed of [offerOf(1), offerOf(2), "AAAA"]) {
    send(sealed);
    assert.deepEqual(await device.next(), { type: "deliver", peer: 1, sealed });
  }
  send(offerOf(3));
  const find = { type: "find", device: identity.device }; // an answer follows in any case
  assert.deepEqual(await browser.ask(find), refused("too_many"));
  assert.deepEqual(await device.next(), { type: "gone", peer: 1 });
});

Deno.test("a browser whose message was dropped is forgotten by the device", async () => {
  const limits = { peerCharacters: { burst: 4, perSecond: 0 } };
  await using fixture = await new Fixture({ limits }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const browser = await fixture.browser();
  browser.send({ type: "send", device: identity.device, sealed: "AAAA" });
  assert.equal((await device.next()).type, "deliver");
  browser.send({ type: "send", device: identity.device, sealed: "AAAA" });
  const find = { type: "find", device: identity.device }; // an answer follows in any case
  assert.deepEqual(await browser.ask(find), refused("too_many"));
  assert.deepEqual(await device.next(), { type: "gone", peer: 1 });
});

Deno.test("a device that floods is cut off", async () => {
  const limits = { deviceMessages: { burst: 3, perSecond: 0 } };
  await using fixture = await new Fixture({ limits }).start();
  const device = await fixture.registered(await newIdentity());
  for (let i = 0; i < 3; i++) device.send({ type: "presence", presence: "AA" });
  assert.deepEqual(await device.next(), refused("too_many"));
});

Deno.test("a peer that floods with pings is cut off", async () => {
  const limits = { pings: { burst: 1, perSecond: 0 } };
  await using fixture = await new Fixture({ limits }).start();
  const browser = await fixture.browser();
  await browser.beat();
  browser.webSocket.ping();
  assert.deepEqual(await browser.next(), refused("too_many"));
});

Deno.test("registrations from one address are limited before any signature is checked", async () => {
  let checks = 0;
  const verify = () => Promise.resolve(++checks > 0);
  const limits = { registrationsPerAddress: { burst: 1, perSecond: 0 } };
  await using fixture = await new Fixture({ verify, limits }).start();
  await fixture.registered(await newIdentity());
  const second = await fixture.device();
  const message = await registration(await newIdentity(), await second.next());
  assert.deepEqual(await second.ask(message), refused("too_many"));
  assert.equal(checks, 1);
});

Deno.test("sockets beyond the limits are turned away, and places come free", async () => {
  for (const limits of [{ browsers: 1 }, { browsersPerAddress: 1 }]) {
    await using fixture = await new Fixture({ limits }).start();
    const headers = { host: SHELL_HOST, origin: SHELL };
    const first = await fixture.browser();
    assert.equal(await fixture.refusal("/v1/browser", headers), 503);
    await fixture.device(); // counted apart
    assert.deepEqual(fixture.rendezvous.counts().browsers, 1);
    first.terminate();
    await first.ended;
    await fixture.until(({ browsers }) => browsers === 0);
    await fixture.browser();
  }
});

Deno.test("a newcomer gets a socket of the address that has the most", async () => {
  const options = { limits: { browsers: 3 }, trustedProxies: ["127.0.0.1"] };
  await using fixture = await new Fixture(options).start();
  const from = (address: string) =>
    fixture.browser({
      headers: { host: SHELL_HOST, origin: SHELL, "x-forwarded-for": address },
    });
  const crowd = [await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.1")];
  const newcomer = await from("192.0.2.2");
  assert.equal(await crowd[0]!.ended, 1006);
  assert.equal(fixture.rendezvous.counts().browsers, 3);
  assert.equal(newcomer.webSocket.readyState, newcomer.webSocket.OPEN);
  const headers = { host: SHELL_HOST, origin: SHELL, "x-forwarded-for": "192.0.2.2" };
  assert.equal(await fixture.refusal("/v1/browser", headers), 503); // two would be as many as theirs
});

Deno.test("a silent peer that answers no ping is cut off, one that answers stays", async () => {
  const limits = { browserIdleMs: 5, pingMs: 1000 };
  await using fixture = await new Fixture({ limits }).start();
  const browser = await fixture.browser();
  const pings = (count: number) =>
    new Promise<void>((resolve) => browser.webSocket.on("ping", () => --count === 0 && resolve()));
  await pings(3);
  assert.equal(browser.webSocket.readyState, browser.webSocket.OPEN);
  await using dead = await new Fixture({ limits: { ...limits, pingMs: 1 } }).start();
  assert.equal(await (await dead.browser({ autoPong: false })).ended, 1006);
});

Deno.test("a device that was silent for long is asked for life when somebody wants it", async () => {
  let now = 0;
  const limits = { pingMs: 1 };
  await using fixture = await new Fixture({ limits, monotonicNow: () => now }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity, { autoPong: false });
  const browser = await fixture.browser();
  now = 120_000;
  assert.equal((await browser.ask({ type: "find", device: identity.device })).type, "found");
  assert.equal(await device.ended, 1006);
});

Deno.test("a device that pings gets new credentials when half their life is over", async () => {
  let now = 1_000_000;
  const ice = { stunUrls: [], turn: { urls: ["turn:127.0.0.1:3478"], secret: "north" } };
  await using fixture = await new Fixture({ ice, now: () => now, monotonicNow: () => now }).start();
  const device = await fixture.registered(await newIdentity());
  now += 11 * 3_600_000;
  await device.beat();
  now += 2 * 3_600_000;
  await device.beat();
  const { type, iceServers } = await device.next();
  assert.equal(type, "ice-servers");
  assert.match(iceServers[0].username, new RegExp(`^${1000 + 13 * 3600 + 86_400}:[0-9a-f]{16}$`));
});

Deno.test("each session has relay credentials of its own, for the browser and for the device", async () => {
  let now = 1_000_000;
  const ice = { stunUrls: [], turn: { urls: ["turn:127.0.0.1:3478"], secret: "north" } };
  await using fixture = await new Fixture({ ice, now: () => now, monotonicNow: () => now }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const names = new Set<string>();
  for (let visit = 0; visit < 2; visit++) {
    now += 2 * 60_000;
    const browser = await fixture.browser();
    const found = await browser.ask({ type: "find", device: identity.device });
    names.add(found.iceServers[0].username);
    browser.send({ type: "send", device: identity.device, sealed: "AAAA" });
    const list = await device.next();
    assert.equal(list.type, "ice-servers");
    names.add(list.iceServers[0].username);
    assert.equal((await device.next()).type, "deliver");
    browser.send({ type: "send", device: identity.device, sealed: "AAAA" });
    assert.equal((await device.next()).type, "deliver");
  }
  assert.equal(names.size, 4);
});

/* ---- who may dial ---------------------------------------------------------------------------------------- */

Deno.test("browsers come from the shell's page only, devices from no page at all", async () => {
  await using fixture = await new Fixture().start();
  const shell = { host: SHELL_HOST, origin: SHELL };
  const content = `http://${CONTENT_HOST}`;
  const table = [
    ["/v1/browser", { host: SHELL_HOST }, 403],
    ["/v1/browser", { ...shell, origin: content }, 403],
    ["/v1/browser", { ...shell, origin: "null" }, 403],
    ["/v1/browser", { ...shell, origin: SHELL + ".evil.example" }, 403],
    ["/v1/browser", { ...shell, host: CONTENT_HOST }, 404],
    ["/v1/browser", { ...shell, host: "evil.example" }, 421],
    ["/v1/browser?x", shell, 404],
    ["/v1/device", { host: SHELL_HOST, origin: content }, 403],
    ["/v1/device", shell, 403],
    ["/v1/device", { host: CONTENT_HOST }, 404],
    ["/", shell, 404],
  ] as const;
  for (const [path, headers, status] of table) {
    assert.equal(
      await fixture.refusal(path, headers),
      status,
      `${path} ${JSON.stringify(headers)}`,
    );
  }
  await fixture.device({ headers: { host: "any.name.example" } });
  await fixture.browser();
});

Deno.test("closing ends every connection", async () => {
  const fixture = await new Fixture().start();
  const [device, browser] = [
    await fixture.registered(await newIdentity()),
    await fixture.browser(),
  ];
  await fixture.rendezvous.close();
  assert.deepEqual(await Promise.all([device.ended, browser.ended]), [1006, 1006]);
});

Deno.test("the log of a conversation holds neither keys nor sealed text", async () => {
  const { log, lines } = recordingLog();
  await using fixture = await new Fixture({ log }).start();
  const identity = await newIdentity();
  const device = await fixture.registered(identity);
  const browser = await fixture.browser();
  browser.send({ type: "send", device: identity.device, sealed: "SECRETAA" });
  assert.equal((await device.next()).sealed, "SECRETAA");
  assert.doesNotMatch(lines.join("\n"), /SECRET|cHJlc2VuY2U|127\.0\.0\.1:3478/);
});
