// Runs in browsers: what a hostile page of a device tries, and the baits that it must not get. Each probe gives what it
// reached as text beginning with "reached", or else throws or gives why not. `attempt` makes one line of either.

const WAIT_MS = 1500; // for an answer that must not come; what comes later is found in the baits' own notes

const later = (ms, value) => new Promise((resolve) => setTimeout(() => resolve(value), ms));
const settled = (start) => Promise.race([new Promise(start), later(WAIT_MS, "no answer")]);

/** Functions of a realm that porthole's injected script has not touched. */
function freshRealm() {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  return frame.contentWindow;
}

/** What only the owner of this origin knows, stored in every way; and ears for whoever calls. */
globalThis.layBaits = async (name) => {
  const bait = `bait of ${name}`;
  globalThis.heard = [];
  localStorage.setItem("bait", bait);
  sessionStorage.setItem("bait", bait);
  document.cookie = `bait=${encodeURIComponent(bait)}; path=/`;
  const cache = await caches.open("bait");
  await cache.put("/bait-kept", new Response(bait));
  const channel = new BroadcastChannel("bait");
  channel.onmessage = ({ data }) => {
    if (data.ask === undefined) return;
    globalThis.heard.push(data.ask);
    channel.postMessage({ answer: bait });
  };
  globalThis.baitChannel = channel; // kept alive
  addEventListener("message", ({ data }) => {
    if (data?.ask === undefined) return;
    globalThis.heard.push(data.ask);
  });
  globalThis.name = "bait-window";
};

/** What the shell of a design without isolation keeps beside that: a key in the shell's database, a worker. */
globalThis.layNaiveKeys = async () => {
  const keys = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const request = indexedDB.open("porthole", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("keys");
  const database = await new Promise((resolve) =>
    request.onsuccess = () => resolve(request.result)
  );
  const transaction = database.transaction("keys", "readwrite");
  transaction.objectStore("keys").put(keys, "browser");
  await new Promise((resolve) => transaction.oncomplete = resolve);
  database.close();
  globalThis.baitWorker = new SharedWorker("/shared.js", "bait");
  globalThis.baitWorker.port.postMessage({ keep: "bait of naive" });
  globalThis.porthole = { state: () => "live" };
};

async function signWithStoredKey(factory) {
  const request = factory.open("porthole");
  const database = await new Promise((resolve, reject) => {
    request.onupgradeneeded = () => request.transaction.abort();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error("no database"));
  });
  try {
    const get = database.transaction("keys").objectStore("keys").get("browser");
    const keys = await new Promise((resolve) => get.onsuccess = () => resolve(get.result));
    const signed = await crypto.subtle.sign("Ed25519", keys.privateKey, new Uint8Array(1));
    return `reached: a signature of ${signed.byteLength} bytes`;
  } finally {
    database.close();
  }
}

function bait(text) {
  return text?.includes("bait of") ? `reached: ${text}` : "nothing there";
}

/** What a window of another origin shows to all (HTML 7.2.1.3.1). */
const OPEN_TO_ALL = new Set(
  "window self location close closed focus blur frames length top opener parent postMessage then"
    .split(" "),
);

function properties(other) {
  const readable = Object.getOwnPropertyNames(globalThis).filter((name) => {
    if (OPEN_TO_ALL.has(name) || /^\d+$/.test(name)) return false;
    try {
      return other[name] !== undefined;
    } catch {
      return false;
    }
  });
  return readable.length > 0 ? `reached: ${readable.length} properties` : "no property";
}

async function register(script, scope) {
  const realm = freshRealm();
  const call = realm.ServiceWorkerContainer.prototype.register;
  const registration = await call.call(navigator.serviceWorker, script, { scope });
  await registration.unregister();
  const isReal = registration instanceof ServiceWorkerRegistration;
  return isReal ? `reached: ${registration.scope}` : "pretended";
}

function load(element, attributes) {
  return settled((resolve) => {
    const created = Object.assign(document.createElement(element), attributes);
    created.onload = () => resolve("reached: loaded");
    created.onerror = () => resolve("not loaded");
    document.body.append(created);
  });
}

