/** Where a device dials, and how an answer shows that it is not from a rendezvous. */

/** The address of the device's end; `http` and `https` are taken for what they mean. Throws an Error for people. */
export function deviceUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text.replace(/^http/i, "ws")) : undefined;
  const isWebSocket = url?.protocol === "ws:" || url?.protocol === "wss:";
  if (url === undefined || !isWebSocket || url.search || url.hash || url.username || url.password) {
    throw new Error(
      `Cannot use rendezvous '${text}': it is not an address like wss://meet.example.org`,
    );
  }
  return `${url.href.replace(/\/$/, "")}/v1/device`;
}

/**
 * Whether an error of `ws` says that a web page answered: a captive portal shows its own, leads elsewhere, or says so
 * (RFC 6585 6). A rendezvous or what stands before it answers with 4xx and 5xx.
 */
export function isPortal(message: string): boolean {
  return /^Unexpected server response: (?:2\d\d|3\d\d|511)$/.test(message);
}
