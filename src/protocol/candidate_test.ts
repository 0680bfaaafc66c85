import assert from "node:assert/strict";
import { candidateAddressKind, isCandidate } from "./candidate.ts";

const TABLE: readonly (readonly [kind: "ip" | "mdns" | undefined, text: string])[] = [
  // Chromium 156, default and with its addresses shown
  [
    "mdns",
    "candidate:4176306250 1 udp 2113937151 54157040-53a9-4a1e-a5e6-a8d41705ab3a.local 48391 typ host" +
    " generation 0 ufrag EOXU network-cost 999",
  ],
  [
    "ip",
    "candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0 ufrag EOXU" +
    " network-id 1 network-cost 10",
  ],
  ["ip", "candidate:1 1 tcp 1518280447 192.168.0.196 9 typ host tcptype active generation 0"],
  [
    "ip",
    "candidate:842163049 1 udp 1677729535 203.0.113.7 46243 typ srflx raddr 0.0.0.0 rport 0" +
    " generation 0 ufrag EOXU network-cost 999",
  ],
  // Firefox
  ["ip", "candidate:0 1 UDP 2122252543 2001:db8::7 56804 typ host"],
  // werift 0.25.2
  [
    "ip",
    "candidate:626da4e5384a0ce2d0d93678a 1 udp 2116026367 127.0.0.1 33494 typ host generation 0 ufrag A/Yq3dsT",
  ],
  ["ip", "candidate:59afe9901aaa0f5cc9c9b5eea 1 udp 2116026367 ::1 40706 typ host"],
  // hostile
  [undefined, ""],
  [undefined, "candidate:"],
  [undefined, "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host"],
  [undefined, "candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=ice-lite"],
  [undefined, "candidate:1 1 udp 1 192.0.2.1 5000 typ host\n"],
  [undefined, "\ncandidate:1 1 udp 1 192.0.2.1 5000 typ host"],
  [undefined, "candidate:1 1 udp 1 192.0.2.1 5000 typ host dangling"],
  [undefined, "candidate:1 1 udp 1 192.0.2.1 5000 typ magic"],
  [undefined, "candidate:1 1 sctp 1 192.0.2.1 5000 typ host"],
  [undefined, "candidate:1 1 udp 1 256.0.2.1 5000 typ host"],
  [undefined, "candidate:1 1 udp 1 1.2.3 5000 typ host"],
  [undefined, "candidate:1 1 udp 1 metadata.google.internal 80 typ host"],
  [undefined, "candidate:1 1 udp 1 a.b.local 5000 typ host"],
  [undefined, "candidate:1 1 udp 1 192.0.2.1 500000 typ host"],
  [undefined, "candidate:1 1 udp 1 fe80::1%eth0 5000 typ host"],
  [undefined, `candidate:${"1".repeat(33)} 1 udp 1 192.0.2.1 5000 typ host`],
  [undefined, `candidate:1 1 udp 1 192.0.2.1 5000 typ host x ${"y".repeat(256)}`],
];

for (const [kind, text] of TABLE) {
  Deno.test(`candidate ${JSON.stringify(text.slice(0, 90))} is ${kind ?? "refused"}`, () => {
    assert.equal(candidateAddressKind(text), kind);
    assert.equal(isCandidate(text), kind !== undefined);
  });
}
