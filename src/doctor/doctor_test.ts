// Rules of the doctor on imagined devices; `tests/contract/doctor_test.ts` has a real one.
import assert from "node:assert/strict";
import { diagnose } from "./doctor.ts";
import { bad, badLegs, type Finding, good } from "./finding.ts";
import type { DoctorParts, NatKind } from "./parts.ts";

const NOW = Date.UTC(2026, 0, 2);
const STUN = { host: "stun.example", port: 3478 };
const RELAY = { host: "turn.example", port: 3478, transport: "udp" } as const;
const OPEN_NAT: NatKind = {
  mapping: "endpoint-independent",
  filtering: "port-dependent",
};

/** A device at its best, with what is told of it. */
function device(
  change: Partial<Omit<DoctorParts, "network">> & { readonly network?: object } = {},
): DoctorParts {
  const { network = {}, ...rest } = change;
  return {
    state: "/",
    secretFiles: [],
    agent: good("porthole runs"),
    checkIdentity: () => Promise.resolve(true),
    checkStore: () => Promise.resolve(true),
    probeRendezvous: () => Promise.resolve({ kind: "good", date: NOW }),
    servers: () => Promise.resolve({ stun: [STUN], relays: [] }),
    services: [{ id: "ui", probe: () => Promise.resolve() }],
    cameras: [],
    deviceFiles: [],
    now: () => NOW,
    ...rest,
    network: {
      ask: () => Promise.resolve({ address: "192.0.2.1", ms: 10 }),
      natKind: () => Promise.resolve(OPEN_NAT),
      allocate: () => Promise.resolve(),
      ...network,
    },
  };
}

/** The findings but for those on files, which are those of the machine that runs the test. */
async function findingsOf(parts: DoctorParts): Promise<Finding[]> {
  return (await diagnose(parts)).filter(({ leg }) => leg !== "files");
}

async function badOf(parts: DoctorParts): Promise<string[]> {
  return [...badLegs(await findingsOf(parts))];
}

Deno.test("a device at its best has no bad leg, and each leg is told in order", async () => {
  const findings = await findingsOf(device());
  assert.deepEqual([...badLegs(findings)], []);
  const legs = ["agent", "identity", "store", "rendezvous", "clock", "udp", "stun", "nat", "turn"];
  assert.deepEqual(findings.map(({ leg }) => leg), [...legs, "service"]);
});

Deno.test("an agent that does not run is named", async () => {
  assert.deepEqual(await badOf(device({ agent: bad("it does not run", "start it") })), ["agent"]);
});

const SYMMETRIC: NatKind = { mapping: "port-dependent", filtering: "port-dependent" };

Deno.test("a NAT with another port for each destination is bad without a relay, and good with one", async () => {
  const network = { natKind: () => Promise.resolve(SYMMETRIC) };
  assert.deepEqual(await badOf(device({ network })), ["nat"]);
  const servers = () => Promise.resolve({ stun: [STUN], relays: [RELAY] });
  assert.deepEqual(await badOf(device({ network, servers })), []);
});

Deno.test("where UDP does not get through, that is named, and not each server", async () => {
  const network = {
    ask: () => Promise.resolve(undefined),
    allocate: ({ transport }: { transport: string }) =>
      transport === "udp" ? Promise.reject(new Error("silent")) : Promise.resolve(),
  };
  const stream = { ...RELAY, transport: "tls" } as const;
  const servers = () => Promise.resolve({ stun: [STUN], relays: [RELAY, stream] });
  const findings = await findingsOf(device({ network, servers }));
  assert.deepEqual([...badLegs(findings)], ["udp"]);
  assert.equal(findings.filter(({ leg, state }) => leg === "turn" && state === "good").length, 1);
});

Deno.test("one STUN server of two is named when it alone is silent", async () => {
  const network = {
    ask: ({ host }: { host: string }) =>
      Promise.resolve(host === "dead.example" ? undefined : { address: "192.0.2.1", ms: 1 }),
  };
  const dead = { host: "dead.example", port: 3478 };
  const servers = () => Promise.resolve({ stun: [STUN, dead], relays: [] });
  const findings = await findingsOf(device({ network, servers }));
  const [found, ...more] = findings.filter(({ state }) => state === "bad");
  assert.deepEqual([found?.leg, found?.subject, more], ["stun", "dead.example:3478", []]);
});

Deno.test("a certificate that does not hold yet is the clock's fault, not the rendezvous's", async () => {
  const probeRendezvous = () =>
    Promise.resolve({ kind: "bad", reason: "too early", remedy: "", early: true } as const);
  assert.deepEqual(await badOf(device({ probeRendezvous })), ["clock"]);
});

Deno.test("a clock that is ahead or behind is named with how far", async () => {
  for (
    const [offset, words] of [[-3 * 86_400_000, "3 days behind"], [600_000, "10 minutes ahead"]]
  ) {
    const findings = await findingsOf(device({ now: () => NOW + Number(offset) }));
    const [found] = findings.filter(({ state }) => state === "bad");
    assert.equal(found?.leg, "clock");
    assert.ok(found.text.includes(String(words)), found.text);
  }
  assert.deepEqual(await badOf(device({ now: () => NOW + 60_000 })), []);
});

Deno.test("a rendezvous that cannot be reached costs no other leg its name", async () => {
  const probeRendezvous = () =>
    Promise.resolve({ kind: "bad", reason: "gone", remedy: "start it" } as const);
  const servers = () => Promise.resolve(undefined);
  assert.deepEqual(await badOf(device({ probeRendezvous, servers })), ["rendezvous"]);
});

Deno.test("a camera whose device file is missing is not asked for a picture", async () => {
  let asked = false;
  const cameras = [{ id: "front", probe: () => Promise.resolve(void (asked = true)) }];
  const deviceFiles = [{ camera: "front", path: "/dev/not-there" }];
  assert.deepEqual(await badOf(device({ cameras, deviceFiles })), ["device-file"]);
  assert.ok(!asked);
});
