/** The shell as a person sees it, for end-to-end tests: opening it, its state, a device's page in its frame, its pictures. */
import assert from "node:assert/strict";
import type { Browser, BrowserContext, Frame, Page } from "playwright-core";

/** How long anything visible may take on a loaded machine with two cores; a verdict never depends on less. */
const LIMIT_MS = 45_000 * Number(Deno.env.get("PORTHOLE_PATIENCE") ?? 1);

/** One tab with the shell. Every RTCPeerConnection that its page ever makes is counted. */
export class Shell {
  readonly page: Page;
  readonly #problems: string[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens a link in a tab of its own. Without a context it gets a new profile, as another person's browser would be. */
  static async open(browser: Browser | BrowserContext, link: string): Promise<Shell> {
    const page = await browser.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    const shell = new Shell(page);
    page.on("pageerror", (error) => shell.#problems.push(String(error)));
    page.on("console", (message) => {
      if (/content security policy/i.test(message.text())) shell.#problems.push(message.text());
    });
    await page.addInitScript(countPeerConnections);
    await page.goto(link);
    return shell;
  }

  /** Waits until the session is in this state: "live", "lost", "closed". */
  async state(wanted: string): Promise<void> {
    const end = performance.now() + LIMIT_MS;
    let found: string | undefined;
    while (found !== wanted) {
      if (performance.now() > end) throw new Error(`the session is "${found}", not "${wanted}"`);
      await new Promise((resolve) => setTimeout(resolve, 20)); // waitForFunction would need eval, which the CSP forbids
      found = await this.page.evaluate(() =>
        (globalThis as unknown as ShellGlobals).porthole?.state()
      );
    }
  }

  /** RTCPeerConnections that this page has made since it was loaded. */
  async peerConnections(): Promise<number> {
    return await this.page.evaluate(() =>
      (globalThis as unknown as ShellGlobals).peerConnectionsMade
    );
  }

  /** Uncaught errors and violations of the shell's content security policy. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Clicks a service's card and gives the frame with the device's page. */
  async openService(service: string): Promise<Frame> {
    await this.page.getByTestId(`service-card-${service}`).click();
    return await this.serviceFrame();
  }

  /** The frame with the device's page, once its document is there. */
  async serviceFrame(): Promise<Frame> {
    const element = await this.page.getByTestId("service-frame").elementHandle();
    const frame = await element?.contentFrame();
    assert.ok(frame, "there is no frame for the service");
    await frame.waitForLoadState("domcontentloaded");
    return frame;
  }

  /** Waits until a camera's picture has changed `times` times: looks at pixels, not at the player's word. */
  async moving(camera: string, times = 5): Promise<{ width: number; height: number }> {
    const video = this.page.getByTestId(`camera-${camera}`);
    return await video.evaluate(watchPixels, { times, limit: LIMIT_MS });
  }

  async text(): Promise<string> {
    return await this.page.locator("body").innerText();
  }

  async waitForText(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor({ timeout: LIMIT_MS });
  }
}

interface ShellGlobals {
  readonly porthole?: { state(): string; readonly peerConnections: number };
  peerConnectionsMade: number;
}

/** Runs in the page before anything of it. */
function countPeerConnections(): void {
  const scope = globalThis as unknown as ShellGlobals & { RTCPeerConnection: unknown };
  const Native = scope.RTCPeerConnection as new (...args: unknown[]) => object;
  scope.peerConnectionsMade = 0;
  scope.RTCPeerConnection = new Proxy(Native, {
    construct(target, args) {
      scope.peerConnectionsMade++;
      return new target(...args);
    },
  });
}

/** Runs in the page: resolves when the drawn picture has changed so many times. */
async function watchPixels(
  element: unknown,
  { times, limit }: { times: number; limit: number },
): Promise<{ width: number; height: number }> {
  // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
  const video = element as any;
  // deno-lint-ignore no-explicit-any
  const canvas = new (globalThis as any).OffscreenCanvas(64, 36);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const end = performance.now() + limit;
  let before = "";
  let changes = -1;
  while (changes < times) {
    if (performance.now() > end) throw new Error(`the picture changed only ${changes} times`);
    if (video.videoWidth > 0) {
      context.drawImage(video, 0, 0, 64, 36);
      const now = Array.from(context.getImageData(0, 0, 64, 36).data as Uint8ClampedArray).join();
      if (now !== before) changes++;
      before = now;
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  return { width: video.videoWidth, height: video.videoHeight };
}
