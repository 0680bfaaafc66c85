import { equal, match } from "node:assert/strict";
import { Authenticator } from "./auth.ts";

const USER = { user: "Mufasa", password: "Circle of Life" };
const REQUEST = { method: "GET", url: "/dir/index.html" };
// RFC 7616 3.9.1
const CLIENT_NONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
const FIELDS = 'realm="http-auth@example.org", qop="auth, auth-int", ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const MD5 = `Digest ${FIELDS}, algorithm=MD5`;
const SHA256 = `Digest ${FIELDS}, algorithm=SHA-256`;

function answer(headers: readonly string[], credentials = USER): string | undefined {
  const authenticator = new Authenticator(credentials, CLIENT_NONCE);
  authenticator.challenge(headers);
  return authenticator.authorization(REQUEST);
}

Deno.test("Digest answers are those of RFC 7616 3.9.1, SHA-256 before MD5", () => {
  match(answer([MD5])!, /response="8ca523f5e9506fed4657c9700eebdbec"/);
  const best = /response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"/;
  match(answer([SHA256])!, best);
  match(answer([MD5, SHA256, "Basic realm=x"])!, best);
  match(answer(["Basic realm=x", `${MD5}, ${SHA256}`])!, best);
});

Deno.test("a Digest answer without qop is that of RFC 2069", () => {
  const old = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
  const credentials = { user: "Mufasa", password: "CircleOfLife" };
  equal(
    answer([old], credentials),
    'Digest username="Mufasa", realm="testrealm@host.com", ' +
      'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", ' +
      'response="1949323746fe6a43ef61f9606e7febea"',
  );
});

Deno.test("Basic carries user and password in UTF-8", () => {
  const credentials = { user: "test", password: "123£" };
  equal(answer(['Basic realm="x"'], credentials), "Basic dGVzdDoxMjPCow=="); // RFC 7617 2.1
});

Deno.test("the nonce count rises and starts again with a new nonce", () => {
  const authenticator = new Authenticator(USER, CLIENT_NONCE);
  authenticator.challenge([MD5]);
  match(authenticator.authorization(REQUEST)!, /nc=00000001/);
  authenticator.accepted();
  match(authenticator.authorization(REQUEST)!, /nc=00000002/);
  equal(authenticator.challenge([MD5.replace("7ypf", "8ypf")]), true);
  match(authenticator.authorization(REQUEST)!, /nc=00000001/);
});

Deno.test("refused credentials are not offered twice, but for a stale nonce", () => {
  const authenticator = new Authenticator(USER, CLIENT_NONCE);
  equal(authenticator.challenge([MD5]), true);
  equal(authenticator.challenge([MD5.replace("7ypf", "8ypf")]), false);
  equal(authenticator.challenge([`${MD5}, stale=true`]), false, "the same nonce");
  equal(authenticator.challenge([`${MD5.replace("7ypf", "8ypf")}, stale=true`]), true);
});

Deno.test("there is no answer without credentials or a known method", () => {
  equal(new Authenticator(undefined, CLIENT_NONCE).challenge([MD5]), false);
  for (
    const header of ["", "Negotiate", 'Digest realm="x"', "Digest realm=x, nonce=y, qop=auth-int"]
  ) {
    equal(new Authenticator(USER, CLIENT_NONCE).challenge([header]), false, header);
  }
  equal(new Authenticator(USER, CLIENT_NONCE).challenge([`${MD5}-other`]), false);
});

Deno.test("quotes in names stay within their field", () => {
  const credentials = { user: 'a", x="', password: "b\\" };
  match(answer([MD5], credentials)!, /^Digest username="a\\", x=\\"", realm=/);
});
