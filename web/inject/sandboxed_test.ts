/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import type { Realm } from "./realm.ts";

const OWN = "https://x.example";
Object.defineProperty(globalThis, "origin", { value: OWN, configurable: true });
const { isSandboxed, release, takeSandboxed, watchSandboxed } = await import("./sandboxed.ts");

class ElementDouble extends EventTarget {
  readonly attributes = new Map<string, string>();
  readonly baseURI = `${OWN}/page`;
  isConnected = false;
  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name.toLowerCase(), String(value));
  }
  hasAttribute(name: string): boolean {
    return this.attributes.has(name);
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
  get innerHTML(): string {
    return "";
  }
  set innerHTML(value: string) {
    this.attributes.set("html", value);
  }
}

class FrameDouble extends ElementDouble {
  get src(): string {
    return this.getAttribute("src") ?? "";
  }
  set src(value: string) {
    this.attributes.set("src", String(value));
  }
  get srcdoc(): string {
    return this.getAttribute("srcdoc") ?? "";
  }
  set srcdoc(value: string) {
    this.attributes.set("srcdoc", value);
  }
  get sandbox(): string {
    return this.getAttribute("sandbox") ?? "";
  }
  set sandbox(value: string) {
    this.attributes.set("sandbox", value);
  }
}

const none = class {};
watchSandboxed({
  ...{ HTMLIFrameElement: FrameDouble, Element: ElementDouble },
  ...{ ShadowRoot: none, Range: none, DOMParser: none, Document: none },
} as unknown as Realm);

function frame(): FrameDouble & HTMLIFrameElement {
  return new FrameDouble() as FrameDouble & HTMLIFrameElement;
}

/** Whether a frame would ask a server for this path. */
function asks({ attributes }: FrameDouble): boolean {
  return attributes.has("src") && !attributes.has("srcdoc");
}

Deno.test("a frame without an origin has words instead of the device's address before it is in the page", () => {
  const ways: readonly ((frame: HTMLIFrameElement) => void)[] = [
    (frame) => Object.assign(frame, { sandbox: "allow-scripts", src: "/path" }),
    (frame) => Object.assign(frame, { src: "/path", sandbox: "" }),
    (frame) => (frame.setAttribute("SANDBOX", ""), frame.setAttribute("src", "/path")),
    (frame) => (frame.setAttribute("src", "/path"), frame.setAttribute("sandbox", "x")),
  ];
  for (const way of ways) {
    const one = frame();
    way(one);
    assert.ok(isSandboxed(one) && !asks(one));
    assert.match(one.srcdoc, /porthole cannot show.*<code>\/path/s);
    takeSandboxed(one);
    assert.ok(!asks(one));
  }
});

Deno.test("a frame with an origin, or with another address, keeps it", () => {
  const open = Object.assign(frame(), { sandbox: "allow-same-origin", src: "/path" });
  const foreign = Object.assign(frame(), { sandbox: "", src: "https://y.example/path" });
  const data = Object.assign(frame(), { sandbox: "", src: "data:text/html,x" });
  for (const one of [open, foreign, data]) assert.ok(asks(one));
});

Deno.test("a frame that gets an origin, or another address, loses our words", () => {
  const opened = Object.assign(frame(), { sandbox: "", src: "/path" });
  opened.setAttribute("sandbox", "allow-same-origin");
  const led = Object.assign(frame(), { sandbox: "", src: "/path" });
  led.src = "https://y.example/path";
  for (const one of [opened, led]) assert.ok(asks(one));
});

Deno.test("an address is held while the list of a frame's flags may be written to", () => {
  const one = Object.assign(frame(), { src: "/path" });
  void one.sandbox;
  assert.deepEqual([asks(one), one.src], [false, `${OWN}/path`]);
  release(one);
  assert.ok(asks(one));
  void one.sandbox;
  one.attributes.set("sandbox", "allow-scripts"); // unseen
  takeSandboxed(one);
  assert.ok(!asks(one) && one.hasAttribute("srcdoc"));
});

Deno.test("HTML of a script is held as that of a server is", () => {
  const element = new ElementDouble();
  element.innerHTML = `<iframe sandbox src="/path">`;
  assert.equal(element.getAttribute("html"), `<iframe sandbox data-porthole-src="/path">`);
  element.innerHTML = "<p>sandbox";
  assert.equal(element.getAttribute("html"), "<p>sandbox");
});
