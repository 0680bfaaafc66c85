/**
 * Values for pages that take only trusted ones (Trusted Types). Our policies are named in the page's own list by
 * web/sw/csp.ts; they pass what they are given, which is what the page itself trusted, with our script in front.
 */

interface Policy {
  createHTML(text: string): string;
  createScriptURL(url: string): string;
}

interface Factory {
  createPolicy(name: string, rules: Policy): Policy;
}

const NAME = "porthole";

let policy: Policy | undefined;

function ownPolicy(): Policy {
  const same: Policy = { createHTML: (text) => text, createScriptURL: (url) => url };
  const { trustedTypes } = globalThis as { trustedTypes?: Factory };
  return policy ??= trustedTypes?.createPolicy(NAME, same) ?? same;
}

/** HTML for a page's own frame. */
export function trustedHtml(text: string): string {
  return ownPolicy().createHTML(text);
}

/** Address of a script. */
export function trustedScriptUrl(url: string): string {
  return ownPolicy().createScriptURL(url);
}

/** The line with which a classic worker loads a script of ours; it has a policy of its own for that. */
export function importLine(script: string): string {
  return `importScripts(self.trustedTypes?trustedTypes.createPolicy("${NAME}-worker",` +
    `{createScriptURL:(url)=>url}).createScriptURL("${script}"):"${script}");`;
}
