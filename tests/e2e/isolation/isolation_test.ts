/**
 * Origin isolation (DESIGN 6): a hostile page of a device against the shell that frames it, the device's other service
 * and another device, in real engines and in both ways to lay out the names. Every probe first succeeds in a design
 * without isolation, so that none of them fails by itself.
 */
import assert from "node:assert/strict";
import type { Frame, Page } from "puppeteer-core";
import { inCheckout } from "../checkout.ts";
import { type Engine, ENGINES } from "../engines.ts";
import { ATTEMPTS, BLIND_REQUESTS, KNOWN } from "./attempts.ts";
import type { ProbedService } from "./service.ts";
import { type SiteName, SITES, Stage, state, type Tab, until } from "./stage.ts";

/** How long a page loops; a shell that answers within a third of it was not held up by the loop. */
const LOOP_MS = 3_000;
/** How long something gets to happen that must not. What comes later, a later step sees. */
const QUIET_MS = 1_000;

/** How often what is known to work is tried. */
const MAX_TRIES = 20;

/** Where the design without isolation lives. */
const NAIVE_SITE = "naive.localhost";
const ONLY_AT_A_RENDEZVOUS = "talks to the rendezvous as a browser";
/** What the shell and a service reach of their own: what a hostile page looks for is really there. */
const AT_HOME = {
  shell: [
    "signs with the shell's key",
    "lists the shell's databases",
    "reads caches",
    "reads localStorage",
    "reads sessionStorage",
    "reads cookies",
    "asks on a BroadcastChannel",
    ONLY_AT_A_RENDEZVOUS,
  ],
  service: ["fetches another service", "reads localStorage"],
} as const;

const PROBES = await Deno.readTextFile(inCheckout("tests/e2e/isolation/probes.js"));

interface Tabs {
  readonly hostile: Tab;
  readonly neighbour: Tab;
  readonly stranger: Tab;
}

for (const engine of ENGINES) {
  if (engine.lack !== undefined) {
    Deno.stderr.writeSync(new TextEncoder().encode(`${engine.name} is skipped: ${engine.lack}\n`));
  }
  for (const site of SITES) {
    Deno.test({
      name: `a hostile page of a device reaches nothing in ${engine.name}, below *.${site}`,
      ignore: engine.lack !== undefined,
      sanitizeOps: false, // puppeteer's own pipe and process
      sanitizeResources: false,
      fn: (t) => isolate(t, { engine, site }),
    });
  }
}

/** What every step looks at. */
interface Scene {
  readonly engine: Engine;
  readonly site: SiteName;
  readonly stage: Stage;
  readonly tabs: Tabs;
}

/** In this order: the last ones leave little of the shell. */
const STEPS: readonly {
  readonly name: string;
  /** A control alone: `withNaive`. */
  readonly naive?: boolean;
  run(scene: Scene): Promise<void>;
}[] = [
  {
    name: "every attempt succeeds where the shell's origin is the page's",
    naive: true,
    run: succeedNaively,
  },
  {
    name: "every attempt fails against the shell, another service and another device",
    run: failEverywhere,
  },
  { name: "what it looked for is there for whoever is of that origin", run: findBaits },
  { name: "the shell takes no message that a page forges", run: forgeToShell },
  { name: "another service's bridge takes no port from it", run: forgeToBridge },
  { name: "the port of its own bridge, stolen, leads to its own service only", run: stealPort },
  { name: "a tossed cookie reaches no device", run: tossCookies },
  { name: "no request that it makes blindly reaches another service or device", run: callBlindly },
  { name: "nor one that it makes by leaving the shell's frame", run: leaveBlindly },
  { name: "a page that loops freezes the shell only where that is known", run: loop },
  { name: "it takes the shell away only as is known", run: takeShell },
  {
    name: "in a tab of its own it takes its opener away only where that is known",
    run: takeOpener,
  },
  { name: "it locks nobody out with cookies", run: bombWithCookies },
];

async function isolate(
  t: Deno.TestContext,
  { engine, site }: { engine: Engine; site: SiteName },
): Promise<void> {
  await using stage = await Stage.start(engine, site);
  const tabs = await stage.openTabs();
  await layBaits(tabs);
  const scene: Scene = { engine, site, stage, tabs };
  for (const { name, naive = false, run } of STEPS) {
    await t.step({ name, ignore: naive && !hasNaive(scene), fn: () => run(scene) });
  }
}

