import assert from "node:assert/strict";
import { readIceServers } from "./ice_servers.ts";

const login = { username: "1:a", credential: "b" };

Deno.test("several STUN and TURN servers are read, each with its transport and its port", () => {
  const { reflexive, relays } = readIceServers([
    { urls: "stun:stun.example" },
    { urls: "stun:[2001:db8::1]:3479" },
    { urls: "turn:turn.example", ...login },
    { urls: "turn:192.0.2.1:80?transport=tcp", ...login },
    { urls: "turns:turn.example:443?transport=tcp", ...login },
    { urls: "turns:turn.example", ...login },
  ]);
  assert.deepEqual(reflexive, [
    { host: "stun.example", port: 3478 },
    { host: "2001:db8::1", port: 3479 },
  ]);
  assert.deepEqual(relays.map(({ host, port, transport }) => [host, port, transport]), [
    ["turn.example", 3478, "udp"],
    ["192.0.2.1", 80, "tcp"],
    ["turn.example", 443, "tls"],
    ["turn.example", 5349, "tls"],
  ]);
  assert.deepEqual({ ...relays[0], ...login }, relays[0]);
});

Deno.test("a server that cannot be used costs no other", () => {
  const { reflexive, relays } = readIceServers([
    { urls: "http://stun.example" },
    { urls: "stun:" },
    { urls: "stun:a b" },
    { urls: "stun:stun.example:0" },
    { urls: "stun:stun.example:65536" },
    { urls: "stuns:stun.example" },
    { urls: "turn:no.login.example" },
    { urls: "turns:turn.example?transport=udp", ...login },
  ]);
  assert.deepEqual([reflexive, relays], [[], []]);
});

Deno.test("no more than eight servers are looked at, whatever a rendezvous sends", () => {
  const servers = Array.from({ length: 100 }, (_, i) => ({ urls: `stun:s${i}.example` }));
  assert.equal(readIceServers(servers).reflexive.length, 8);
});