/** Where a window is; undefined where that may not be read. */
function address(opened) {
  try {
    return opened.location.href;
  } catch {
    return undefined;
  }
}

/** A window of this page's own, outside of the frame's sandbox. */
function popup() {
  const opened = open("about:blank", "_blank");
  if (opened === null) throw new Error("no popup");
  return opened;
}

/**
 * `target` says who is attacked: `shell` with `file`, `script`, `image` and `worker` that it serves, `others` (origins of another
 * service and of another device) and the `site` that all are of.
 */
const PROBES = {
  async "signs with the shell's key"() {
    return await signWithStoredKey(indexedDB);
  },
  async "lists the shell's databases"() {
    const found = (await indexedDB.databases()).map(({ name }) => name);
    return found.includes("porthole") ? "reached: porthole" : "no such database";
  },
  async "reads caches"() {
    for (const name of await caches.keys()) {
      for (const request of await (await caches.open(name)).keys()) {
        const found = bait(await (await caches.match(request, { cacheName: name })).text());
        if (found.startsWith("reached")) return found;
      }
    }
    return "nothing there";
  },
  "reads localStorage"() {
    return bait(Object.values({ ...localStorage }).join());
  },
  "reads sessionStorage"() {
    return bait(Object.values({ ...sessionStorage }).join());
  },
  "reads cookies"() {
    return bait(decodeURIComponent(document.cookie));
  },
  async "asks on a BroadcastChannel"() {
    const channel = new BroadcastChannel("bait");
    const answer = await settled((resolve) => {
      channel.onmessage = ({ data }) => data.answer && resolve(bait(data.answer));
      channel.postMessage({ ask: location.origin });
    });
    channel.close();
    return answer;
  },
  async "joins the shell's SharedWorker"({ shell, worker: script }) {
    const worker = new SharedWorker(shell + script, "bait");
    return await settled((resolve) => {
      worker.onerror = () => resolve("not loaded");
      worker.port.onmessage = ({ data }) => resolve(bait(data));
      worker.port.postMessage({});
    });
  },
  async "starts a worker of the shell's"({ shell, worker }) {
    return await settled((resolve) => {
      const started = new Worker(shell + worker);
      started.onerror = () => resolve("not loaded");
      started.onmessage = () => resolve("reached: a worker");
    });
  },
  async "puts the shell's script under its own scope"({ shell }) {
    return await register(`${shell}/worker.js`, "/bait/");
  },
  async "puts its script over the shell"({ shell }) {
    return await register("/worker.js", `${shell}/bait/`);
  },
  async "puts its script over another service"({ others: [other] }) {
    return await register("/worker.js", `${other}/bait/`);
  },
  async "puts a service worker of its own in place of ours"() {
    return await register("/worker.js", "/");
  },
  "reads parent.document"() {
    return `reached: ${parent.document.title}`;
  },
  "reads top.document"() {
    return `reached: ${top.document.title}`;
  },
  "reads parent.location"() {
    return `reached: ${parent.location.href}`;
  },
  "reads parent.localStorage"() {
    return bait(parent.localStorage.getItem("bait"));
  },
  async "opens parent.indexedDB"() {
    return await signWithStoredKey(parent.indexedDB);
  },
  "calls the shell's own functions"() {
    return `reached: ${parent.porthole.state()}`;
  },
  "reads the shell's window name"() {
    return `reached: ${top.name}`;
  },
  "reads any property of the parent"() {
    return properties(parent);
  },
  "reads its frame element"() {
    return frameElement === null ? "null" : `reached: ${frameElement.tagName}`;
  },
  "writes a property of the parent"() {
    parent.taken = true;
    return "reached: written";
  },
  async "asks for storage access, then for the key"() {
    let handle;
    try {
      handle = await document.requestStorageAccess({ all: true }); // Chromium's form
    } catch {
      await document.requestStorageAccess().catch(() => {});
    }
    return await signWithStoredKey(handle?.indexedDB ?? indexedDB);
  },
  async "fetches the shell"({ shell, file }) {
    return `reached: ${(await (await fetch(shell + file)).text()).slice(0, 40)}`;
  },
  async "fetches the shell without CORS"({ shell, file }) {
    const answer = await fetch(shell + file, { mode: "no-cors" });
    return answer.type === "opaque" ? "opaque" : `reached: ${await answer.text()}`;
  },
  async "runs the shell's script as its own"({ shell, script }) {
    return await load("script", { src: shell + script });
  },
  async "shows the shell's picture"({ shell, image }) {
    return await load("img", { src: shell + image });
  },
  async "asks the shell by XMLHttpRequest"({ shell, file }) {
    return await settled((resolve) => {
      const request = new XMLHttpRequest();
      request.onload = () => resolve(`reached: ${request.responseText.slice(0, 40)}`);
      request.onerror = () => resolve("refused");
      request.open("GET", shell + file);
      request.send();
    });
  },
  async "fetches another service"({ others: [other] }) {
    return bait(await (await fetch(`${other}/bait?fetch`)).text());
  },
  async "fetches another service without CORS"({ others: [other] }) {
    const answer = await fetch(`${other}/bait?no-cors`, { mode: "no-cors" });
    return answer.type === "opaque" ? "opaque" : bait(await answer.text());
  },
  async "runs another service's script"({ others: [other] }) {
    return await load("script", { src: `${other}/bait.js?element` });
  },
  async "shows another service's picture"({ others: [other] }) {
    return await load("img", { src: `${other}/bait.svg?element` });
  },
  async "fetches another device"({ others }) {
    return bait(await (await fetch(`${others.at(-1)}/bait?fetch`)).text());
  },
  async "runs another device's script"({ others }) {
    return await load("script", { src: `${others.at(-1)}/bait.js?element` });
  },
  async "talks to the rendezvous as a browser"({ shell }) {
    const realm = freshRealm(); // porthole's own WebSocket would send it to the device
    return await settled((resolve) => {
      const socket = new realm.WebSocket(`${shell.replace("http", "ws")}/v1/browser`);
      socket.onopen = () => {
        socket.close();
        resolve("reached: open");
      };
      socket.onerror = () => resolve("refused");
    });
  },
  async "reads a frame of another service"({ others: [other] }) {
    const frame = document.createElement("iframe");
    const loaded = settled((resolve) => frame.onload = () => resolve("loaded"));
    frame.src = `${other}/bait?frame`;
    document.body.append(frame);
    await loaded;
    return bait(frame.contentWindow.document.body.textContent);
  },
  async "reads the shell in a frame"({ shell, file }) {
    const frame = document.createElement("iframe");
    const loaded = settled((resolve) => frame.onload = () => resolve("loaded"));
    frame.src = shell + file;
    document.body.append(frame);
    await loaded;
    return `reached: ${frame.contentWindow.document.body.textContent}`;
  },
  "reads the shell through a popup's opener"() {
    const opened = popup();
    try {
      return `reached: ${opened.eval("opener.top.document.title")}`;
    } finally {
      opened.close();
    }
  },
  async "keeps hold of a shell that it opened"({ shell }) {
    const opened = open(`${shell}/`, "_blank");
    for (let looks = 0; looks < 20; looks++) {
      if (opened.closed) return "closed to it";
      const here = address(opened);
      if (here?.startsWith(shell)) {
        opened.close();
        return `reached: ${here}`;
      }
      await later(250);
    }
    opened.close();
    return "reached: the window";
  },
  "sets document.domain and reads again"({ site }) {
    try {
      document.domain = site;
    } catch {
      // Refused or without effect: what counts comes next.
    }
    return `reached: ${parent.document.title}`;
  },
};

