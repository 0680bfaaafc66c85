/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { BridgeDouble, ClientsDouble } from "../testing/bridge_double.ts";
import { Bridges } from "./bridges.ts";

const HOUR = 3_600_000;
const PATIENT = { pong: 20, appear: HOUR, lookAgain: HOUR, trusted: HOUR };

Deno.test("Bridges finds the bridge among other frames of the origin", async () => {
  const page = new BridgeDouble("page", () => {}, "/index.html");
  const bridge = new BridgeDouble("bridge");
  const found = await new Bridges(new ClientsDouble([page, bridge]), PATIENT).find();
  assert.equal(found?.id, "bridge");
  assert.equal(found?.title, "Title bridge");
  assert.equal(page.pings, 0);
});

Deno.test("Bridges asks the next bridge when one does not answer", async () => {
  const silent = new BridgeDouble("silent");
  silent.alive = false;
  const clients = new ClientsDouble([silent, new BridgeDouble("second")]);
  assert.equal((await new Bridges(clients, PATIENT).find())?.id, "second");
  assert.equal(silent.pings, 1);
});

Deno.test("Bridges passes over a bridge without a session, and asks again after a disappointment", async () => {
  const idle = new BridgeDouble("idle");
  idle.session = false;
  const second = new BridgeDouble("second");
  const bridges = new Bridges(new ClientsDouble([idle, second]), { ...PATIENT, pong: HOUR });
  assert.equal((await bridges.find())?.id, "second");
  idle.session = true;
  second.session = false;
  bridges.distrust();
  assert.equal((await bridges.find())?.id, "idle");
});

Deno.test("Bridges trusts an answer for a while, but not a frame that is gone", async () => {
  const first = new BridgeDouble("first");
  const clients = new ClientsDouble([first, new BridgeDouble("second")]);
  const bridges = new Bridges(clients, PATIENT);
  await bridges.find();
  await bridges.find();
  assert.equal(first.pings, 1);
  clients.list.shift();
  assert.equal((await bridges.find())?.id, "second");
});

Deno.test("Bridges holds a request until a bridge says that it is ready", async () => {
  const clients = new ClientsDouble([]);
  const bridges = new Bridges(clients, PATIENT);
  const found = bridges.find();
  await new Promise((resolve) => setTimeout(resolve)); // it looked and found nothing
  clients.list.push(new BridgeDouble("late"));
  bridges.ready();
  assert.equal((await found)?.id, "late");
});

Deno.test("Bridges looks again by itself", async () => {
  const clients = new ClientsDouble([]);
  const found = new Bridges(clients, { ...PATIENT, lookAgain: 5 }).find();
  setTimeout(() => clients.list.push(new BridgeDouble("late")), 20);
  assert.equal((await found)?.id, "late");
});

Deno.test("Bridges gives up after its limit", async () => {
  const bridges = new Bridges(new ClientsDouble([]), { ...PATIENT, appear: 10 });
  assert.equal(await bridges.find(), undefined);
});

Deno.test("Bridges asks the last bridge for a sign of life, even one that is not trusted any more", async () => {
  const bridge = new BridgeDouble("bridge");
  const bridges = new Bridges(new ClientsDouble([bridge]), PATIENT);
  bridges.beat();
  assert.equal(bridge.beats, 0);
  await bridges.find();
  bridges.beat();
  bridges.distrust();
  bridges.beat();
  assert.equal(bridge.beats, 2);
});

Deno.test("Bridges learns where the shell is, and nothing from a bridge that does not say", async () => {
  const double = new BridgeDouble("bridge");
  const bridges = new Bridges(new ClientsDouble([double]), PATIENT);
  const bridge = await bridges.find();
  for (
    const [said, heard] of [["https://shell/#/d", "https://shell/#/d"], [7, ""], [undefined, ""]]
  ) {
    double.address = said;
    assert.equal(await bridges.where(bridge!), heard);
  }
});
