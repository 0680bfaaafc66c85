/// <reference lib="deno.ns" />
import assert from "node:assert/strict";
import { resolveObjectURL } from "node:buffer";
import type { Realm } from "./realm.ts";

const OWN = "https://x.example";
Object.defineProperty(globalThis, "origin", { value: OWN, configurable: true });
const files = new Map<string, PromiseWithResolvers<Response>>();
globalThis.fetch = (url) => {
  const file = Promise.withResolvers<Response>();
  files.set(String(url), file);
  return file.promise;
};
const { mendSources } = await import("./mending_sources.ts");

/** An element whose `src` is the browser's own. */
function elementClass() {
  return class extends EventTarget {
    readonly localName = "img";
    readonly baseURI = `${OWN}/page`;
    readonly loads: string[] = [];
    get src(): string {
      return this.loads.at(-1) ?? "";
    }
    set src(value: string) {
      this.loads.push(value);
    }
    get complete(): boolean {
      return true;
    }
  };
}

function imageOf() {
  const realm = { HTMLImageElement: elementClass(), HTMLMediaElement: elementClass() };
  mendSources(realm as unknown as Realm);
  return new realm.HTMLImageElement();
}

/** Lets what is fetched arrive. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("a picture of the device is fetched by the page around, and says what it was given", async () => {
  const image = imageOf();
  image.src = "/a.png";
  assert.deepEqual([image.src, image.complete, image.loads], [`${OWN}/a.png`, false, []]);
  files.get(`${OWN}/a.png`)!.resolve(new Response("picture"));
  await settled();
  assert.match(image.loads.join(), /^blob:/);
  assert.deepEqual([image.src, image.complete], [`${OWN}/a.png`, true]);
  image.dispatchEvent(new Event("load"));
  await assert.rejects(fetchBlob(image.loads[0]!), "its address was given up");
});

Deno.test("of two addresses the later one counts, whichever comes first", async () => {
  const image = imageOf();
  image.src = "/slow.png";
  image.src = "/fast.png";
  files.get(`${OWN}/fast.png`)!.resolve(new Response("fast"));
  files.get(`${OWN}/slow.png`)!.resolve(new Response("slow"));
  await settled();
  assert.equal(image.loads.length, 1);
  assert.equal(await fetchBlob(image.loads[0]!), "fast");
  image.dispatchEvent(new Event("load"));
});

Deno.test("what is not to be had is told, and what is not the device's is the browser's", async () => {
  const image = imageOf();
  let errors = 0;
  image.addEventListener("error", () => errors++);
  image.src = "/gone.png";
  files.get(`${OWN}/gone.png`)!.reject(new TypeError("gone"));
  await settled();
  assert.deepEqual([errors, image.complete], [1, true]);
  for (const url of ["data:,x", "https://y.example/a.png", "blob:https://x.example/1"]) {
    image.src = url;
    assert.equal(image.loads.at(-1), url);
    assert.equal(image.src, url);
  }
});

async function fetchBlob(url: string): Promise<string> {
  const blob = resolveObjectURL(url);
  if (blob === undefined) throw new TypeError("Cannot read a blob: no such address");
  return await blob.text();
}
