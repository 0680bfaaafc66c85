/**
 * What a person sees where a browser would ask for a user name and a password (HTTP authentication, RFC 7235): no browser
 * does that for an answer of a service worker. Pure. Words that the service chose are shown as such. Its one line of script
 * keeps the fragment of the address: it goes with the form's, and from there with the redirect back.
 */
import { LOGIN_PATH } from "../../src/protocol/http.ts";
import type { LoginQuestion } from "../../src/protocol/login.ts";
import { escapeHtml } from "./error_page.ts";

/** Characters of a realm that are shown: it is the service's own text. */
const SHOWN_CHARACTERS = 120;

/** The page, in place of an answer of status 401. `nonce` is fresh random text. */
export function loginResponse(
  question: LoginQuestion,
  page: { title: string; shellOrigin: string; nonce: string },
): Response {
  return new Response(loginHtml(question, page), {
    status: 401,
    headers: {
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; style-src 'nonce-${page.nonce}'; ` +
        `script-src 'nonce-${page.nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'self' ${page.shellOrigin}`,
      "referrer-policy": "same-origin", // tells our own path which page to go back to
      "x-content-type-options": "nosniff",
    },
  });
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
  --line: #8c8c94; --action: #1d4ed8; --on-action: #fff; --bad: #b42318; --bad-ground: #fef3f2; }
@media (prefers-color-scheme: dark) {
  :root { --line: #85858f; --action: #9db8ff; --on-action: #101322; --bad: #ffb4a8; --bad-ground: #3a1512; } }
html { background: Canvas; color: CanvasText; }
body { max-width: 24rem; margin: 0 auto; padding: clamp(1.5rem, 12vh, 8rem) 1.5rem 1.5rem; }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
form { margin: 1.5rem 0; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
input { box-sizing: border-box; width: 100%; margin: 0 0 1rem; padding: .625rem .75rem; font: inherit;
  border: 1px solid var(--line); border-radius: .5rem; background: Canvas; color: CanvasText; }
button { width: 100%; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  border: 0; border-radius: .5rem; background: var(--action); color: var(--on-action); }
:focus-visible { outline: 2px solid var(--action); outline-offset: 2px; }
.refused { padding: .625rem .75rem; border-radius: .5rem; background: var(--bad-ground); color: var(--bad); }
.note { font-size: .875rem; }
q { font-style: italic; }
`;

function loginHtml(
  { realm, refused }: LoginQuestion,
  { title, nonce }: { title: string; nonce: string },
): string {
  const service = escapeHtml(title === "" ? "This service" : title);
  const area = shown(realm);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${service}: sign in</title>
<style nonce="${nonce}">${STYLE}</style>
<main>
<h1>${service} asks for a password</h1>
${area === "" ? "" : `<p>It calls this area <q>${escapeHtml(area)}</q>.</p>`}
${refused ? REFUSED : ""}
<form method="post" action="${LOGIN_PATH}">
<input type="hidden" name="realm" value="${escapeHtml(realm)}">
<label for="user">User name</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false"${
    refused ? "" : " autofocus"
  }>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"${
    refused ? ' autofocus aria-describedby="refused"' : ""
  }>
<button>Sign in</button>
</form>
<script nonce="${nonce}">document.forms[0].action += location.hash;</script>
<p class="note">Both go to the device and to nobody else. It keeps them in memory until it restarts, or until you have not
been here for a day, and meanwhile signs you in by itself.</p>
</main>
`;
}

const REFUSED =
  `<p class="refused" id="refused" role="alert">The service did not accept that user name and password.</p>`;

/** On one line, without characters that hide or reorder others. */
function shown(realm: string): string {
  const plain = realm.replace(/[\p{C}\p{Z}]+/gu, " ").trim();
  return plain.length <= SHOWN_CHARACTERS ? plain : `${plain.slice(0, SHOWN_CHARACTERS)}…`;
}
