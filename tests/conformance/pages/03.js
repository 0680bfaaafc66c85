import { check, frame, json } from "./harness.js";

document.cookie = "conf3=one; path=/headers";

/** Compared by themselves; what else comes is compared as a list of names. */
const NAMED = [
  "accept",
  "accept-encoding",
  "accept-language",
  "content-length",
  "content-type",
  "cookie",
  "host",
  "origin",
  "referer",
  "user-agent",
  "x-twice",
];
/** What a proxy may say, what a browser says to origins that it trusts, which a device on http is not, and hints. */
const LEFT_OUT = /^(?:x-forwarded-|sec-|connection$|pragma$|priority$|upgrade-insecure-requests$)/;

const requests = {
  GET: () => {
    const headers = new Headers({ "X-Twice": "a" });
    headers.append("x-twice", "b");
    return json("/headers", { headers });
  },
  POST: () => json("/headers/post", { method: "POST", body: "x" }),
  FORM: () => {
    const body = new FormData();
    body.set("a", "b");
    return json("/headers", { method: "POST", body, headers: { "x-requested-with": "XML" } });
  },
  "no referrer": () => json("/headers", { referrerPolicy: "no-referrer" }),
  image: async () => {
    const image = new Image();
    image.src = "/headers/image";
    await new Promise((resolve) => image.onerror = resolve);
    return json("/headers", { cache: "reload" });
  },
  navigation: async () => {
    const { contentDocument } = await frame("/headers/frame");
    return JSON.parse(contentDocument.body.innerText);
  },
};

for (const [kind, ask] of Object.entries(requests)) {
  const { lines } = await ask().catch((error) => ({ lines: [["x-failed", String(error)]] }));
  const values = (wanted) => {
    const found = lines.filter(([name]) => name === wanted).map(([, value]) => value);
    return found.length === 0 ? null : found.join(" AND ");
  };
  for (const name of NAMED) {
    await check(`${kind} ${name}`, () => stripped(name, values(name)));
  }
  const others = lines.map(([name]) => name).filter((name) =>
    !NAMED.includes(name) && !LEFT_OUT.test(name)
  );
  await check(`${kind} others`, () => [...new Set(others)].sort());
  await check(`${kind} sec-fetch`, () => values("sec-fetch-mode"));
  await check(`${kind} upgrade-insecure-requests`, () => values("upgrade-insecure-requests"));
}

/** Other cases' cookies come along where they share a host; a form's boundary is drawn by lot. */
function stripped(name, value) {
  if (value === null) return null;
  if (name === "cookie") return /conf3=[^;]*/.exec(value)?.[0] ?? null;
  return value.replace(/boundary=.*/, "boundary");
}
