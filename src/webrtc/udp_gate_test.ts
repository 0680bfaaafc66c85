import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CREDENTIALS, request } from "./testing/requests.ts";
import { Gate, MAX_ADDRESSES, MAX_REQUESTS_PER_SECOND } from "./udp_gate.ts";

const HELLO = Buffer.from([22, 0xfe, 0xfd]);
const MEDIA = Buffer.from([0x80, 96]);
const from = (port: number, now = 0) => ({ address: "192.0.2.1", port, now });

Deno.test("an address may speak after a request with names and password, and no other may", () => {
  const gate = new Gate(() => CREDENTIALS);
  assert.equal(gate.admit(HELLO, from(1)), undefined);
  assert.equal(gate.admit(request(), from(1)), "request");
  assert.equal(gate.admit(HELLO, from(1)), "dtls");
  assert.equal(gate.admit(MEDIA, from(1)), "media");
  assert.equal(gate.admit(MEDIA, from(2)), undefined);
  assert.equal(gate.admit(MEDIA, { ...from(1), address: "192.0.2.2" }), undefined);
  assert.deepEqual(gate.stats, {
    passed: 3,
    unknown: 0,
    unauthenticated: 0,
    unasked: 0,
    strangers: 3,
    flood: 0,
  });
});

Deno.test("a request with a wrong name, a wrong password or none does not pass", () => {
  const gate = new Gate(() => CREDENTIALS);
  const bare = Buffer.from("000100002112a442000000000000000000000000", "hex");
  const wrong = [
    bare,
    request("ours:others"),
    request("ours"),
    request("others:theirs"),
    request("ours:theirs", "guess"),
  ];
  for (const message of wrong) assert.equal(gate.admit(message, from(1)), undefined);
  assert.equal(gate.stats.unauthenticated, wrong.length);
  assert.ok(!gate.trusts("192.0.2.1", 1));
});

Deno.test("nobody passes before the other end's name is known", () => {
  const gate = new Gate(() => ({ ...CREDENTIALS, remoteUfrag: "" }));
  assert.equal(gate.admit(request("ours:"), from(1)), undefined);
});

Deno.test("an answer passes while its question waits", () => {
  const gate = new Gate(() => CREDENTIALS);
  const answer = Buffer.from("010100002112a4420102030405060708090a0b0c", "hex");
  assert.equal(gate.admit(answer, from(1)), undefined);
  gate.ask("0102030405060708090a0b0c");
  assert.equal(gate.admit(answer, from(1)), "response");
  assert.equal(gate.admit(HELLO, from(1)), undefined); // werift has not verified it yet
  gate.settle("0102030405060708090a0b0c");
  assert.equal(gate.admit(answer, from(1)), undefined);
});

Deno.test("requests with the right names are looked at only so often, and again later", () => {
  const gate = new Gate(() => CREDENTIALS);
  const guess = request("ours:theirs", "guess");
  for (let i = 0; i < 2 * MAX_REQUESTS_PER_SECOND; i++) gate.admit(guess, from(1, 0));
  assert.equal(gate.stats.unauthenticated, MAX_REQUESTS_PER_SECOND);
  assert.equal(gate.stats.flood, MAX_REQUESTS_PER_SECOND);
  assert.equal(gate.admit(request(), from(1, 0)), undefined);
  assert.equal(gate.admit(request(), from(1, 100)), "request");
});

Deno.test("requests with wrong names cost the right ones nothing", () => {
  const gate = new Gate(() => CREDENTIALS);
  const stranger = request("ours:guess");
  for (let i = 0; i < 2 * MAX_REQUESTS_PER_SECOND; i++) gate.admit(stranger, from(1, 0));
  assert.equal(gate.admit(request(), from(1, 0)), "request");
});

Deno.test("a browser with very many addresses is heard from the first ones", () => {
  const gate = new Gate(() => CREDENTIALS);
  for (let port = 1; port <= MAX_ADDRESSES; port++) {
    assert.equal(gate.admit(request(), from(port, port * 10)), "request");
  }
  const now = 10 * MAX_ADDRESSES;
  assert.equal(gate.admit(request(), from(0, now)), undefined);
  assert.equal(gate.admit(request(), from(1, now)), "request");
});

Deno.test("an address that is another session's does not pass", () => {
  const gate = new Gate(() => CREDENTIALS, (_, port) => port !== 7);
  assert.equal(gate.admit(request(), from(7)), undefined);
  assert.equal(gate.admit(HELLO, from(7)), undefined);
  assert.equal(gate.admit(request(), from(8)), "request");
});
