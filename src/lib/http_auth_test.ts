import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  basicAuthorization,
  digestAuthorization,
  type DigestMethod,
  fromByteString,
  nextNonce,
  parseChallenges,
  pickMethod,
  toByteString,
} from "./http_auth.ts";

const MUFASA = { user: "Mufasa", password: "Circle of Life" };
// RFC 7616 3.9.1
const USE = {
  method: "GET",
  uri: "/dir/index.html",
  count: 1,
  clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
};
const FIELDS = 'realm="http-auth@example.org", qop="auth, auth-int", ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

function method(header: string): DigestMethod {
  const picked = pickMethod(parseChallenges([header]));
  if (picked?.type !== "digest") throw new Error(`no Digest in ${header}`);
  return picked;
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

Deno.test("Digest answers are those of RFC 7616 3.9.1", () => {
  const answers = [["MD5", "8ca523f5e9506fed4657c9700eebdbec"], [
    "SHA-256",
    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
  ]];
  for (const [algorithm, response] of answers) {
    const digest = method(`Digest ${FIELDS}, algorithm=${algorithm}`);
    match(digestAuthorization(digest, MUFASA, USE), new RegExp(`response="${response}"`));
  }
});

Deno.test("a session's key of Digest is made of both nonces", () => {
  const digest = method('Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess');
  const secret = md5(`${md5("Mufasa:r:Circle of Life")}:n:${USE.clientNonce}`);
  const response = md5(
    `${secret}:n:00000001:${USE.clientNonce}:auth:${md5("GET:/dir/index.html")}`,
  );
  match(digestAuthorization(digest, MUFASA, USE), new RegExp(`response="${response}".*cnonce=`));
});

Deno.test("the strongest method is picked whatever the order", () => {
  const all = ["Basic realm=x", `Digest ${FIELDS}`, `Digest ${FIELDS}, algorithm=SHA-256`];
  for (const headers of [all, all.toReversed(), [all.join(", ")]]) {
    const picked = pickMethod(parseChallenges(headers));
    equal(picked?.type === "digest" && picked.hash, "sha256");
  }
  equal(pickMethod(parseChallenges(["Negotiate", "NTLM"])), undefined);
  equal(pickMethod(parseChallenges(["Digest realm=x, nonce=y, qop=auth-int"])), undefined);
});

Deno.test("Basic carries user and password in UTF-8 (RFC 7617 2.1)", () => {
  const who = { user: "test", password: toByteString("123£") };
  equal(basicAuthorization(who), "Basic dGVzdDoxMjPCow==");
});

Deno.test("quotes stay within their field", () => {
  const who = { user: 'a", x="', password: "b\\" };
  const digest = method(`Digest ${FIELDS}`);
  match(digestAuthorization(digest, who, USE), /^Digest username="a\\", x=\\"", realm=/);
});

Deno.test("several challenges in one header are told apart", () => {
  const found = parseChallenges(['Digest realm="a, b=\\"c\\"", nonce=n , Basic realm="z"']);
  deepEqual(found.map((one) => [one.scheme, Object.fromEntries(one.parameters)]), [
    ["digest", { realm: 'a, b="c"', nonce: "n" }],
    ["basic", { realm: "z" }],
  ]);
});

Deno.test("a challenge cut anywhere gives a method or none, and never throws", () => {
  const header = `Digest ${FIELDS}, algorithm=SHA-256, stale=TRUE`;
  equal(method(header).stale, true);
  for (let end = 0; end <= header.length; end++) {
    const picked = pickMethod(parseChallenges([header.slice(0, end)]));
    if (picked?.type === "digest") digestAuthorization(picked, MUFASA, USE);
  }
});

Deno.test("random challenges never throw, and no answer has a control character", () => {
  const piece = fc.constantFrom("Digest", "Basic", "realm", "nonce", "=", '"', ",", " ", "\\", "x");
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
    const picked = pickMethod(parseChallenges([pieces.join("")]));
    if (picked?.type !== "digest") return;
    // deno-lint-ignore no-control-regex -- the point is that there is none
    equal(/[\x00-\x1f\x7f]/.test(digestAuthorization(picked, MUFASA, USE)), false);
  }));
});

Deno.test("a next nonce is read, and only where there is one", () => {
  equal(nextNonce('nextnonce="abc", qop=auth'), "abc");
  equal(nextNonce('rspauth="abc"'), undefined);
});

Deno.test("byte strings go both ways", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    equal(fromByteString(toByteString(text)), text);
  }));
  notEqual(toByteString("é"), "é");
});
