/**
 * What every case's page has: it observes one thing after another, each under a time limit, and leaves its verdict in
 * `globalThis.conformance` for the runner. What cannot be the same by nature, the address of the page itself, reads HERE.
 */
const LIMIT_MS = 120_000;

/** How long to wait for what is known never to come one of both ways. */
const NEVER_MS = 20_000;

export const isFirefox = navigator.userAgent.includes("Firefox");

/** Firefox ends a service worker after 30 s although it answers; elsewhere a short pause shows as much. */
export const PAUSE_MS = isFirefox ? 35_000 : 5_000;

const verdict = globalThis.conformance = { checks: {}, measured: {}, done: false };

/** Observes one thing. An error is an observation too, by its name; no answer at all is not one. */
export async function check(name, observe, limitMs = LIMIT_MS) {
  const late = sleep(limitMs).then(() => `TIMEOUT after ${limitMs} ms`);
  const seen = Promise.resolve().then(observe).catch((error) => `threw ${error?.name ?? error}`);
  verdict.checks[name] = homeless(await Promise.race([seen, late]));
}

/** Several checks side by side. */
export async function all(checks) {
  await Promise.all(Object.entries(checks).map(([name, observe]) => check(name, observe)));
}

/** What comes, or "nothing". */
export function orNothing(seen, limitMs = NEVER_MS) {
  return Promise.race([seen, sleep(limitMs).then(() => "nothing")]);
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function text(path, init) {
  return await (await fetch(path, init)).text();
}

export async function json(path, init) {
  return await (await fetch(path, init)).json();
}

/** Asks the device until it says what is wanted. */
export async function until(path, isWanted) {
  for (;;) {
    const answer = await json(path);
    if (isWanted(answer)) return answer;
    await sleep(50);
  }
}

export async function sha256(data) {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The first event of this type. */
export function once(target, type) {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}

/** Takes events of one type in their order, none lost between two looks. */
export function inbox(target, type = "message") {
  const events = [];
  let wake = () => {};
  target.addEventListener(type, (event) => {
    events.push(event);
    wake();
  });
  return async () => {
    while (events.length === 0) await new Promise((resolve) => wake = resolve);
    return events.shift();
  };
}

/** A frame at `path`, once it is loaded. */
export async function frame(path, attributes = {}) {
  const element = document.createElement("iframe");
  Object.assign(element, attributes);
  element.src = path;
  const loaded = once(element, "load");
  document.body.append(element);
  await loaded;
  return element;
}

/** The first message that a frame, a worker or a window of ours sends with this name. */
export function message(name) {
  return new Promise((resolve) => {
    addEventListener("message", function take({ data }) {
      if (data?.name !== name) return;
      removeEventListener("message", take);
      resolve(data.value);
    });
  });
}

/** The page's WebSocket address of a path. */
export function socketUrl(path) {
  return location.origin.replace("http", "ws") + path;
}

/** Opened, or what it came to. */
export async function openSocket(path, protocols) {
  const socket = new WebSocket(socketUrl(path), protocols);
  socket.binaryType = "arraybuffer";
  const { type } = await Promise.race([once(socket, "open"), once(socket, "close")]);
  if (type === "close") throw new DOMException("closed", "SocketClosed");
  return socket;
}

function homeless(value) {
  const written = JSON.stringify(value ?? null);
  return JSON.parse(written.replaceAll(location.host, "HERE"));
}

import("/page.js")
  .catch((error) => verdict.checks["the page itself"] = `FAILED: ${error}`)
  .then(() => verdict.done = true);
