import assert from "node:assert/strict";
import { isLocalAddress } from "./network_path.ts";

const ADDRESSES: Record<string, boolean> = {
  "10.1.2.3": true,
  "127.0.0.1": true,
  "169.254.3.4": true,
  "172.15.0.1": false,
  "172.16.0.1": true,
  "172.31.255.1": true,
  "172.32.0.1": false,
  "192.168.1.20": true,
  "100.64.0.1": false,
  "203.0.113.5": false,
  "::1": true,
  "[fe80::1]": true,
  "fd12:3456::1": true,
  "2001:db8::1": false,
  "::ffff:192.168.1.1": true,
  "::ffff:203.0.113.5": false,
  "9b36eaac-bb2e.local": true,
  "": false,
};

for (const [address, local] of Object.entries(ADDRESSES)) {
  Deno.test(`"${address}" is ${local ? "an address at home" : "of the Internet"}`, () => {
    assert.equal(isLocalAddress(address), local);
  });
}