/** What changes the shell's address where it works; whoever drives the browser looks. */
const NAVIGATIONS = {
  "assigns top.location": (url) => {
    top.location.href = url;
  },
  "replaces parent.location": (url) => parent.location.replace(url),
  "opens in _top": (url) => open(url, "_top"),
  "opens in _parent": (url) => open(url, "_parent"),
  "opens in the shell's window by name": (url) => open(url, "bait-window"),
  "clicks a link to _top": (url) => {
    const link = Object.assign(document.createElement("a"), { href: url, target: "_top" });
    document.body.append(link);
    link.click();
  },
  "submits a form to _top": (url) => {
    const form = Object.assign(document.createElement("form"), { action: url, target: "_top" });
    document.body.append(form);
    form.submit();
  },
  "assigns from a nested frame": (url) => freshRealm().eval(`top.location.href = "${url}"`),
  "assigns from a popup": (url) => popup().eval(`opener.top.location.href = "${url}"`),
};

/** Every message that shell, bridge or pump takes from anybody, as a page could forge it. */
const FORGERIES = (origin) => [
  { porthole: "bridge-hello" },
  { porthole: "bridge-failed", reason: "<b>forged</b>" },
  { porthole: "bridge-port", title: "forged" },
  { porthole: "bridge-ready" },
  { porthole: "ping" },
  { porthole: "stream", head: { kind: "http", method: "GET", path: "/forged", headers: [] } },
  { porthole: "open", head: { kind: "http", method: "GET", path: "/forged", headers: [] } },
  { porthole: "navigated", href: "https://evil.example/forged", title: "forged" },
  { porthole: "navigated", href: "javascript:alert(1)", title: "forged" },
  { porthole: "navigated", href: `${origin}/forged`, title: "forged" },
  { type: "service", service: "neighbour" },
  { type: "channel" },
  { type: "close" },
  { type: "stats" },
  { type: "ready" },
  { type: "open", head: { kind: "http", method: "GET", path: "/forged", headers: [] } },
  "bridge-hello",
  null,
];

