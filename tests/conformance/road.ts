/** What a person cannot see: the way between page and device, and how it fails. */
import type { Page } from "playwright-core";
import type { Road } from "./case.ts";
import type { DeviceServer } from "./device_server.ts";
import type { Stage } from "./stage.ts";

/** The device itself is all that can fail. */
export class DirectRoad implements Road {
  readonly #server: DeviceServer;

  constructor(server: DeviceServer) {
    this.#server = server;
  }

  async pause(ms: number): Promise<void> {
    await this.#server.stopListening();
    await new Promise((resolve) => setTimeout(resolve, ms));
    await this.#server.listen();
  }

  async restart(): Promise<void> {
    await this.pause(0);
  }

  stopWorker(): Promise<void> {
    return Promise.resolve();
  }

  strays(): readonly string[] {
    return [];
  }
}

/** The agent, and the service worker in the browser. */
export class TunnelRoad implements Road {
  readonly #stage: Stage;
  readonly #tab: Page;

  constructor(stage: Stage, { tab }: { readonly tab: Page; readonly server: DeviceServer }) {
    this.#stage = stage;
    this.#tab = tab;
  }

  async pause(ms: number): Promise<void> {
    Deno.kill(this.#stage.agentPid, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, ms));
    Deno.kill(this.#stage.agentPid, "SIGCONT");
  }

  async restart(): Promise<void> {
    await this.#stage.restartAgent();
  }

  async stopWorker(): Promise<void> {
    const session = await this.#tab.context().newCDPSession(this.#tab);
    await session.send("ServiceWorker.enable");
    await session.send("ServiceWorker.stopAllWorkers");
    await session.detach();
  }

  strays(): readonly string[] {
    return [...this.#stage.edge.strays];
  }
}
