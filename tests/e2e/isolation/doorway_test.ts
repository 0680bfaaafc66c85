/**
 * The doorway (web/sw/doorway.ts) keeps strangers out; this shows that a person does not notice: every way in which a
 * device's pages lead to themselves goes on without a step, in real engines. What leads in from elsewhere takes one click,
 * and the device is asked for nothing before it.
 */
import assert from "node:assert/strict";
import type { Frame, Page } from "puppeteer-core";
import { type Engine, ENGINES } from "../engines.ts";
import { type SiteName, SITES, Stage, type Tab, until } from "./stage.ts";

interface Scene {
  readonly stage: Stage;
  readonly site: SiteName;
  readonly hostile: Tab;
  readonly neighbour: Tab;
}

for (const engine of ENGINES) {
  for (const site of SITES) {
    Deno.test({
      name: `a device's pages lead to themselves in ${engine.name}, below *.${site}`,
      ignore: engine.lack !== undefined, // isolation_test.ts says why
      sanitizeOps: false, // puppeteer's own pipe and process
      sanitizeResources: false,
      fn: (t) => walk(t, { engine, site }),
    });
  }
}

const STEPS: readonly {
  readonly name: string;
  /** In a tab of its own a page has its service worker only where device pages are of the shell's site. */
  readonly ownTab?: boolean;
  run(scene: Scene): Promise<void>;
}[] = [
  { name: "a deep link, which tells the device nothing of the shell", run: deepLink },
  { name: "a link, a reload, back and forward", run: history },
  { name: "a redirect, and a form's POST", run: redirectAndPost },
  { name: "a page whose header sends no referrers", run: (scene) => quietPage(scene, "policy") },
  {
    name: "a page whose meta element sends no referrers",
    run: (scene) => quietPage(scene, "meta"),
  },
  { name: "a link without a referrer keeps its fragment", run: quietLink },
  { name: "frames of a page, and a form that posts into one", run: nested },
  { name: "the shell's own reload", run: reloadShell },
  { name: "a new tab, with and without an opener", ownTab: true, run: newTab },
  { name: "another service's link takes one click in the frame", run: foreignLink },
  { name: "a typed address takes one click, and its reload none", ownTab: true, run: typed },
];

async function walk(
  t: Deno.TestContext,
  { engine, site }: { engine: Engine; site: SiteName },
): Promise<void> {
  await using stage = await Stage.start(engine, site);
  const { hostile, neighbour } = await stage.openTabs();
  const scene = { stage, site, hostile, neighbour };
  await neighbour.shell.bringToFront();
  for (const { name, ownTab = false, run } of STEPS) {
    const ignore = ownTab && site !== SITES[0];
    await t.step({ name, ignore, fn: () => run(scene) });
  }
}

async function deepLink({ stage }: Scene): Promise<void> {
  const shell = await stage.openShell("neighbour", "/walk?deep");
  await shows(shell, "GET /walk?deep");
  const arrival = stage.services.neighbour.arrivals.find(({ path }) => path === "/walk?deep");
  assert.equal(arrival?.headers.referer, undefined);
  await shell.close();
}

async function history({ neighbour: { shell, frame } }: Scene): Promise<void> {
  await lead(frame, `follow({ href: "/walk?one" })`);
  await shows(shell, "GET /walk?one");
  await lead(frame, `follow({ href: "/walk?two" })`);
  await shows(shell, "GET /walk?two");
  await lead(frame, "document.body.replaceChildren(), location.reload()");
  await shows(shell, "GET /walk?two");
  await lead(frame, "history.back()");
  await shows(shell, "GET /walk?one");
  await lead(frame, "history.forward()");
  await shows(shell, "GET /walk?two");
}

async function redirectAndPost({ neighbour: { shell, frame } }: Scene): Promise<void> {
  await lead(frame, `follow({ href: "/redirect?to=/walk?redirected" })`);
  await shows(shell, "GET /walk?redirected");
  await lead(frame, `send({ action: "/walk?form" })`);
  await shows(shell, "POST /walk?form");
}

/** `where` names the query that has the page send no referrers (service.ts). */
async function quietPage(
  { neighbour: { shell, frame } }: Scene,
  where: "policy" | "meta",
): Promise<void> {
  const quiet = `/walk?${where}=no-referrer`;
  await lead(frame, `follow({ href: "${quiet}" })`);
  await shows(shell, `GET ${quiet}`);
  assert.equal(await frame.evaluate(`fetch("/bait?quiet").then((answer) => answer.status)`), 200);
  await lead(frame, `follow({ href: "${quiet}&link" })`);
  await shows(shell, `GET ${quiet}&link`);
  await lead(frame, `send({ action: "${quiet}&form" })`);
  await shows(shell, `POST ${quiet}&form`);
  await lead(frame, `frame({ src: "/walk?inside-${where}" })`);
  await shows(shell, `GET /walk?inside-${where}`);
}

