/**
 * A device's Content-Security-Policy, changed in exactly two places: the shell may frame the page, and our one script
 * may run in it. Pure. Everything else that the device forbids stays forbidden.
 */

/** What a page's policy must not forbid. */
export interface PolicyNeeds {
  readonly shellOrigin: string;
  /** Absolute URL of our script. */
  readonly script: string;
  /** A fresh nonce for it, used only where a policy ignores URLs ("strict-dynamic"). */
  readonly nonce: string;
}

type Directive = readonly [name: string, ...sources: string[]];

/** These ask the browser to leave http, which is right for the device's origin and wrong for ours. */
const DROPPED = new Set(["upgrade-insecure-requests", "block-all-mixed-content"]);

/** Adapts one header value, which may hold several policies separated by commas (CSP3 2.2). */
export function adaptPolicies(value: string, needs: PolicyNeeds): string {
  return value.split(",").map((policy) => adaptPolicy(policy, needs)).filter((policy) =>
    policy !== ""
  ).join(", ");
}

function adaptPolicy(policy: string, needs: PolicyNeeds): string {
  const directives = parse(policy).filter(([name]) => !DROPPED.has(name));
  const adapted = directives.map((directive) =>
    directive[0] === "frame-ancestors" ? allow(directive, needs.shellOrigin) : directive
  );
  return write(allowScript(adapted, needs));
}

/** Only the first directive of a name counts (CSP3 2.2.1). */
function parse(policy: string): Directive[] {
  const seen = new Map<string, Directive>();
  for (const text of policy.split(";")) {
    const [name, ...sources] = text.trim().split(/[\t\n\f\r ]+/);
    const key = name!.toLowerCase(); // split gives at least one item
    if (key !== "" && !seen.has(key)) seen.set(key, [key, ...sources]);
  }
  return [...seen.values()];
}

function write(directives: readonly Directive[]): string {
  return directives.map((directive) => directive.join(" ")).join("; ");
}

/** Adds a source; 'none' means nothing beside another source and would be a warning. */
function allow([name, ...sources]: Directive, source: string): Directive {
  return [name, ...sources.filter((present) => present.toLowerCase() !== "'none'"), source];
}

/**
 * `script-src-elem` falls back to `script-src` and that to `default-src` (CSP3 6.8.3). A copy of whatever is in effect
 * under the narrowest name lets one script element in and opens nothing for workers, eval or event handlers.
 */
function allowScript(directives: Directive[], needs: PolicyNeeds): Directive[] {
  const find = (name: string) => directives.find((directive) => directive[0] === name);
  const inEffect = find("script-src-elem") ?? find("script-src") ?? find("default-src");
  if (inEffect === undefined) return directives;
  const sources = inEffect.slice(1);
  const strict = sources.some((source) => source.toLowerCase() === "'strict-dynamic'");
  // A nonce switches 'unsafe-inline' off, and 'strict-dynamic' has done that already.
  const source = strict ? `'nonce-${needs.nonce}'` : needs.script;
  const others = directives.filter(([name]) => name !== "script-src-elem");
  return [...others, allow(["script-src-elem", ...sources], source)];
}
