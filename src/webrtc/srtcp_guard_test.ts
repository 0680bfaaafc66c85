import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SrtcpSession } from "werift";
import { refuseReplays } from "./srtcp_guard.ts";

const PROFILE = 7; // AEAD_AES_128_GCM

/** Both ends of an SRTCP session of werift. */
function ends() {
  const [key, salt] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2)];
  const keys = {
    localMasterKey: key,
    localMasterSalt: salt,
    remoteMasterKey: key,
    remoteMasterSalt: salt,
  };
  const make = () => new SrtcpSession({ keys, profile: PROFILE });
  const [sender, receiver] = [make(), make()];
  refuseReplays(receiver);
  return { sender, receiver };
}

/** A receiver report without blocks (RFC 3550 6.4.2). */
const REPORT = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 9]);

Deno.test("SRTCP is taken once, in any order", () => {
  const { sender, receiver } = ends();
  const packets = Array.from({ length: 3 }, () => Buffer.from(sender.encrypt(REPORT)));
  for (const index of [2, 0, 1]) {
    assert.deepEqual(receiver.decrypt(Buffer.from(packets[index]!)), REPORT);
  }
  for (const packet of packets) {
    assert.throws(() => receiver.decrypt(Buffer.from(packet)), /here before/);
  }
});

Deno.test("forged SRTCP does not use a number up", () => {
  const { sender, receiver } = ends();
  const packet = Buffer.from(sender.encrypt(REPORT));
  const forged = Buffer.from(packet);
  forged[9]! ^= 1;
  assert.throws(() => receiver.decrypt(forged));
  assert.deepEqual(receiver.decrypt(packet), REPORT);
  assert.throws(() => receiver.decrypt(Buffer.alloc(3)));
});
