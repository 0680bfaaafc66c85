/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { EVENTS_MARK } from "../sw/event_ids.ts";
import { markEventSources } from "./event_sources.ts";

class Native {
  static readonly CLOSED = 2;
  readonly #url: string;
  constructor(url: string, readonly init?: unknown) {
    this.#url = String(url);
  }
  get url(): string {
    return this.#url;
  }
}

const asked: unknown[] = [];
const Watched = new Proxy(Native, {
  construct(target, values, newTarget) {
    asked.push(values[0]);
    return Reflect.construct(target, values, newTarget);
  },
});
Object.defineProperty(globalThis, "origin", { value: "https://x.example", configurable: true });
Object.defineProperty(globalThis, "EventSource", { value: Watched, configurable: true });
markEventSources(() => "https://x.example/app/page");

Deno.test("each EventSource of our origin has a mark of its own, which its page does not see", () => {
  const init = { withCredentials: true };
  const [one, other] = [new EventSource("/e?a", init), new EventSource("../e")];
  assert.deepEqual([one.url, other.url], ["https://x.example/e?a", "https://x.example/e"]);
  assert.equal((one as unknown as Native).init, init);
  const [first, second] = asked.splice(0) as string[];
  assert.ok(first?.startsWith(`https://x.example/e?a${EVENTS_MARK}`));
  assert.ok(second?.startsWith(`https://x.example/e${EVENTS_MARK}`));
  assert.notEqual(first?.split("#")[1], second?.split("#")[1]);
  assert.ok(one instanceof EventSource && one.constructor === EventSource);
  assert.equal(EventSource.CLOSED, 2);
});

Deno.test("an EventSource of another origin, or with a fragment, stays as it is", () => {
  for (const url of ["https://y.example/e", "/e#part", "http://["]) {
    new EventSource(url);
    assert.deepEqual(asked.splice(0), [url]);
  }
});

Deno.test("a page's own kind of EventSource is one of its own", () => {
  class Own extends EventSource {
    own = true;
  }
  const source = new Own("/e");
  assert.ok(source instanceof Own && source.own);
});
