/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { adaptPolicies } from "./csp.ts";

const DOWNLOAD = "https://x/.porthole/download";
const SOCKET = "https://x/.porthole/socket";
const NEEDS = { shellOrigin: "https://shell", script: "https://x/.porthole/inject.js", nonce: "N" };
const URL = NEEDS.script;

const CASES: readonly (readonly [why: string, policy: string, adapted: string])[] = [
  ["no scripts named: nothing to allow", "img-src 'self'", "img-src 'self'"],
  [
    "default-src is copied under the narrowest name",
    "default-src 'self' cdn.example",
    `default-src 'self' cdn.example; script-src-elem 'self' cdn.example ${URL}`,
  ],
  [
    "'none' gives way",
    "default-src 'none'",
    `default-src 'none'; script-src-elem ${URL}; frame-src ${DOWNLOAD}; connect-src ${SOCKET}`,
  ],
  [
    "our paths come in where our origin does not",
    "frame-src https://a; connect-src 'self'",
    `connect-src 'self'; frame-src https://a ${DOWNLOAD}`,
  ],
  ["reports would leave the tunnel", "img-src a; report-uri /r; report-to r", "img-src a"],
  ["our trusted types", "trusted-types 'none'", "trusted-types porthole porthole-worker"],
  ["a data: worker becomes a blob: one", "worker-src data:", "worker-src data: blob:"],
  [
    "script-src is in effect before default-src and stays for workers and eval",
    "default-src *; script-src 'unsafe-inline'",
    `default-src *; script-src 'unsafe-inline'; script-src-elem 'unsafe-inline' ${URL}`,
  ],
  [
    "script-src-elem is in effect before both",
    "script-src-elem 'nonce-a'; script-src 'none'",
    `script-src 'none'; script-src-elem 'nonce-a' ${URL}`,
  ],
  [
    "strict-dynamic ignores URLs: our nonce",
    "script-src 'nonce-a' 'Strict-Dynamic' 'unsafe-inline'",
    "script-src 'nonce-a' 'Strict-Dynamic' 'unsafe-inline'; " +
    "script-src-elem 'nonce-a' 'Strict-Dynamic' 'unsafe-inline' 'nonce-N'",
  ],
  ["the shell may frame", "frame-ancestors 'none'", "frame-ancestors https://shell"],
  [
    "other ancestors stay",
    "Frame-Ancestors 'self' https://a",
    "frame-ancestors 'self' https://a https://shell",
  ],
  ["an upgrade would leave our origin", "upgrade-insecure-requests", ""],
  ["only the first of a name counts", "img-src a; img-src b", "img-src a"],
  [
    "each policy of a list for itself",
    "frame-ancestors 'none', block-all-mixed-content, img-src 'self'",
    "frame-ancestors https://shell, img-src 'self'",
  ],
  ["nonsense stays harmless", ";; , ;", ""],
];

for (const [why, policy, adapted] of CASES) {
  Deno.test(`adaptPolicies(): ${why}`, () => {
    assert.equal(adaptPolicies(policy, NEEDS), adapted);
  });
}

Deno.test("adaptPolicies(): an isolated page may start our worker, whatever its scripts may come from", () => {
  const isolated = { ...NEEDS, isolated: true };
  const adapted = adaptPolicies("script-src 'nonce-a'; img-src *", isolated);
  assert.match(adapted, new RegExp(`worker-src 'nonce-a' ${URL}(?:;|$)`));
  assert.doesNotMatch(adaptPolicies("script-src 'self'", isolated), /worker-src/);
});
