/** A tab that shows a case's page, beside the device or in the shell. */
import type { Page } from "playwright-core";
import { awaited, type Scene, type Tab } from "../e2e/either_browser.ts";
import type { Case, How, Road, Visit } from "./case.ts";
import { DirectRoad, TunnelRoad } from "./road.ts";
import type { Stage } from "./stage.ts";

const OWN_FILES = "/.porthole/";

interface Login {
  readonly user: string;
  readonly password: string;
}

export interface TabVisitOptions {
  readonly testCase: Case;
  readonly how: How;
  readonly tab: Tab;
  /** Whether it shows the second device. */
  readonly other?: boolean;
}

export class TabVisit implements Visit {
  readonly how: How;
  readonly #stage: Stage;
  readonly #case: Case;
  readonly #tab: Tab;
  readonly #other: boolean;
  #login: Login | undefined;

  constructor(stage: Stage, { testCase, how, tab, other = false }: TabVisitOptions) {
    this.#stage = stage;
    this.how = how;
    this.#case = testCase;
    this.#tab = tab;
    this.#other = other;
  }

  /** Chromium's tabs are playwright's. */
  get tab(): Page {
    return this.#tab as unknown as Page;
  }

  get road(): Road {
    const server = this.#stage.devices.get(this.#case)!; // the stage made one for each case
    return this.how === "direct"
      ? new DirectRoad(server)
      : new TunnelRoad(this.#stage, { tab: this.tab, server });
  }

  readonly scene = (): Scene => {
    const scene = this.sceneOrNone();
    if (scene === undefined) throw new Error("Cannot find the device's page: no frame has it");
    return scene;
  };

  /** The device's document. In the shell it is the one frame right below that is not our bridge. */
  sceneOrNone(): Scene | undefined {
    if (this.how === "direct") return this.#tab;
    const main = this.#stage.shell;
    const frames = this.#tab.frames() as readonly (Scene & { parentFrame(): Scene | null })[];
    return frames.findLast((frame) =>
      frame.parentFrame()?.url().startsWith(main) && frame.url().startsWith("http") &&
      !new URL(frame.url()).pathname.startsWith(OWN_FILES)
    );
  }

  async go(path: string): Promise<void> {
    const { devices, other } = this.#stage;
    const server = this.#other ? other : devices.get(this.#case)!; // as above
    await this.#tab.goto(
      this.how === "direct"
        ? `${server.url}${path}`
        : this.#stage.address(path, this.#other ? undefined : this.#case),
    );
  }

  async open(path: string, { newTab = false } = {}): Promise<Visit> {
    return await this.#opened(path, { newTab, other: this.#other });
  }

  async openOther(path: string): Promise<Visit> {
    return await this.#opened(path, { newTab: true, other: true });
  }

  async shows(text: string): Promise<void> {
    const code = `document.body?.innerText.includes(${JSON.stringify(text)})`;
    await awaited(`"${text}"`, async () => await this.scene().evaluate(code) === true);
  }

  /** Cancels the browser's own login dialog, which nobody sees here, until `logIn` says what to enter. */
  async answerDialogs(): Promise<void> {
    const session = await this.tab.context().newCDPSession(this.tab);
    session.on("Fetch.requestPaused", ({ requestId }) => {
      session.send("Fetch.continueRequest", { requestId }).catch(() => {}); // the page may be gone
    });
    session.on("Fetch.authRequired", ({ requestId }) => {
      const login = this.#login;
      const authChallengeResponse = login === undefined ? { response: "CancelAuth" as const } : {
        response: "ProvideCredentials" as const,
        username: login.user,
        password: login.password,
      };
      session.send("Fetch.continueWithAuth", { requestId, authChallengeResponse })
        .catch(() => {}); // as above
    });
    await session.send("Fetch.enable", { handleAuthRequests: true });
  }

  async followed(path: string): Promise<void> {
    await awaited(`the address of ${path}`, () => this.#tab.url().includes(path));
  }

  async logIn(path: string, login: Login): Promise<void> {
    this.#login = login;
    await this.#arrive(path);
    if (this.how === "direct") return;
    const frame = this.scene() as unknown as ReturnType<Page["mainFrame"]>;
    await frame.locator("#password").fill(login.password);
    await frame.locator("#user").fill(login.user);
    await frame.getByRole("button").click();
  }

  async #opened(
    path: string,
    { newTab, other }: { readonly newTab: boolean; readonly other: boolean },
  ): Promise<Visit> {
    const tab = newTab ? await this.#stage.newTab() : this.#tab;
    const visit = new TabVisit(this.#stage, { testCase: this.#case, how: this.how, tab, other });
    await visit.#arrive(path);
    return visit;
  }

  /** Goes there and waits for the document. The shell is left first: its address may be there already. */
  async #arrive(path: string): Promise<void> {
    if (this.how === "tunnel") await this.#tab.goto("about:blank");
    await this.go(path);
    const wanted = path.split(/[?#]/, 1)[0];
    await awaited(`the page at ${path}`, async () => {
      const scene = this.sceneOrNone();
      if (scene === undefined || new URL(scene.url()).pathname !== wanted) return false;
      return await scene.evaluate("document.readyState !== 'loading'") === true;
    });
  }
}
