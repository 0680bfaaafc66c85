/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { encodeCookieState } from "../../src/protocol/cookie_state.ts";
import type { CookieMessage } from "../sw/port_messages.ts";
import { PageCookies } from "./cookies.ts";

const HIDDEN = [{ name: "session", path: "/", life: undefined }];

function stateOf(...pairs: readonly (readonly [string, string, string?])[]): string {
  const cookies = pairs.map(([name, value, path = "/"]) => ({
    ...{ name, value, path, secure: false },
    life: undefined,
  }));
  return encodeCookieState({ tag: "aa.1", cookies, hidden: HIDDEN });
}

/** A page at `path`, and what it posts. */
class PageDouble {
  readonly posted: CookieMessage[] = [];
  path = "/app/page";
  readonly cookies: PageCookies;

  constructor(initial?: string) {
    const page = {
      path: () => this.path,
      host: "label.example.org",
      post: (message: CookieMessage) => this.posted.push(message),
    };
    this.cookies = new PageCookies(page, initial);
  }

  get writes() {
    return this.posted.filter((message) => message.porthole === "cookie-write");
  }
}

Deno.test("a page begins with the state of its tag, and shows what its path may see", () => {
  const page = new PageDouble(
    stateOf(["a", "1"], ["b", "2", "/app"], ["c", "3", "/other"], ["", "x"]),
  );
  assert.equal(page.cookies.text, "b=2; a=1; x");
  page.path = "/";
  assert.equal(page.cookies.text, "a=1; x");
  assert.deepEqual(page.posted, []);
});

Deno.test("a write to the name of a cookie that scripts may not see is not seen either", () => {
  const page = new PageDouble(stateOf(["a", "1"]));
  page.cookies.write("session=stolen; path=/");
  page.cookies.write("session=; path=/; max-age=0");
  assert.equal(page.cookies.text, "a=1");
  page.cookies.write("session=mine; path=/app");
  assert.equal(page.cookies.text, "session=mine; a=1", "another path is another cookie");
});

Deno.test("a write for another domain is ignored, one for the page's own is kept", () => {
  const page = new PageDouble(stateOf());
  page.cookies.write("a=1; path=/; domain=other.org");
  page.cookies.write("b=2; path=/; domain=.example.org");
  assert.equal(page.cookies.text, "b=2");
  assert.equal(page.writes.length, 1);
});

Deno.test("a page that was told nothing asks", () => {
  for (const initial of [undefined, "", "nonsense"]) {
    const page = new PageDouble(initial);
    assert.deepEqual(page.posted, [{ porthole: "cookies-read" }]);
    page.cookies.news({ state: stateOf(["a", "1"]), written: 0 });
    assert.equal(page.cookies.text, "a=1");
  }
});

Deno.test("a write is seen at once, told with its number, and unconfirmed until it has passed", () => {
  const page = new PageDouble(stateOf(["a", "1"]));
  assert.equal(page.cookies.unconfirmed, 0);
  page.cookies.write("a=2; path=/");
  page.cookies.write("b=3");
  assert.equal(page.cookies.text, "b=3; a=2");
  assert.deepEqual(page.writes.map(({ number, line, path }) => [number, line, path]), [
    [1, "a=2; path=/", "/app/page"],
    [2, "b=3", "/app/page"],
  ]);
  assert.equal(page.cookies.unconfirmed, 2);
  page.cookies.news({ state: stateOf(["a", "2"]), written: 1 });
  assert.equal(page.cookies.text, "b=3; a=2", "what has not passed yet stays on top");
  page.cookies.news({ state: stateOf(["a", "2"], ["b", "3", "/app"]), written: 2 });
  assert.equal(page.cookies.unconfirmed, 0);
});

Deno.test("the agent has the last word", () => {
  const page = new PageDouble(stateOf());
  page.cookies.write("session=forged");
  assert.equal(page.cookies.text, "session=forged");
  page.cookies.news({ state: stateOf(), written: 1 });
  assert.equal(page.cookies.text, "", "it was HttpOnly there");
  page.cookies.news({ state: "nonsense", written: 9 });
});

Deno.test("what no browser keeps is not sent", () => {
  const page = new PageDouble(stateOf());
  for (
    const line of [
      "a=1; HttpOnly",
      "a\n=1",
      "__Host-a=1",
      "",
      `a=${"x".repeat(5000)}`,
      `a=1;${"x".repeat(9000)}`,
    ]
  ) {
    page.cookies.write(line);
  }
  assert.deepEqual(page.writes, []);
});

Deno.test("a deletion works before and after it has passed", () => {
  const page = new PageDouble(stateOf(["a", "1"]));
  page.cookies.write("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/");
  assert.equal(page.cookies.text, "");
  page.cookies.news({ state: stateOf(["a", "1"]), written: 0 });
  assert.equal(page.cookies.text, "", "an answer that was on its way meanwhile");
  page.cookies.news({ state: stateOf(), written: 1 });
  assert.equal(page.cookies.text, "");
});

Deno.test("whoever listens hears of changes from here and from elsewhere", () => {
  const page = new PageDouble(stateOf());
  let told = 0;
  page.cookies.onChange(() => told++);
  page.cookies.write("a=1");
  page.cookies.news({ state: stateOf(["a", "1"]), written: 1 });
  assert.equal(told, 2);
});

Deno.test("a page that writes without end keeps a bounded number of writes", () => {
  const page = new PageDouble(stateOf());
  for (let count = 0; count < 2000; count++) page.cookies.write(`a=${count}`);
  assert.equal(page.cookies.text, "a=1999");
  assert.equal(page.cookies.unconfirmed, 2000);
  page.cookies.news({ state: stateOf(), written: 0 });
  assert.equal(page.cookies.text, "a=1999");
});
