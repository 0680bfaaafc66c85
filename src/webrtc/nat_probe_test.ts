// NATs are imagined: sockets whose answers say what a server behind such a NAT would see.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { askStun, natKind } from "./nat_probe.ts";
import type { OpenSocket } from "./udp_ports.ts";

const SERVER = { host: "192.0.2.1", port: 3478 };
const OTHER = { host: "192.0.2.2", port: 3479 };
const PUBLIC = "203.0.113.9";

type Nat = Readonly<{
  /** Port that a destination sees. */
  port(host: string, port: number): number;
  /** Whether an answer from elsewhere comes through: RFC 5780's flags. */
  lets(change: number): boolean;
}>;

function attribute(type: number, [host, port]: readonly [string, number]): Buffer {
  const value = Buffer.from([
    0,
    0,
    0,
    8,
    0,
    1,
    port >> 8,
    port & 255,
    ...host.split(".").map(Number),
  ]);
  value.writeUInt16BE(type, 0);
  return value;
}

/** With `other`, the server knows RFC 5780. */
function behind(nat: Nat, { other = true } = {}): OpenSocket {
  return ({ receive }) =>
    Promise.resolve({
      port: 40_000,
      errors: 0,
      send: (request, host, port) => {
        const bytes = Buffer.from(request);
        const change = bytes.length > 20 ? bytes.readUInt32BE(24) : 0;
        if (change !== 0 && !nat.lets(change)) return;
        const attributes = [attribute(1, [PUBLIC, nat.port(host, port)])];
        if (other) attributes.push(attribute(0x802c, [OTHER.host, OTHER.port]));
        const body = Buffer.concat(attributes);
        const head = Buffer.from("010100002112a442", "hex");
        head.writeUInt16BE(body.length, 2);
        queueMicrotask(() =>
          receive(Buffer.concat([head, bytes.subarray(8, 20), body]), host, port)
        );
      },
      close: () => Promise.resolve(),
    });
}

const MAPPINGS: Record<string, Nat["port"]> = {
  "endpoint-independent": () => 50_000,
  "address-dependent": (host) => 50_000 + Number(host.at(-1)),
  "port-dependent": (host, port) => 50_000 + Number(host.at(-1)) * 10 + port - 3478,
};
const FILTERS: Record<string, Nat["lets"]> = {
  "endpoint-independent": () => true,
  "address-dependent": (change) => change === 2,
  "port-dependent": () => false,
};

for (const [mapping, port] of Object.entries(MAPPINGS)) {
  Deno.test(`a NAT whose mapping is ${mapping} is told`, async () => {
    const kind = await natKind([SERVER], behind({ port, lets: () => true }));
    assert.deepEqual(kind, { mapping, filtering: "endpoint-independent" });
  });
}

for (const [filtering, lets] of Object.entries(FILTERS)) {
  Deno.test(`a NAT whose filtering is ${filtering} is told`, async () => {
    const kind = await natKind([SERVER], behind({ port: () => 50_000, lets }));
    assert.deepEqual(kind, { mapping: "endpoint-independent", filtering });
  });
}

Deno.test("two servers without RFC 5780 tell the mapping, one tells nothing", async () => {
  for (const mapping of ["endpoint-independent", "address-dependent"]) {
    const socket = behind({ port: MAPPINGS[mapping]!, lets: () => false }, { other: false });
    assert.deepEqual(await natKind([SERVER, OTHER], socket), { mapping, filtering: "unknown" });
  }
  const socket = behind({ port: () => 50_000, lets: () => false }, { other: false });
  assert.deepEqual(await natKind([SERVER], socket), { mapping: "unknown", filtering: "unknown" });
});

Deno.test("answers that are cut, or of another question, say nothing", async () => {
  const liar: OpenSocket = ({ receive }) =>
    Promise.resolve({
      port: 1,
      errors: 0,
      send: (request, host, port) => {
        const answer = Buffer.concat([
          Buffer.from("010100ff2112a442", "hex"),
          request.subarray(8, 20),
          Buffer.from("0020ffff0001", "hex"),
        ]);
        for (let length = 0; length <= answer.length; length++) {
          receive(answer.subarray(0, length), host, port);
        }
        receive(
          Buffer.from("0101000021 12a442000000000000000000000000".replace(" ", ""), "hex"),
          host,
          port,
        );
      },
      close: () => Promise.resolve(),
    });
  assert.equal(await askStun(SERVER, liar), undefined);
});
