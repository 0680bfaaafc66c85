/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { PageCookies } from "./cookies.ts";
import type { Realm, RealmSource } from "./realm.ts";

Object.defineProperty(globalThis, "origin", { value: "https://x.example", configurable: true });
Object.defineProperty(navigator, "sendBeacon", { value: () => true });
Object.assign(globalThis, { SharedWorker: class {} });
const { joinAround, joinRealm, leaveRealm, markRealm } = await import("./realm.ts");

/** A class with these methods and accessors, which do nothing. */
function classWith(methods: readonly string[], accessors: readonly string[] = []) {
  const face = class {};
  for (const name of methods) Object.assign(face.prototype, { [name]: () => {} });
  for (const name of accessors) {
    const accessor = { get: () => undefined, set: () => {}, configurable: true };
    Object.defineProperty(face.prototype, name, accessor);
  }
  return face;
}

/** A frame's global, as far as it is touched. */
class GlobalDouble extends EventTarget {
  readonly location: { href: string; protocol: string };
  readonly parent: unknown = this;
  readonly opener = null;
  readonly navigator = { serviceWorker: { controller: null } };
  readonly WebSocket = class {};
  readonly Worker = class {};
  readonly fetch = () => {};
  readonly EventSource = class {};
  readonly URL = { createObjectURL: () => "blob:1", revokeObjectURL: () => {} };
  readonly Navigator = classWith(["sendBeacon"], ["cookieEnabled"]);
  readonly HTMLAnchorElement = classWith(["click", "dispatchEvent"]);
  readonly HTMLIFrameElement = classWith([], ["contentWindow", "contentDocument", "src"]);
  readonly HTMLFrameElement = classWith([], ["contentWindow", "contentDocument"]);
  readonly HTMLImageElement = classWith([], ["src", "complete"]);
  readonly HTMLMediaElement = classWith([], ["src"]);
  readonly Element = classWith(["insertAdjacentHTML"], ["innerHTML", "outerHTML"]);
  readonly ShadowRoot = classWith([], ["innerHTML"]);
  readonly Range = classWith(["createContextualFragment"]);
  readonly DOMParser = classWith(["parseFromString"]);
  readonly Document = classWith(["open", "write", "writeln"], ["cookie"]);
  document = this.#page();

  constructor(href = "about:blank") {
    super();
    this.location = { href, protocol: new URL(href).protocol };
  }

  /** The frame has another document. */
  turn(): void {
    this.document = this.#page();
  }

  #page() {
    const head = { append: () => {} };
    const createElement = () => ({ remove: () => {} });
    return Object.assign(new EventTarget(), { head, createElement });
  }

  /** All that is in it by name; listeners stay. */
  get descriptors(): unknown[] {
    const holders: object[] = [this, this.URL];
    for (const value of Object.values(this)) {
      if (typeof value === "function" && value.prototype !== undefined) {
        holders.push(value.prototype);
      }
    }
    return holders.flatMap((holder) =>
      Object.getOwnPropertyNames(holder).map((name) =>
        Object.getOwnPropertyDescriptor(holder, name)
      )
    );
  }
}

function source(): RealmSource & { readonly found: (realm: Realm, isFirst: boolean) => void } & {
  readonly firsts: boolean[];
} {
  const firsts: boolean[] = [];
  return {
    cookies: { text: "a=1" } as PageCookies,
    found: (_realm, isFirst) => void firsts.push(isFirst),
    firsts,
  };
}

function windowOf(double: GlobalDouble): Realm {
  return double as unknown as Realm;
}

Deno.test("a frame's own global gets what this page has, once for each document", () => {
  const frame = new GlobalDouble();
  const own = source();
  joinRealm(windowOf(frame), own);
  joinRealm(windowOf(frame), own);
  assert.deepEqual(own.firsts, [true]);
  assert.equal(frame.WebSocket, WebSocket);
  assert.equal(frame.EventSource, EventSource);
  frame.turn();
  joinRealm(windowOf(frame), own);
  assert.deepEqual(own.firsts, [true, false]);
});

Deno.test("a global that a page of the device takes over is as the browser made it", () => {
  const frame = new GlobalDouble();
  const before = frame.descriptors;
  joinRealm(windowOf(frame), source());
  assert.notDeepEqual(frame.descriptors, before);
  leaveRealm(windowOf(frame));
  assert.deepEqual(frame.descriptors, before);
  leaveRealm(windowOf(frame)); // nothing is there to leave
});

Deno.test("what a server sent, another origin's window and none at all are left alone", () => {
  const own = source();
  const foreign = new Proxy({}, {
    get() {
      throw new DOMException("of another origin", "SecurityError");
    },
  });
  for (const href of ["https://x.example/", "about:srcdoc"]) {
    const frame = new GlobalDouble(href);
    const before = frame.descriptors;
    joinRealm(windowOf(frame), own);
    assert.deepEqual(frame.descriptors, before);
  }
  joinRealm(foreign as Window, own);
  joinRealm(null, own);
  assert.deepEqual(own.firsts, []);
});

Deno.test("a document that no service worker has is joined by the page around it, and no other", () => {
  const around = new GlobalDouble("https://x.example/page");
  const own = source();
  const inner = (href: string, controller: object | null) => {
    const frame = new GlobalDouble(href);
    Object.assign(frame, { parent: around, navigator: { serviceWorker: { controller } } });
    return windowOf(frame);
  };
  assert.equal(joinAround(inner("blob:https://x.example/1", null)), false, "nobody is there yet");
  markRealm(windowOf(around), own);
  assert.equal(joinAround(inner("blob:https://x.example/1", null)), true);
  assert.equal(joinAround(inner("blob:https://x.example/1", {})), false);
  assert.equal(joinAround(inner("https://x.example/other", null)), false);
  assert.deepEqual(own.firsts, [true]);
});
