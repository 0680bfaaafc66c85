/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { LOGIN_PATH } from "../../src/protocol/http.ts";
import { parseLoginAnswer } from "../../src/protocol/login.ts";
import { BridgeDouble, ClientsDouble } from "../testing/bridge_double.ts";
import { PumpBench } from "../testing/pump_bench.ts";
import { Bridges } from "./bridges.ts";
import { KeepAlive } from "./keepalive.ts";
import { answerLogin } from "./login.ts";
import { loginResponse } from "./login_page.ts";
import { takeOwnWords, withCookieTag, writeNumber } from "./own_headers.ts";

const ORIGIN = "http://x.localhost";
const LIMITS = { pong: 10, appear: 10, lookAgain: 5, trusted: 1000 };
const PAGE = { title: "Pump", shellOrigin: "http://shell.localhost", nonce: "n0nce" };

/** A worker whose agent answers with `status`, and keeps what it was told. */
class LoginBench {
  readonly answers: unknown[] = [];
  readonly pump: PumpBench;
  readonly #clients: ClientsDouble;

  constructor(status = 204, bridges = 1) {
    this.pump = new PumpBench((stream) => {
      stream.onBody((body) => {
        this.answers.push([stream.head.path, parseLoginAnswer(new TextDecoder().decode(body))]);
        stream.respond(status);
        stream.end();
      });
    });
    const pass = (head: unknown, port: MessagePort) =>
      this.pump.bridge.postMessage({ type: "open", head }, [port]);
    this.#clients = new ClientsDouble(bridges > 0 ? [new BridgeDouble("b", pass)] : []);
  }

  post(body: string, referrer = `${ORIGIN}/page?x=1`, path = LOGIN_PATH) {
    const request = new Request(`${ORIGIN}${path}`, { method: "POST", body });
    Object.defineProperty(request, "referrer", { value: referrer });
    return answerLogin(request, {
      bridges: new Bridges(this.#clients, LIMITS),
      keepAlive: new KeepAlive(() => {}),
      shellOrigin: PAGE.shellOrigin,
    });
  }

  [Symbol.dispose](): void {
    this.pump[Symbol.dispose]();
  }
}

const FORM = "realm=R%C3%A9alm&user=maker&password=p%40ss%3Aw%26rd";

Deno.test("what a person typed goes to the agent, and the person back to the page", async () => {
  using bench = new LoginBench();
  const response = await bench.post(FORM);
  assert.equal(response?.status, 303);
  assert.equal(response?.headers.get("location"), `${ORIGIN}/page?x=1`);
  const typed = { realm: "Réalm", user: "maker", password: "p@ss:w&rd" };
  assert.deepEqual(bench.answers, [[LOGIN_PATH, typed]]);
});

Deno.test("another site cannot log a person in, and a form without its fields is no login", async () => {
  using bench = new LoginBench();
  for (
    const referrer of ["", "about:client", "http://evil.localhost/", "http://x.localhost.evil/"]
  ) {
    assert.equal((await bench.post(FORM, referrer))?.status, 502, referrer);
  }
  assert.equal((await bench.post("realm=r&user=u"))?.status, 502);
  assert.deepEqual(bench.answers, []);
});

Deno.test("a login that nobody takes says so, without repeating it", async () => {
  using refused = new LoginBench(400);
  using alone = new LoginBench(204, 0);
  const cases = [await refused.post(FORM), await alone.post(FORM)];
  for (const response of cases) {
    assert.ok(response!.status >= 500);
    const text = await response!.text();
    assert.doesNotMatch(text, /maker|p@ss|http-equiv/);
  }
});

Deno.test("other paths of ours are not the login's", async () => {
  using bench = new LoginBench();
  assert.equal(await bench.post(FORM, ORIGIN, "/.porthole/other"), undefined);
  assert.equal(answerLogin(new Request(`${ORIGIN}${LOGIN_PATH}`), undefined as never), undefined);
});

Deno.test("the login page shows a hostile realm as text, and runs no script of others", async () => {
  const realm = `</q><script>alert(1)</script>"'\u202e\u0007${"x".repeat(500)}`;
  const response = loginResponse({ realm, refused: false }, PAGE);
  assert.equal(response.status, 401);
  assert.equal(response.headers.get("www-authenticate"), null);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(
    policy,
    /^default-src 'none'; style-src 'nonce-n0nce'; script-src 'nonce-n0nce'; form-action/,
  );
  const html = await response.text();
  assert.doesNotMatch(html, /<script>|<b>|\u202e.*<\/q>/);
  assert.match(html, /&#60;script&#62;/);
  assert.match(html, /x…<\/q>/);
  assert.match(
    html,
    new RegExp(`name="realm" value="[^"<>]*${"x".repeat(500)}"`),
    "whole for the agent",
  );
});

Deno.test("the login page names its fields, and says when a password was wrong", async () => {
  const first = await loginResponse({ realm: "", refused: false }, PAGE).text();
  assert.match(first, /<label for="user">.*\n<input id="user"[^>]* autocomplete="username"/);
  assert.match(first, /<input id="password"[^>]* type="password" autocomplete="current-password"/);
  assert.doesNotMatch(first, /calls this area|role="alert"/);
  const second = await loginResponse({ realm: "r", refused: true }, PAGE).text();
  assert.match(second, /role="alert">The service did not accept/);
});

Deno.test("our own headers are put in and taken out, and a page cannot forge them", () => {
  const head = { kind: "http", method: "GET", path: "/" } as const;
  const tagged = withCookieTag(
    { ...head, headers: [["x-porthole-cookies", "forged"], ["a", "b"]] },
    "-",
  );
  assert.deepEqual(tagged.headers, [["a", "b"], ["x-porthole-cookies", "-"]]);
  const words = takeOwnWords({
    status: 401,
    headers: [["A", "b"], ["X-Porthole-Login", '["r",true]'], ["x-porthole-cookies", "text"], [
      "x-porthole-new",
      "",
    ], ["x-porthole-holder", "anna"]],
  });
  assert.deepEqual(words, {
    head: { status: 401, headers: [["A", "b"]] },
    cookies: "text",
    question: { realm: "r", refused: true },
    elsewhere: undefined,
    holder: "anna",
  });
  const numbers = ["7", "", "-1", "x", "1.5", "9e99"].map((text) =>
    writeNumber({ get: () => text })
  );
  assert.deepEqual(numbers, [7, 0, 0, 0, 0, 0]);
});