/** Says all forgeries, each with a port; what comes back on the ports is in `answers`. */
function forge(post, origin) {
  for (const message of FORGERIES(origin)) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => globalThis.answers.push(data);
    post(message, [port2]);
  }
}

globalThis.answers = [];

/** To the shell, from here and from a nested frame: whoever drives the browser looks at the shell. */
globalThis.forgeToShell = (other) => {
  forge((message, ports) => parent.postMessage(message, "*", ports), other);
  // The nested frame is the sender of what a function of its own realm posts.
  const post = freshRealm().Function("message", "ports", `top.postMessage(message, "*", ports)`);
  forge(post, other);
  forge(post, location.origin);
};

/** To another service's bridge, framed and in a window of its own, in the shell's place. */
globalThis.forgeToBridge = async (other) => {
  const frame = document.createElement("iframe");
  const loaded = settled((resolve) => frame.onload = resolve);
  frame.src = `${other}/.porthole/bridge.html`;
  document.body.append(frame);
  const opened = open(`${other}/.porthole/bridge.html`, "_blank");
  await loaded;
  await later(WAIT_MS);
  for (const bridge of [frame.contentWindow, opened]) {
    forge((message, ports) => bridge.postMessage(message, "*", ports), location.origin);
  }
  await later(WAIT_MS);
  opened.close();
  frame.remove();
};

/** The window of this origin's bridge: same origin, so it is open to the page. */
function bridgeWindow() {
  for (let index = 0; index < parent.length; index++) {
    try {
      if (parent.frames[index].location.pathname.endsWith("/bridge.html")) {
        return parent.frames[index];
      }
    } catch {
      // another origin's
    }
  }
  throw new Error("no bridge");
}

/** Speaks as the bridge, so that the shell hands a port to the pump over; then says everything on it. */
globalThis.stealPort = async (service) => {
  const bridge = bridgeWindow();
  const port = await new Promise((resolve) => {
    bridge.addEventListener("message", ({ data, ports }) => {
      if (data?.porthole === "bridge-port") resolve(ports[0]);
    });
    const script = bridge.document.createElement("script"); // of this origin, as its policy demands
    script.src = "/hello.js";
    bridge.document.head.append(script);
  });
  forge((message, ports) => port.postMessage(message, ports), location.origin);
  const heads = [
    { kind: "http", method: "GET", path: "/bait?stolen", headers: [], service },
    { kind: "http", method: "GET", path: "/bait?stolen", headers: [["service", service]], service },
  ];
  const texts = [];
  for (const head of heads) texts.push(await ask(port, { type: "open", head, service }));
  return texts;
};