async function quietLink({ neighbour: { shell, frame } }: Scene): Promise<void> {
  await lead(frame, `follow({ href: "/walk?quiet#part", rel: "noreferrer" })`);
  await shows(shell, "GET /walk?quiet");
  assert.equal(await frame.evaluate("location.hash"), "#part");
}

async function nested({ neighbour: { shell, frame } }: Scene): Promise<void> {
  await lead(frame, `frame({ src: "/walk?inside", name: "inside" })`);
  await shows(shell, "GET /walk?inside");
  await lead(frame, `send({ action: "/walk?posted-inside", target: "inside" })`);
  await shows(shell, "POST /walk?posted-inside");
  await lead(frame, `frame({ src: "/walk?quiet-inside#part", referrerPolicy: "no-referrer" })`);
  await shows(shell, "GET /walk?quiet-inside");
}

async function reloadShell({ neighbour: { shell, frame } }: Scene): Promise<void> {
  await lead(frame, `follow({ href: "/walk?mirrored" })`);
  await shows(shell, "GET /walk?mirrored");
  const mirrored = () => Promise.resolve(shell.url().endsWith("/walk?mirrored"));
  await until("the shell mirrors the page", mirrored);
  await shell.reload();
  await shows(shell, "GET /walk?mirrored");
}

async function newTab({ stage: { browser }, neighbour: { shell } }: Scene): Promise<void> {
  const frame = await shows(shell, "GET /walk?mirrored");
  await lead(frame, `follow({ href: "/walk?tab", target: "_blank" })`);
  await (await showsInTab(browser.pages.bind(browser), "GET /walk?tab")).close();
  await lead(frame, `follow({ href: "/walk?alone", target: "_blank", rel: "noopener" })`);
  await (await showsInTab(browser.pages.bind(browser), "GET /walk?alone")).close();
}

async function foreignLink({ stage: { services }, hostile, neighbour }: Scene): Promise<void> {
  await hostile.shell.bringToFront();
  const address = `${neighbour.origin}/walk?invited#part`;
  await lead(hostile.frame, `follow({ href: "${address}" })`);
  const door = await shows(hostile.shell, "Open neighbour?");
  assert.equal(services.neighbour.arrivals.some(({ path }) => path === "/walk?invited"), false);
  await open(door);
  const invited = await shows(hostile.shell, "GET /walk?invited");
  assert.equal(await invited.evaluate("location.hash"), "#part");
}

async function typed({ stage: { browser, services }, neighbour }: Scene): Promise<void> {
  const page = await browser.newPage();
  await page.goto(`${neighbour.origin}/walk?typed`);
  const door = await shows(page, "Open neighbour?");
  const arrivals = () => services.neighbour.arrivals.filter(({ path }) => path === "/walk?typed");
  assert.deepEqual(arrivals(), []);
  await open(door);
  await shows(page, "GET /walk?typed");
  await page.reload();
  await shows(page, "GET /walk?typed");
  assert.equal(arrivals().length, 2);
  assert.deepEqual(arrivals().map(({ headers }) => headers.referer), [undefined, undefined]);
  await page.close();
}

const LEADS = `
  const put = (name, attributes) => {
    const element = Object.assign(document.createElement(name), attributes);
    document.body.append(element);
    return element;
  };
  const follow = (attributes) => put("a", attributes).click();
  const send = (attributes) => put("form", { method: "POST", ...attributes }).submit();
  const frame = (attributes) => put("iframe", attributes);
`;

/** Has the page go somewhere, once it has answered. */
async function lead(frame: Frame, code: string): Promise<void> {
  await frame.evaluate(`(() => { ${LEADS} setTimeout(() => { ${code} }); })()`);
}

/** A person's click, once the link takes one: it is there to be seen first. */
async function open(door: Frame): Promise<void> {
  const ready = `getComputedStyle(document.querySelector("#open")).pointerEvents !== "none"`;
  await until("the link takes clicks", () => answers(door, ready));
  // Not the mouse: puppeteer's click had no effect in Firefox' frames of another site.
  await door.evaluate(`document.querySelector("#open").click()`);
}

/** Whether a page says yes; one that is going away says nothing. */
async function answers(place: Page | Frame, question: string): Promise<boolean> {
  try {
    return await place.evaluate(question) === true;
  } catch {
    return false;
  }
}

/** The frame of a tab whose page begins with this text, once it is there. */
async function shows(page: Page, text: string): Promise<Frame> {
  let found: Frame | undefined;
  const question = `document.body?.innerText.trim().startsWith(${JSON.stringify(text)})`;
  await until(`"${text}" is there`, async () => {
    for (const frame of page.frames()) {
      if (await answers(frame, question)) found = frame;
    }
    return found !== undefined;
  });
  return found!;
}

async function showsInTab(pages: () => Promise<Page[]>, text: string): Promise<Page> {
  let found: Page | undefined;
  const question = `document.body?.innerText.trim() === ${JSON.stringify(text)}`;
  await until(`a tab shows "${text}"`, async () => {
    for (const page of await pages()) {
      if (await answers(page, question)) found = page;
    }
    return found !== undefined;
  });
  return found!;
}
