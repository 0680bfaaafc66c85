import assert from "node:assert/strict";
import fc from "fast-check";
import { OPERATIONS } from "../protocol/access.ts";
import { StreamError } from "../protocol/errors.ts";
import { ELSEWHERE_HEADER, type Header, type RequestHead } from "../protocol/http.ts";
import { servicesDouble } from "./doubles_test.ts";
import { CameraRefusal, camerasWithin, servicesWithin } from "./scope.ts";
import type { Services, SessionAccess, Use } from "./seams.ts";
import { camerasDouble, lent } from "./stage_test.ts";
import { MAX_REFUSALS_TOLD, Uses } from "./uses.ts";

const OWNER: SessionAccess = { role: "owner" };
const SERVICES = ["ui", "heater"];
const REACHED = new Error("reached the service");
const { signal } = new AbortController();

function scoped(access: SessionAccess): { services: Services; uses: Use[] } {
  const reach = () => Promise.reject(REACHED);
  const list = () => SERVICES.map((id) => ({ id, title: id.toUpperCase() }));
  const uses: Use[] = [];
  const services = servicesWithin(
    servicesDouble({ list, request: reach, socket: reach }),
    { access, uses: new Uses((use) => void uses.push(use)) },
  );
  return { services, uses };
}

function head(some: Partial<RequestHead>): RequestHead {
  return { kind: "http", service: "ui", method: "GET", path: "/", headers: [], ...some };
}

/** How a request ends: the service's own error, or the code of ours. */
async function fate(services: Services, some: Partial<RequestHead>): Promise<unknown> {
  const whole = head(some);
  const asked = whole.kind === "http"
    ? services.request({ head: whole, body: null }, signal)
    : services.socket(whole, signal);
  const error = await asked.then(() => assert.fail("nothing here answers"), (error) => error);
  return error instanceof StreamError ? error.code : error;
}

Deno.test("scope lists to a guest what is lent, and to an owner everything", () => {
  const names = (access: SessionAccess) => scoped(access).services.list().map(({ id }) => id);
  assert.deepEqual(names(OWNER), SERVICES);
  assert.deepEqual(names(lent({ services: ["heater"], operations: ["view"] })), ["heater"]);
  assert.deepEqual(names(lent({ services: ["heater", "gone"], operations: ["operate"] })), [
    "heater",
  ]);
  assert.deepEqual(names(lent({ services: SERVICES, operations: ["talk"] })), []);
});

Deno.test("a redirect to a service that is not lent does not name it", async () => {
  const named = async (access: SessionAccess) => {
    const headers: Header[] = [["Location", "http://lan/"], [ELSEWHERE_HEADER, "heater /x"]];
    const services = servicesWithin(
      servicesDouble({
        list: () => SERVICES.map((id) => ({ id, title: id })),
        request: () =>
          Promise.resolve({ head: { status: 302, headers }, body: new ReadableStream() }),
      }),
      { access, uses: new Uses(() => {}) },
    );
    const answer = await services.request({ head: head({}), body: null }, signal);
    return answer.head.headers.length;
  };
  assert.equal(await named(OWNER), 2);
  assert.equal(await named(lent({ services: SERVICES, operations: ["view"] })), 2);
  assert.equal(await named(lent({ services: ["ui"], operations: ["view"] })), 1);
});

Deno.test("a service that is not lent fails exactly like one that does not exist", async () => {
  const { services } = scoped(lent({ services: ["ui"], operations: ["view"] }));
  for (const kind of ["http", "websocket"] as const) {
    for (const method of ["GET", "POST"]) {
      const error = (service: string) =>
        (kind === "http"
          ? services.request({ head: head({ kind, method, service }), body: null }, signal)
          : services.socket(head({ kind, method, service }), signal))
          .then(() => assert.fail(), (error: unknown) => error);
      const [hidden, unknown] = [await error("heater"), await error("nonsense")];
      assert.ok(hidden instanceof StreamError && unknown instanceof StreamError);
      assert.equal(hidden.code, "service_unknown");
      assert.deepEqual(
        { ...hidden, message: hidden.message },
        { ...unknown, message: unknown.message },
      );
    }
  }
});

