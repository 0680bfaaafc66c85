/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { Realm } from "./realm.ts";

const OWN = "http://label.example";
const attributes = new Map([["data-lan", "http://192.168.1.5:8080"]]);
const currentScript = {
  getAttribute: (name: string) => attributes.get(name) ?? null,
  removeAttribute: (name: string) => attributes.delete(name),
};
Object.assign(globalThis, { document: { currentScript } });
Object.defineProperty(globalThis, "origin", { value: OWN, configurable: true });
const { ownAddress, stayAtOwnOrigin } = await import("./lan.ts");

class Link extends EventTarget {
  constructor(public href: string) {
    super();
  }
}

class Form extends EventTarget {
  readonly baseURI = `${OWN}/page`;
  constructor(public action: string) {
    super();
  }
  getAttribute(): string {
    return this.action;
  }
  setAttribute(_name: string, value: string): void {
    this.action = value;
  }
}

/** As much of a window as is used. */
class RealmDouble extends EventTarget {
  readonly HTMLAnchorElement = Link;
  readonly HTMLAreaElement = class {};
  readonly HTMLFormElement = Form;
  readonly navigation = new EventTarget();
  readonly went: string[] = [];
  readonly location = {
    assign: (url: string) => this.went.push(`assign ${url}`),
    replace: (url: string) => this.went.push(`replace ${url}`),
  };

  tell(type: string, target: EventTarget): void {
    const event = new Event(type);
    Object.defineProperty(event, "target", { value: target });
    event.composedPath = () => [target, this];
    this.dispatchEvent(event);
  }

  navigate(url: string, more: object = {}): boolean {
    const event = new Event("navigate", { cancelable: true });
    const fields = { destination: { url }, formData: null, navigationType: "push", ...more };
    for (const [name, value] of Object.entries(fields)) {
      Object.defineProperty(event, name, { value });
    }
    return this.navigation.dispatchEvent(event);
  }
}

function started(): RealmDouble {
  const realm = new RealmDouble();
  stayAtOwnOrigin(realm as unknown as Realm);
  return realm;
}

Deno.test("the page is not shown the address that our tag has", () => {
  assert.equal(attributes.size, 0);
  assert.equal(ownAddress(new URL("http://192.168.1.5:8080/a?b")), `${OWN}/a?b`);
  assert.equal(ownAddress(new URL("http://192.168.1.5/a")), undefined);
  assert.equal(ownAddress(null), undefined);
});

Deno.test("links and forms to the service's own address lead to this origin", () => {
  const realm = started();
  const link = new Link("http://192.168.1.5:8080/x#y");
  const other = new Link("http://192.168.1.6/x");
  const form = new Form("http://192.168.1.5:8080/save");
  realm.tell("click", link);
  realm.tell("auxclick", other);
  realm.tell("submit", form);
  assert.deepEqual([link.href, other.href, form.action], [
    `${OWN}/x#y`,
    "http://192.168.1.6/x",
    `${OWN}/save`,
  ]);
});

Deno.test("scripts that go there come here, and go elsewhere as they like", () => {
  const realm = started();
  assert.equal(realm.navigate("http://192.168.1.5:8080/x"), false);
  assert.equal(realm.navigate("http://192.168.1.5:8080/y", { navigationType: "replace" }), false);
  assert.equal(realm.navigate("http://192.168.1.6/x"), true);
  assert.equal(realm.navigate("http://192.168.1.5:8080/x", { formData: new FormData() }), true);
  assert.deepEqual(realm.went, [`assign ${OWN}/x`, `replace ${OWN}/y`]);
});
