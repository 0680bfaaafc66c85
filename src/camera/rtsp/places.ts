/**
 * Which addresses to use in requests, whatever a camera writes into its answers. Many name a host
 * that they do not have (0.0.0.0, the address of another network, no port): host and port are
 * always those that were dialled, and only path and query are taken. Pure.
 */

/** Some cameras write the password back into their answers. */
function withoutCredentials(url: string): string {
  return url.replace(/^(rtsps?:\/\/)[^/?]*@/i, "$1");
}

/** Scheme, host and port of an address. */
export function originOf(url: string): string {
  return /^rtsps?:\/\/[^/?]*/i.exec(url)?.[0] ?? "";
}

/** What `text` means at the place that was dialled; undefined for what cannot stand in a request. */
export function atPlace(dialled: string, text: string | undefined): string | undefined {
  if (text === undefined || !/^[\u0021-\u007e]+$/.test(text)) return undefined;
  const path = withoutCredentials(text).replace(/^rtsps?:\/\/[^/?]*/i, "");
  if (/^[/?]/.test(path)) return originOf(dialled) + path;
  return path === "" && /^rtsps?:/i.test(text) ? `${originOf(dialled)}/` : undefined;
}

/** The bases that a description may mean, the likelier first, each once. */
export function possibleBases(dialled: string, named: string | undefined): string[] {
  const base = atPlace(dialled, named);
  return base === undefined || base === dialled ? [dialled] : [base, dialled];
}