/** A design without isolation has no content site: once for an engine is enough. */
function hasNaive({ site }: Scene): boolean {
  return site === SITES[0];
}

async function withNaive(
  scene: Scene,
  control: (naive: Naive) => Promise<void>,
): Promise<void> {
  if (!hasNaive(scene)) return;
  const { stage } = scene;
  const naive = await Naive.open(await stage.browser.newPage(), stage.services.hostile);
  await control(naive);
  await naive.page.close();
}

async function succeedNaively(scene: Scene): Promise<void> {
  await withNaive(scene, async (naive) => assert.deepEqual(await naive.failures(), []));
}

async function failEverywhere({ engine, stage, tabs }: Scene): Promise<void> {
  const { hostile, neighbour, stranger } = tabs;
  const target = {
    shell: stage.shellOrigin,
    file: "/",
    script: "/shell.js",
    image: "/icon.svg",
    worker: "/pump.js",
    others: [neighbour.origin, stranger.origin],
    site: "porthole.localhost",
  };
  const all = await call(hostile.frame, "attempts");
  assert.deepEqual(all, ATTEMPTS.map(({ attempt }) => attempt));
  const found: [string, unknown][] = [];
  for (const { attempt } of ATTEMPTS) {
    found.push([attempt, await call(hostile.frame, words("attempt", attempt, target))]);
  }
  const expected = ATTEMPTS.map(({ attempt, refused }) => [
    attempt,
    typeof refused === "string" ? refused : refused[engine.name],
  ]);
  assert.deepEqual(found, expected);
  for (const { shell, frame } of [hostile, neighbour, stranger]) {
    assert.deepEqual(await call(shell, "heard"), [], "a shell heard the hostile page");
    assert.deepEqual(await call(frame, "globalThis.heard ?? []"), [], "a page heard it");
  }
}

async function findBaits({ stage, tabs: { hostile, neighbour } }: Scene): Promise<void> {
  const target = { shell: stage.shellOrigin, others: [neighbour.origin] };
  for (const attempt of AT_HOME.shell) {
    const found = await call(hostile.shell, words("attempt", attempt, target));
    assert.match(String(found), /^reached/, attempt);
  }
  for (const attempt of AT_HOME.service) {
    const found = await call(neighbour.frame, words("attempt", attempt, target));
    assert.match(String(found), /^reached/, attempt);
  }
}

async function forgeToShell({ tabs: { hostile, neighbour } }: Scene): Promise<void> {
  const { shell, frame } = hostile;
  const look = async () => [
    await call(shell, "document.querySelectorAll('iframe').length"),
    await call(shell, "location.href"),
    await call(shell, "porthole.peerConnections"),
    await state(shell),
  ];
  const before = await look();
  await call(frame, words("forgeToShell", neighbour.origin));
  await quiet();
  assert.deepEqual(await look(), before);
  assert.deepEqual(await call(frame, "answers"), []);
  // The one thing that a page may say is where it is itself.
  await call(frame, "void history.replaceState({}, '', '/?told')");
  const mirrored = () => Promise.resolve(shell.url().endsWith("/s/hostile/?told"));
  await until("the shell mirrors the page", mirrored);
}

async function forgeToBridge({ tabs: { hostile, neighbour } }: Scene): Promise<void> {
  await call(hostile.frame, words("forgeToBridge", neighbour.origin));
  const own = `fetch("/bait?own").then((answer) => answer.text())`;
  assert.equal(await call(neighbour.frame, own), "bait of neighbour");
  assert.deepEqual(await call(hostile.frame, "answers"), []);
}

async function stealPort({ stage: { services }, tabs }: Scene): Promise<void> {
  const stolen = await call(tabs.hostile.frame, words("stealPort", "neighbour"));
  assert.deepEqual(stolen, ["bait of hostile", "bait of hostile"]);
  const paths = (service: ProbedService) => service.arrivals.map(({ path }) => path);
  assert.ok(paths(services.hostile).includes("/bait?stolen"));
  for (const victim of [services.neighbour, services.stranger]) {
    assert.deepEqual(paths(victim).filter((path) => /stolen|forged|hello/.test(path)), []);
  }
  for (const { shell } of [tabs.hostile, tabs.neighbour, tabs.stranger]) {
    assert.equal(await state(shell), "live");
  }
}

