import assert from "node:assert/strict";
import { iceServersAt, turnCredential } from "./ice_servers.ts";

Deno.test("TURN credentials are what coturn computes from the shared secret", () => {
  // printf '%s' '1735689600:porthole' | openssl dgst -sha1 -hmac north -binary | base64
  assert.deepEqual(turnCredential("north", { expires: 1735689600, label: "porthole" }), {
    username: "1735689600:porthole",
    credential: "02EEtKJracD32jCyAghfN4qbZek=",
  });
});

Deno.test("the ICE list names STUN first and gives every TURN URL the same fresh credentials", () => {
  const configuration = {
    stunUrls: ["stun:a:3478"],
    turn: { urls: ["turn:b:3478", "turns:b:5349?transport=tcp"], secret: "north" },
  };
  const [stun, udp, tls] = iceServersAt(configuration, 1_000_500);
  assert.deepEqual(stun, { urls: "stun:a:3478" });
  assert.match(udp!.username!, /^87400:[0-9a-f]{16}$/);
  assert.deepEqual({ ...tls, urls: "" }, { ...udp, urls: "" });
  assert.notEqual(iceServersAt(configuration, 1_000_500)[1]!.username, udp!.username);
});

Deno.test("without a relay the ICE list holds STUN servers only", () => {
  assert.deepEqual(iceServersAt({ stunUrls: [] }, 0), []);
});