/** The text that comes back on a stream. */
function ask(port, message) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    let text = "";
    port1.onmessage = ({ data }) => {
      if (data.type === "data") text += new TextDecoder().decode(data.bytes);
      if (data.type === "end") resolve(text);
      if (data.type === "error") resolve(`error ${data.code}`);
    };
    port.postMessage(message, [port2]);
    port1.postMessage({ type: "body-end" });
  });
}

/** Cookies for whoever is named like this page. */
globalThis.toss = (site) => {
  document.cookie = "kept=own; path=/";
  for (const domain of [site, `.${site}`, "porthole.localhost", "localhost"]) {
    document.cookie = `tossed=${"x".repeat(20)}; domain=${domain}; path=/`;
  }
  return document.cookie;
};

/** Puts an element into the page. */
function put(name, attributes, into = document.body) {
  const element = Object.assign(document.createElement(name), attributes);
  into.append(element);
  return element;
}

/** Requests to another service without reading the answer. `blind` is the name of a frame that is there. */
const BLIND = {
  "frame": (url) => put("iframe", { src: url }),
  "frame-without-referrer": (url) => put("iframe", { referrerPolicy: "no-referrer", src: url }),
  "link": (url) => put("a", { href: url, target: "blind-link" }).click(),
  "link-without-referrer": (url) => {
    put("a", { href: url, target: "blind-quiet", rel: "noreferrer" }).click();
  },
  "form": (url) => put("form", { action: url, method: "POST", target: "blind" }).submit(),
  "form-without-referrer": (url) => {
    const meta = put("meta", { name: "referrer", content: "origin" }, document.head);
    meta.content = "no-referrer"; // not as porthole looks for it
    put("form", { action: url, method: "POST", target: "blind-form" }).submit();
    meta.remove();
  },
  "window": (url) => {
    const opened = open(url, "_blank");
    setTimeout(() => opened.location.replace(`${url}-again`), WAIT_MS / 2);
    setTimeout(() => opened.close(), WAIT_MS);
  },
  "object": (url) => put("object", { data: url }),
  "embed": (url) => put("embed", { src: url }),
  "image": (url) => put("img", { src: url }),
  "script": (url) => put("script", { src: url }),
  "style": (url) => put("link", { rel: "stylesheet", href: url }, document.head),
  "post": (url) => fetch(url, { method: "POST", mode: "no-cors", body: "x" }).catch(() => {}),
  "beacon": (url) => navigator.sendBeacon(url, "x"),
  "event-stream": (url) => {
    const source = new EventSource(url);
    setTimeout(() => source.close(), WAIT_MS / 2);
  },
};

/** All of them, one at a time. */
globalThis.callBlindly = async (other) => {
  for (const name of ["blind", "blind-link", "blind-quiet", "blind-form"]) put("iframe", { name });
  for (const [name, request] of Object.entries(BLIND)) request(`${other}/?blind-${name}`);
  await later(2 * WAIT_MS);
};

/** The same by leaving: the shell's own frame goes to another service. */
const LEAVES = {
  "location": (url) => location.href = url,
  "link": (url) => put("a", { href: url }).click(),
  "link-without-referrer": (url) => put("a", { href: url, rel: "noreferrer" }).click(),
  "form": (url) => put("form", { action: url, method: "POST" }).submit(),
  "refresh": (url) => {
    put("meta", { httpEquiv: "refresh", content: `0;url=${url}` }, document.head);
  },
};
globalThis.leaves = Object.keys(LEAVES);
globalThis.leave = (name, url) => void setTimeout(() => LEAVES[name](url)); // answers before it is gone

globalThis.attempts = Object.keys(PROBES);
globalThis.navigations = Object.keys(NAVIGATIONS);

/** One attempt in one line. */
globalThis.attempt = async (name, target) => {
  try {
    return await PROBES[name](target);
  } catch (error) {
    return `${error.name}: ${error.message}`.startsWith("Error: ") ? error.message : error.name;
  }
};

globalThis.navigate = (name, url) => {
  try {
    NAVIGATIONS[name](url);
  } catch {
    // Whoever drives the browser sees where the shell is.
  }
};

/** Keeps this page's event loop busy. */
globalThis.loop = (milliseconds) => {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
};