async function callBlindly(scene: Scene): Promise<void> {
  const { stage: { services }, tabs } = scene;
  for (const name of ["neighbour", "stranger"] as const) {
    await call(tabs.hostile.frame, words("callBlindly", tabs[name].origin));
    await assertUnasked(services[name], tabs[name]);
  }
  await withNaive(scene, async ({ frame, origin }) => {
    await call(frame, words("callBlindly", origin));
    const arrived = () => blind(services.hostile);
    const all = () => Promise.resolve(arrived().length >= BLIND_REQUESTS.length);
    await until("all of them reach a service without isolation", all).catch(() => {});
    assert.deepEqual(arrived(), BLIND_REQUESTS);
  });
}

/** What reached a service of the requests that nobody was to make. */
function blind({ arrivals }: ProbedService): string[] {
  const requests = arrivals.map(({ method, path }) => `${method} ${path}`);
  return [...new Set(requests.filter((request) => request.includes("blind")))].sort();
}

/** The victim's own page still reaches its service, and nothing else has. */
async function assertUnasked(service: ProbedService, { frame }: Tab): Promise<void> {
  const own = `fetch("/bait?own").then((answer) => answer.status)`;
  await until("the page reaches its own service", async () => await call(frame, own) === 200);
  assert.deepEqual(blind(service), []);
}

/** A page leaves the shell's frame for another service: directly, and by a redirect of its own first address. */
async function leaveBlindly({ stage, tabs }: Scene): Promise<void> {
  const { services } = stage;
  const leaves = await call(tabs.hostile.frame, "leaves") as string[];
  const url = (name: string) => `${tabs.neighbour.origin}/?blind-leave-${name}`;
  for (const name of leaves) {
    const tab = await stage.openHostile();
    await call(tab.frame, words("leave", name, url(name)));
    await untilDoorway(tab.shell, tabs.neighbour.origin);
    await tab.shell.close();
  }
  const redirect = `/redirect?to=${encodeURIComponent(url("redirect"))}`;
  const shell = await stage.openShell("hostile", redirect);
  await untilDoorway(shell, tabs.neighbour.origin);
  await shell.close();
  await assertUnasked(services.neighbour, tabs.neighbour);
}

/** Waits until a frame of the shell shows our page in the place of another service's. */
async function untilDoorway(shell: Page, origin: string): Promise<void> {
  const question = `location.origin === ${JSON.stringify(origin)} && ` +
    `["Open this page?", "Not sent"].includes(document.title)`;
  await until("the doorway is there", async () => {
    for (const frame of shell.frames()) {
      if (await frame.evaluate(question).catch(() => false)) return true;
    }
    return false;
  });
}

async function loop(scene: Scene): Promise<void> {
  const { engine, site, tabs: { hostile } } = scene;
  const frozen = await freezes(hostile.shell, hostile.frame);
  assert.equal(frozen, KNOWN[site].freezesShell.includes(engine.name));
  await withNaive(scene, async ({ page, frame }) => {
    assert.equal(await freezes(page, frame), true, "the loop or its measure is broken");
  });
}

async function takeOpener({ engine, site, stage, tabs }: Scene): Promise<void> {
  const shell = await stage.openShell("hostile", "/alone");
  const button = "[data-testid=own-tab]:not([disabled])";
  const has = `document.querySelector(${JSON.stringify(button)}) !== null`;
  await until("the page may have a tab of its own", async () => await call(shell, has) === true);
  await shell.bringToFront();
  await shell.click(button);
  const { arrivals } = stage.services.hostile;
  const loads = () => arrivals.filter(({ path }) => path === "/alone").length;
  await until("it is there", () => Promise.resolve(loads() > 1)); // once in the frame, which refused it
  const taken = `${tabs.hostile.origin}/taken?alone`;
  const isKnown = KNOWN[site].takesOpener.includes(engine.name);
  const isTaken = async () => await call(shell, "location.href").catch(() => "") === taken;
  if (isKnown) await until("it took its opener", isTaken);
  else await quiet();
  assert.equal(await isTaken(), isKnown);
  await shell.close();
}

