import assert from "node:assert/strict";
import { concat, toBase64Url } from "../lib/bytes.ts";
import { deviceId, deviceIdText, keyId, parseDeviceId } from "./key_id.ts";
import { newSigner } from "./test_ends.ts";

Deno.test("device id has 26 characters and reads back; nothing else does", async () => {
  const id = await deviceId((await newSigner()).publicKey);
  const text = deviceIdText(id);
  assert.match(text, /^[a-z2-7]{26}$/);
  assert.deepEqual(parseDeviceId(text), id);
  const bad = [
    "",
    text.slice(1),
    `${text}a`,
    text.toUpperCase(),
    text.slice(1) + "1",
    "a".repeat(25) + "b",
  ];
  for (const other of bad) assert.throws(() => parseDeviceId(other), SyntaxError, other);
  assert.throws(() => deviceIdText(concat(id, id)), RangeError);
});

Deno.test("ids of keys have the domains of security.md 1.2", async () => {
  const key = new Uint8Array(32).fill(7);
  const hash = async (domain: string) => {
    const bytes = concat(new TextEncoder().encode(domain), key);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  };
  assert.deepEqual(await deviceId(key), (await hash("porthole/dev/v1")).slice(0, 16));
  assert.deepEqual(await keyId(key), (await hash("porthole/kid/v1")).slice(0, 8));
  assert.notEqual(toBase64Url(await keyId(key)), toBase64Url((await deviceId(key)).slice(0, 8)));
});
