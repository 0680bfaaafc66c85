import assert from "node:assert/strict";
import { addressGroup, clientAddress } from "./address.ts";

Deno.test("addresses are counted by IPv4 address and by IPv6 /64", () => {
  const groups = [
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:10.0.0.7", "10.0.0.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    [undefined, "unknown"],
    ["", "unknown"],
  ] as const;
  for (const [address, group] of groups) assert.equal(addressGroup(address), group);
});

Deno.test("a forwarded address counts only from a trusted proxy, and only its last entry", () => {
  const proxies = new Set(["127.0.0.1"]);
  assert.equal(clientAddress("127.0.0.1", "6.6.6.6, 9.9.9.9", proxies), "9.9.9.9");
  assert.equal(clientAddress("10.0.0.1", "9.9.9.9", proxies), "10.0.0.1");
  assert.equal(clientAddress("127.0.0.1", "evil\u0007", proxies), "127.0.0.1");
  assert.equal(clientAddress("127.0.0.1", undefined, proxies), "127.0.0.1");
});