async function takeShell(scene: Scene): Promise<void> {
  const { engine, site, stage, tabs: { hostile: { shell, frame, origin } } } = scene;
  const all = await call(frame, "navigations") as string[];
  await shell.bringToFront();
  for (const navigation of all) {
    await navigate(frame, navigation, takenBy(origin, navigation));
    await quiet(); // Firefox opens no window right after another
  }
  for (const known of KNOWN[site].takesShell[engine.name]) { // nor always one on a loaded machine
    for (
      let tries = 0;
      tries < MAX_TRIES && !shell.url().startsWith(takenBy(origin, known));
      tries++
    ) {
      await navigate(frame, known, takenBy(origin, known));
      await quiet();
    }
  }
  const taken = all.filter((one) => shell.url().startsWith(takenBy(origin, one)));
  const known: readonly string[] = KNOWN[site].takesShell[engine.name];
  assert.deepEqual(taken.filter((way) => !known.includes(way)), []); // a known one may be too late on a busy machine
  assert.equal(shell.url().startsWith(stage.shellOrigin), taken.length === 0);
  for (const navigation of all) {
    await withNaive(scene, async ({ page, frame, origin }) => {
      await navigate(frame, navigation, takenBy(origin, navigation));
      await until(`it ${navigation}`, () => Promise.resolve(/\/taken/.test(page.url())));
    });
  }
}

/**
 * More cookies than the edge reads, set for every name of the site or for a path that a person never types: what is asked
 * for next deletes them.
 */
async function bombWithCookies({ site, stage, tabs }: Scene): Promise<void> {
  const { services: { neighbour } } = stage;
  const isBelowShell = site === SITES[0];
  const table = [
    { path: "/", refused: isBelowShell },
    { path: "/v1", refused: false },
    { path: "/.porthole", refused: false },
  ];
  for (const { path, refused } of table) {
    await call(
      isBelowShell ? tabs.neighbour.shell : tabs.neighbour.frame, // as if a page's got around our `document.cookie`
      `for (let index = 0; index < 100; index++) {
        document.cookie = "bomb" + index + "=" + "x".repeat(3900) + "; domain=${site}; path=${path}";
      }`,
    );
    const mark = `/walk?bombed=${path}`;
    const page = await stage.browser.newPage();
    const answer = await page.goto(stage.shellAddress("neighbour", mark));
    assert.equal(answer?.status() === 431, refused, path);
    await until(
      `the device's page is there after cookies for ${path}`,
      () => Promise.resolve(neighbour.arrivals.some((arrival) => arrival.path === mark)),
    );
    await page.close();
  }
}

/** A design without isolation: the service frames its own page. */
class Naive {
  readonly page: Page;
  readonly frame: Frame;
  readonly origin: string;

  private constructor(page: Page, frame: Frame, origin: string) {
    this.page = page;
    this.frame = frame;
    this.origin = origin;
  }

  static async open(page: Page, service: ProbedService): Promise<Naive> {
    const origin = `http://label.${NAIVE_SITE}:${service.port}`;
    await page.goto(`${origin}/naive`);
    await call(page, `layBaits("naive")`);
    await call(page, "layNaiveKeys()");
    const frame = page.frames().find((frame) => frame !== page.mainFrame());
    assert.ok(frame);
    return new Naive(page, frame, origin);
  }

  /** The attempts that reach nothing even here. */
  async failures(): Promise<string[]> {
    const { origin } = this;
    const target = {
      shell: origin,
      file: "/bait",
      script: "/bait.js",
      image: "/bait.svg",
      worker: "/shared.js",
      others: [origin],
      site: NAIVE_SITE,
    };
    const failed: string[] = [];
    for (const { attempt } of ATTEMPTS) {
      if (attempt === ONLY_AT_A_RENDEZVOUS) continue; // it succeeds in the shell itself, see below
      if (attempt.includes("document.domain")) await call(this.page, setDomain(NAIVE_SITE));
      const found = await call(this.frame, words("attempt", attempt, target));
      if (!String(found).startsWith("reached")) failed.push(`${attempt}: ${found}`);
    }
    return failed;
  }
}

