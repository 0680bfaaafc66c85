/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { doorway, isForeignVisit, keepReferrersTrue, type Visit } from "./doorway.ts";

const SHELL = "https://porthole.example";
const OWN = "https://x.content.example";

function visit(changes: Partial<Visit> = {}): Visit {
  const base = { url: `${OWN}/a?b=1`, method: "GET", referrer: "" };
  return { ...base, mode: "navigate", destination: "iframe", ...changes };
}

Deno.test("only the shell and the origin itself are no strangers to it", () => {
  const foreign = (referrer: string, changes: Partial<Visit> = {}) =>
    isForeignVisit(visit({ referrer, ...changes }), SHELL);
  assert.equal(foreign(`${SHELL}/`), false);
  assert.equal(foreign(`${OWN}/page`), false);
  assert.equal(foreign(`${OWN}/page`, { method: "POST" }), false);
  const strangers = [
    "",
    "about:client",
    "https://y.content.example/",
    `${OWN}:444/`,
    `${OWN}.evil.example/`,
    `https://evil.example/${SHELL}/`,
    `${SHELL}@evil.example/`,
    "http://x.content.example/",
  ];
  for (const stranger of strangers) {
    assert.equal(foreign(stranger), true, stranger);
    assert.equal(foreign(stranger, { method: "POST" }), true, stranger);
  }
});

Deno.test("the shell sends no forms", () => {
  assert.equal(isForeignVisit(visit({ referrer: `${SHELL}/`, method: "POST" }), SHELL), true);
});

Deno.test("what a page loads for itself is no visit, whatever referrer it sends", () => {
  for (const destination of ["", "script", "image", "worker"] as const) {
    assert.equal(isForeignVisit(visit({ mode: "no-cors", destination }), SHELL), false);
  }
  for (const destination of ["document", "iframe", "object", "embed"] as const) {
    assert.equal(isForeignVisit(visit({ mode: "no-cors", destination }), SHELL), true);
  }
});

Deno.test("a doorway shows service and address as text, and only the shell and its origin frame it", async () => {
  const answer = doorway(visit({ url: `${OWN}/<b>"?x=<i>` }), {
    title: "<Gate>",
    shellOrigin: SHELL,
  });
  assert.equal(answer.status, 200);
  const policy = answer.headers.get("content-security-policy") ?? "";
  assert.ok(policy.endsWith(`frame-ancestors 'self' ${SHELL}`));
  assert.match(policy, /^default-src 'none'; script-src https:\/\/x\.content\.example\/\.porthole/);
  assert.equal(answer.headers.get("referrer-policy"), "same-origin");
  const html = await answer.text();
  assert.match(html, /Open &#60;Gate&#62;\?/);
  assert.doesNotMatch(html, /<b>|<i>|<Gate>/);
});

Deno.test("a stranger's form is refused in words, without a button", async () => {
  const answer = doorway(visit({ method: "POST" }), { title: "", shellOrigin: SHELL });
  assert.equal(answer.status, 403);
  const html = await answer.text();
  assert.match(html, /Nothing was sent/);
  assert.doesNotMatch(html, /<script|id="open"/);
});

Deno.test("a page that sends no referrers sends them to itself", () => {
  const policy = (value: string) =>
    keepReferrersTrue(visit(), new Response("", { headers: { "referrer-policy": value } }))
      .headers.get("referrer-policy");
  assert.equal(policy("no-referrer"), "same-origin");
  assert.equal(policy("No-Referrer, origin"), "same-origin, origin");
  assert.equal(policy("no-referrer-when-downgrade"), "no-referrer-when-downgrade");
  assert.equal(policy("strict-origin"), "strict-origin");
});

Deno.test("a redirect to another origin never carries the shell's name there", async () => {
  const redirect = (location: string, changes: Partial<Visit> = {}) =>
    keepReferrersTrue(
      visit({ referrer: `${SHELL}/`, ...changes }),
      new Response(null, { status: 302, headers: { location } }),
    );
  const moved = redirect(`https://y.content.example/?a="><script>`);
  assert.equal(moved.status, 200);
  assert.equal(moved.headers.get("referrer-policy"), "origin");
  const html = await moved.text();
  assert.match(html, /content="0;url=https:\/\/y\.content\.example\/\?a=%22%3E%3Cscript%3E"/);
  assert.equal(redirect("//y.content.example/").status, 200);
  assert.equal(redirect("/there").status, 302);
  assert.equal(redirect(`${OWN}/there`).status, 302);
  assert.equal(redirect("https://y.example/", { referrer: `${OWN}/` }).status, 302);
  assert.equal(redirect("https://y.example/", { mode: "cors" }).status, 302);
});
