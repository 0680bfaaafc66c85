/** What people do in more than one UI. */
import type { Frame, Page } from "playwright-core";

/** How long something that was asked for may take to show at the device. */
const LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 100;

/** Answers porthole's own login page, which stands where a browser would ask for HTTP authentication. */
export async function signIn(
  frame: Frame | Page,
  { user, password }: { user: string; password: string },
): Promise<void> {
  await frame.getByLabel("User name").fill(user);
  await frame.getByLabel("Password").fill(password);
  await frame.getByRole("button", { name: "Sign in" }).click();
}

/** Asks the device until it says so; what a page did reaches it when it does. */
export async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!await look()) {
    if (performance.now() > end) throw new Error(`the device never had ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
