/** What a conformance case is. The cases' numbers and wording are those of browser-proxying.md section 6. */
import type { Page } from "playwright-core";
import type { BrowserName, Scene } from "../e2e/either_browser.ts";
import type { Device } from "./device_server.ts";

export const BROWSERS = ["chromium", "firefox"] as const satisfies readonly BrowserName[];

export type How = "direct" | "tunnel";

/** What a page observed, by name. */
export type Checks = Record<string, unknown>;

/** What only a person or the network can do, for `drive`; Chromium only. */
export interface Visit {
  readonly how: How;
  readonly tab: Page;
  /** The device's document: the tab's own, or that of the shell's frame. */
  readonly scene: () => Scene;
  /** Opens a path of the case's device, as a person does who follows a link to it; in this tab or in a new one. */
  open(path: string, options?: { readonly newTab?: boolean }): Promise<Visit>;
  /** Opens a path that asks for a login, and gives it. */
  logIn(path: string, login: { readonly user: string; readonly password: string }): Promise<void>;
  /** Waits until the device's document shows this text. */
  shows(text: string): Promise<void>;
  /** Waits until the tab's own address says where the document is: a person sees it, and reloads only then. */
  followed(path: string): Promise<void>;
  /** The same on the second device, at another address. */
  openOther(path: string): Promise<Visit>;
  /** The way to the device, as far as it is not the page's. */
  readonly road: Road;
}

/** The way to the device: in the tunnel the agent and the service worker, else the device itself. */
export interface Road {
  /** Nothing moves for a while, and goes on. */
  pause(ms: number): Promise<void>;
  /** What stands between is started again: connections are lost. */
  restart(): Promise<void>;
  /** Ends the service worker; nothing happens where there is none. */
  stopWorker(): Promise<void>;
  /** Requests that came to the edge although they were the device's. */
  strays(): readonly string[];
}

export interface Case {
  readonly number: number;
  readonly title: string;
  /** Whether it runs in Firefox too: its service workers, bodies or frames differ there. */
  readonly firefox?: boolean;
  /** A fresh device for each run. `other` is the address of the second device. */
  device(address: { readonly own: string; readonly other: string }): Device;
  /** What the second device does. */
  other?(address: { readonly own: string; readonly other: string }): Device;
  /** Adds checks after the page's own are done. */
  drive?(visit: Visit, check: Check): Promise<void>;
  /** Must hold beside the device, so that two wrongs do not agree. */
  readonly expected: Checks;
  /** Checks that cannot agree, each with the reason. One that agrees after all is a failure. */
  readonly exceptions?: Readonly<Record<string, string>>;
  /** More of them, of one browser only. */
  readonly exceptionsIn?: Readonly<Partial<Record<BrowserName, Readonly<Record<string, string>>>>>;
  /** Whether the browser itself asks for a login beside the device; only then is its dialog answered. */
  readonly asksForLogin?: boolean;
  /** Runs when no other does, because it stops what the others need. */
  readonly alone?: boolean;
}

export type Check = (name: string, observe: () => Promise<unknown>) => Promise<void>;

/** "07" */
export function label({ number }: { readonly number: number }): string {
  return String(number).padStart(2, "0");
}