const REQUESTS: [string, Partial<RequestHead>, { view: unknown }][] = [
  ["GET", {}, { view: REACHED }],
  ["HEAD", { method: "HEAD" }, { view: REACHED }],
  ["OPTIONS", { method: "OPTIONS" }, { view: REACHED }],
  ["POST", { method: "POST" }, { view: "not_allowed" }],
  ["DELETE", { method: "DELETE" }, { view: "not_allowed" }],
  ["PROPFIND", { method: "PROPFIND" }, { view: "not_allowed" }],
  ["get in lower case", { method: "get" }, { view: "not_allowed" }],
  ["a WebSocket", { kind: "websocket" }, { view: "not_allowed" }],
  ["GET that says it is DELETE", { headers: [["X-HTTP-Method-Override", "DELETE"]] }, {
    view: "not_allowed",
  }],
];

for (const [name, request, { view }] of REQUESTS) {
  Deno.test(`${name} with view ${view === REACHED ? "passes" : "is refused"}, and with operate passes`, async () => {
    const within = (access: SessionAccess) => fate(scoped(access).services, request);
    assert.equal(await within(lent({ services: ["ui"], operations: ["view"] })), view);
    assert.equal(await within(lent({ services: ["ui"], operations: ["view", "talk"] })), view);
    assert.equal(await within(lent({ services: ["ui"], operations: ["operate"] })), REACHED);
    assert.equal(await within(OWNER), REACHED);
  });
}

Deno.test("whatever is lent, a service hears of nothing else", async () => {
  const some = <T>(things: readonly T[]) => fc.subarray([...things]);
  const access = fc.record({ services: some(SERVICES), operations: some(OPERATIONS) });
  const request = fc.record({
    kind: fc.constantFrom("http", "websocket"),
    service: fc.constantFrom(...SERVICES, "nonsense"),
    method: fc.constantFrom("GET", "HEAD", "OPTIONS", "POST", "PUT", "CONNECT", "get"),
  });
  await fc.assert(fc.asyncProperty(access, request, async ({ services, operations }, head) => {
    const can = (operation: string) => operations.some((one) => one === operation);
    const exists = services.includes(head.service) && (can("view") || can("operate"));
    const reads = head.kind === "http" && ["GET", "HEAD", "OPTIONS"].includes(head.method);
    const wanted = !exists ? "service_unknown" : can("operate") || reads ? REACHED : "not_allowed";
    assert.equal(await fate(scoped(lent({ services, operations })).services, head), wanted);
  }));
});

Deno.test("a camera needs view, and one that is not lent is unknown without being opened", async () => {
  const { cameras, opened } = camerasDouble([
    { id: "front", title: "Front" },
    { id: "yard", title: "Yard" },
  ]);
  const within = (access: SessionAccess) =>
    camerasWithin(cameras, { access, uses: new Uses(() => {}) });
  const listener = { state: () => {} };
  const front = within(lent({ cameras: ["front"], operations: ["view"] }));
  assert.deepEqual(front.list(), [{ id: "front", title: "Front" }]);
  await front.open("front", listener, signal);
  for (const id of ["yard", "nonsense"]) {
    await assert.rejects(
      front.open(id, listener, signal),
      (error) => error instanceof CameraRefusal && error.code === "unknown",
    );
  }
  const talking = within(lent({ cameras: ["front"], operations: ["talk", "operate"] }));
  assert.deepEqual(talking.list(), []);
  await assert.rejects(talking.open("front", listener, signal), CameraRefusal);
  assert.deepEqual(opened, ["front"]);
});

Deno.test("what is used or refused is told once for each thing and outcome", async () => {
  const { services, uses } = scoped(lent({ services: ["ui"], operations: ["view"] }));
  for (let i = 0; i < 3; i++) {
    await fate(services, {});
    await fate(services, { method: "POST" });
    await fate(services, { service: "heater" });
  }
  assert.deepEqual(uses, [
    { kind: "service", id: "ui", allowed: true },
    { kind: "service", id: "ui", allowed: false },
    { kind: "service", id: "heater", allowed: false },
  ]);
});

Deno.test("a guest who tries every id has a bounded number of refusals told, and its uses still", async () => {
  const { services, uses } = scoped(lent({ services: ["ui"], operations: ["view"] }));
  for (let i = 0; i < 3 * MAX_REFUSALS_TOLD; i++) await fate(services, { service: `s${i}` });
  await fate(services, {});
  assert.equal(uses.length, MAX_REFUSALS_TOLD + 1);
  assert.equal(uses.at(-1)?.allowed, true);
});