/** Firefox counts a document that set its domain as another origin than one that did not. */
function setDomain(site: string): string {
  return `try { document.domain = "${site}"; } catch {}`;
}

async function layBaits({ hostile, neighbour, stranger }: Tabs): Promise<void> {
  for (const { shell } of [hostile, neighbour, stranger]) {
    await shell.evaluate(PROBES);
    await call(shell, `layBaits("shell")`);
  }
  await call(neighbour.frame, `layBaits("neighbour")`);
  await call(stranger.frame, `layBaits("stranger")`);
}

async function tossCookies(scene: Scene): Promise<void> {
  const { site, stage: { browser, services, shellOrigin }, tabs } = scene;
  await call(tabs.hostile.frame, words("toss", site));
  // What pages write stays with us (web/inject/cookies.ts). One that got around that would reach the edge, as here.
  const atEdge = String(await call(tabs.hostile.shell, "document.cookie")).includes("tossed=");
  assert.equal(atEdge, false);
  await call(tabs.hostile.shell, words("toss", site));
  const again = await browser.newPage();
  await again.goto(shellOrigin);
  await until("the shell is there", async () => await state(again) !== "gone");
  await again.close();
  for (const { frame } of [tabs.hostile, tabs.neighbour, tabs.stranger]) {
    await call(frame, `fetch("/bait?tossed", { credentials: "include" }).then((r) => r.text())`);
  }
  for (const service of Object.values(services)) {
    const tunnelled = service.arrivals.filter(({ headers }) => !headers.host?.includes(NAIVE_SITE));
    assert.ok(tunnelled.some(({ path }) => path === "/bait?tossed"));
    if (service === services.hostile) continue; // its own cookies are its own
    assert.deepEqual(tunnelled.filter(({ headers }) => headers.cookie?.includes("tossed")), []);
  }
  await withNaive(scene, async ({ frame }) => {
    await call(frame, words("toss", NAIVE_SITE));
    await call(frame, `fetch("/bait?direct").then((answer) => answer.text())`);
    const direct = services.hostile.arrivals.find(({ path }) => path === "/bait?direct");
    assert.match(direct?.headers.cookie ?? "", /tossed=/, "the log shows no cookie without us");
  });
}

/** Whether a loop of the page holds up the shell's timers, or its answer to a click. */
async function freezes(shell: Page, frame: Frame): Promise<boolean> {
  await shell.bringToFront(); // browsers slow the timers of tabs that nobody sees
  await call(
    shell,
    `(() => {
      globalThis.longestGap = 0;
      globalThis.clicks = [];
      let last = performance.now();
      setInterval(() => {
        longestGap = Math.max(longestGap, performance.now() - last);
        last = performance.now();
      }, 20);
      addEventListener("click", (event) => {
        event.stopPropagation();
        event.preventDefault();
        clicks.push(Date.now());
      }, { capture: true });
    })()`,
  );
  const looped = call(frame, `loop(${LOOP_MS}); Date.now()`);
  const clicked = quiet().then(() => shell.mouse.click(5, 5));
  const end = Number(await looped);
  await clicked;
  const clicks = await call(shell, "clicks") as number[];
  const gap = Number(await call(shell, "longestGap"));
  assert.equal(clicks.length, 1);
  return gap > LOOP_MS / 3 || clicks[0]! > end;
}

/** Where a navigation leads: says which one it was. */
function takenBy(origin: string, navigation: string): string {
  return `${origin}/taken?${encodeURIComponent(navigation)}`;
}

async function navigate(frame: Frame, navigation: string, url: string): Promise<void> {
  await call(frame, words("navigate", navigation, url))
    .catch(() => {}); // where it works the frame is gone before it can answer
}

/** The text of a call of one of probes.js' functions. */
function words(name: string, ...values: readonly unknown[]): string {
  return `${name}(${values.map((value) => JSON.stringify(value)).join(", ")})`;
}

/** Runs a text in a page: the code is the browser's, its types are not ours. */
function call(page: Page | Frame, code: string): Promise<unknown> {
  return page.evaluate(code);
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}
