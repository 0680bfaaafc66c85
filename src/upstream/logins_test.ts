import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Header } from "../protocol/http.ts";
import { LOGINS, STALE_RETRIES } from "./limits.ts";
import { Logins, type Offer, type Verdict } from "./logins.ts";

const ASKED = { method: "GET", path: "/a/b?c" };
const BASIC: Header[] = [["WWW-Authenticate", 'Basic realm="r"']];
const ANSWER = { realm: "r", user: "u", password: "p" };

function digest(nonce: string, more = ""): Header[] {
  return [["www-authenticate", `Digest realm="r", nonce="${nonce}", qop="auth"${more}`]];
}

function offerOf(verdict: Verdict): Offer {
  if (verdict.type !== "retry") throw new Error(`it said ${verdict.type}`);
  return verdict.offer;
}

function challenged(
  logins: Logins,
  headers: readonly Header[],
  { offer = undefined as Offer | undefined, retries = 0, asked = ASKED } = {},
): Verdict {
  return logins.challenged(headers, { asked, offer, retries });
}

Deno.test("without a password the person is asked; what no password helps with passes", () => {
  const logins = new Logins();
  equal(logins.offer(ASKED), undefined);
  deepEqual(challenged(logins, BASIC), { type: "ask", question: { realm: "r", refused: false } });
  for (const header of ["Negotiate", "Bearer realm=x", "", "Digest realm=x"]) {
    deepEqual(challenged(logins, [["WWW-Authenticate", header]]), { type: "pass" });
  }
  deepEqual(challenged(logins, []), { type: "pass" });
});

Deno.test("a password is offered once, and forgotten when it is refused", () => {
  for (const headers of [BASIC, digest("n1")]) {
    const logins = new Logins();
    logins.keep(ANSWER);
    const offer = offerOf(challenged(logins, headers));
    const again = challenged(logins, headers, { offer, retries: 1 });
    deepEqual(again, { type: "ask", question: { realm: "r", refused: true } });
    equal(logins.size, 0);
    equal(logins.offer(ASKED), undefined);
  }
});

Deno.test("a password goes unasked to its own area only", () => {
  const logins = new Logins();
  logins.keep(ANSWER);
  offerOf(challenged(logins, BASIC));
  match(logins.offer({ method: "POST", path: "/a/other" })?.value ?? "", /^Basic dTpw$/);
  equal(logins.offer({ method: "GET", path: "/b" }), undefined);
  offerOf(challenged(logins, digest("n1")));
  match(logins.offer({ method: "GET", path: "/b" })?.value ?? "", /^Digest .*uri="\/b"/);
  const confined = new Logins();
  confined.keep(ANSWER);
  offerOf(challenged(confined, digest("n1", ', domain="/x/ http://other/y"')));
  ok(
    confined.offer({ method: "GET", path: "/x/1" }) &&
      confined.offer({ method: "GET", path: "/a/" }),
  );
  equal(confined.offer({ method: "GET", path: "/y" }), undefined);
});

Deno.test("nc counts the uses of a nonce, and begins again with the next one", () => {
  const logins = new Logins();
  logins.keep(ANSWER);
  const first = offerOf(challenged(logins, digest("n1")));
  match(first.value, /nonce="n1".*nc=00000001/);
  match(logins.offer(ASKED)!.value, /nonce="n1".*nc=00000002/);
  logins.accepted(first, [["Authentication-Info", 'nextnonce="n2"']]);
  match(logins.offer(ASKED)!.value, /nonce="n2".*nc=00000001/);
});

Deno.test("a stale nonce is renewed, but not for ever", () => {
  const logins = new Logins();
  logins.keep(ANSWER);
  let offer = offerOf(challenged(logins, digest("n0")));
  for (let retries = 1; retries < STALE_RETRIES; retries++) {
    offer = offerOf(challenged(logins, digest(`n${retries}`, ", stale=true"), { offer, retries }));
    match(offer.value, new RegExp(`nonce="n${retries}".*nc=00000001`));
  }
  const last = challenged(logins, digest("n9", ", stale=true"), { offer, retries: STALE_RETRIES });
  deepEqual(last, { type: "ask", question: { realm: "r", refused: true } });
  equal(logins.size, 0);
});

Deno.test("a password that was taken before outlives any number of stale nonces", () => {
  const logins = new Logins();
  logins.keep(ANSWER);
  const offer = offerOf(challenged(logins, digest("n0")));
  logins.accepted(offer, []);
  const last = challenged(logins, digest("n9", ", stale=true"), { offer, retries: STALE_RETRIES });
  deepEqual(last, { type: "ask", question: { realm: "r", refused: false } });
  equal(logins.size, 1);
});

Deno.test("a server that calls no nonce stale gets one new answer after it took the password", () => {
  const logins = new Logins();
  logins.keep(ANSWER);
  const first = offerOf(challenged(logins, digest("n1")));
  logins.accepted(first, []);
  const old = logins.offer(ASKED)!;
  const renewed = offerOf(challenged(logins, digest("n2"), { offer: old }));
  equal(challenged(logins, digest("n3"), { offer: renewed, retries: 1 }).type, "ask");
});

Deno.test("the 401 of an old password does not lose the new one", () => {
  const logins = new Logins();
  logins.keep(ANSWER);
  const old = offerOf(challenged(logins, BASIC));
  logins.keep({ ...ANSWER, password: "better" });
  const next = offerOf(challenged(logins, BASIC, { offer: old }));
  notEqual(next.value, old.value);
  equal(logins.size, 1);
});

Deno.test("realms are texts whatever their bytes, and not more than the limit are kept", () => {
  for (const bytes of ["W\xc3\xb6rk", "W\xf6rk"]) {
    const logins = new Logins();
    const verdict = challenged(logins, [["WWW-Authenticate", `Basic realm="${bytes}"`]]);
    deepEqual(verdict, { type: "ask", question: { realm: "Wörk", refused: false } });
    logins.keep({ ...ANSWER, realm: "Wörk" });
    offerOf(challenged(logins, [["WWW-Authenticate", `Basic realm="${bytes}"`]]));
  }
  const logins = new Logins();
  for (let count = 0; count < 100; count++) logins.keep({ ...ANSWER, realm: `${count}` });
  equal(logins.size, LOGINS);
});

Deno.test("whatever challenges say, an answer fits into a header and the retries end", () => {
  const piece = fc.constantFrom(
    "Digest ",
    "Basic ",
    'realm="r"',
    "nonce=",
    '"x\\""',
    ", ",
    "stale=true",
    "\t",
  );
  fc.assert(fc.property(fc.array(fc.array(piece), { maxLength: 12 }), (headers) => {
    const logins = new Logins();
    logins.keep({ realm: "r", user: 'u"é', password: "p" });
    let offer: Offer | undefined;
    for (const [retries, pieces] of headers.entries()) {
      const verdict = challenged(logins, [["WWW-Authenticate", pieces.join("")]], {
        offer,
        retries,
      });
      if (verdict.type !== "retry") break;
      offer = verdict.offer;
      ok(retries <= STALE_RETRIES);
      ok(/^[\t\x20-\x7e\x80-\xff]*$/.test(offer.value), offer.value);
    }
  }));
});
