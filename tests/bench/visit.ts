/**
 * One browser at the shell, with a stopwatch in the page: when each phase of the session began, when a card was clicked,
 * when each camera's first picture was shown. Times are in ms since the page's navigation began.
 */
import type { Browser, BrowserContext, Frame } from "playwright-core";
import { Shell } from "../e2e/shell.ts";
import type { Agent, Stage } from "./stage.ts";

const PICTURE_LIMIT_MS = 30_000;
/** From one look at the session's phase to the next, in ms: timers of pages come no closer. */
const LOOK_MS = 4;

/** Phases of a session, as `window.porthole.state()` names them; "idle" is the page itself. */
export const PHASES = ["finding", "offering", "connecting", "confirming", "live"] as const;
export type Phase = typeof PHASES[number];

/** A new profile: nothing cached, no key, no service worker. Dispose of it with its tabs. */
export async function newProfile(browser: Browser): Promise<BrowserContext & AsyncDisposable> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  await context.addInitScript(watch, { lookMs: LOOK_MS });
  return context;
}

/** A tab with the shell. */
export class Visit {
  readonly shell: Shell;

  private constructor(shell: Shell) {
    this.shell = shell;
  }

  /** Opens a link in a tab of its own and waits for the session. */
  static async open(context: BrowserContext, link: string): Promise<Visit> {
    const shell = await Shell.open(context, link);
    await shell.state("live");
    return new Visit(shell);
  }

  /** When each phase began. One that was shorter than a look is not there; "live" is. */
  async phases(): Promise<Partial<Record<Phase, number>> & { live: number }> {
    const { phases } = await this.#marks();
    if (phases.live === undefined) throw new Error("The session is not live");
    return { ...phases, live: phases.live };
  }

  /** When a camera's first picture was shown; waits for it. */
  async picture(camera: string): Promise<number> {
    const end = performance.now() + PICTURE_LIMIT_MS;
    for (;;) {
      const shown = (await this.#marks()).pictures[`camera-${camera}`];
      if (shown !== undefined) return shown;
      if (performance.now() > end) throw new Error(`Camera "${camera}" shows no picture`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Clicks the card of the service; gives the frame and the time from the click to the page's first byte. */
  async click(): Promise<{ frame: Frame; firstByteMs: number }> {
    const frame = await this.shell.openService("ui");
    const firstByte = await this.#firstByte(frame);
    const { clicked } = await this.#marks();
    if (clicked === undefined) throw new Error("The page saw no click");
    return { frame, firstByteMs: firstByte - clicked };
  }

  /** For a deep link: the time from the shell's navigation to the first byte of the device's page. */
  async deepFirstByte(): Promise<number> {
    return await this.#firstByte(await this.shell.serviceFrame());
  }

  async close(): Promise<void> {
    await this.shell.page.close();
  }

  /** On the shell's clock. Both pages' clocks begin at their own navigation and run on the same machine. */
  async #firstByte(frame: Frame): Promise<number> {
    await frame.getByRole("heading", { name: "Workshop controller" }).waitFor();
    const [shell, page] = await Promise.all([
      this.shell.page.evaluate(() => performance.timeOrigin),
      frame.evaluate(() => {
        const entry = performance.getEntriesByType("navigation")[0]!.toJSON();
        return performance.timeOrigin + Number(entry.responseStart);
      }),
    ]);
    return page - shell;
  }

  async #marks(): Promise<Marks> {
    return await this.shell.page.evaluate(() =>
      (globalThis as unknown as { benchMarks: Marks }).benchMarks
    );
  }
}

/** Pairs a new profile with the agent; its session stays open in the tab of the visit. */
export async function pair(context: BrowserContext, agent: Agent): Promise<Visit> {
  return await Visit.open(context, await agent.pairLink());
}

/** The device's page in the shell and, in a tab of its own, the same page from the device itself. */
export async function bothWays(
  stage: Stage,
  { context, agent }: { context: BrowserContext; agent: Agent },
): Promise<{ tunnel: Frame; direct: Frame }> {
  const { frame } = await (await pair(context, agent)).click();
  const page = await context.newPage();
  await page.goto(`${stage.direct}/`);
  return { tunnel: frame, direct: page.mainFrame() };
}

interface Marks {
  readonly phases: Partial<Record<Phase, number>>;
  readonly pictures: Record<string, number>;
  clicked?: number;
}

/** Runs in each page before anything of it. */
function watch({ lookMs }: { lookMs: number }): void {
  // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
  const scope = globalThis as any;
  if (scope.self !== scope.top) return;
  const marks: Marks = { phases: {}, pictures: {} };
  scope.benchMarks = marks;
  scope.addEventListener("click", () => marks.clicked = performance.now(), true);
  const timer = setInterval(() => {
    const phase = scope.porthole?.state();
    if (phase === undefined) return;
    marks.phases[phase as Phase] ??= performance.now();
    if (phase === "live") clearInterval(timer);
  }, lookMs);
  const seen = new WeakSet();
  const look = () => {
    for (const video of scope.document.querySelectorAll("video[data-testid]")) {
      if (seen.has(video)) continue;
      seen.add(video);
      video.requestVideoFrameCallback((_now: number, frame: { presentationTime: number }) => {
        marks.pictures[video.dataset.testid] ??= frame.presentationTime;
      });
    }
  };
  new scope.MutationObserver(look).observe(scope.document, { childList: true, subtree: true });
}
