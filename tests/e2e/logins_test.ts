/**
 * Cookies and logins of an unmodified service, in a real Chromium with the real program between: a form with a session
 * cookie, `document.cookie`, two tabs, Basic and Digest, a WebSocket. No native cookie is ever set.
 */
import assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { chromiumMissing, launchChromium } from "./browser.ts";
import { inCheckout } from "./checkout.ts";
import { LoginService, PASSWORD, SECRETS, USER } from "./login_service.ts";
import { startPorthole } from "./processes.ts";
import { Shell } from "./shell.ts";

const lack = await chromiumMissing();
if (lack !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`logins are skipped: ${lack}\n`));
}

// Playwright keeps handles of its own until the process ends: sanitizers would count them.
const OPTIONS = { ignore: lack !== undefined, sanitizeOps: false, sanitizeResources: false };

/** The device's page, as the tests reach into it. */
interface DevicePage {
  readonly document: { cookie: string };
  readonly location: { assign(path: string): void; readonly port: string };
  readonly cookieStore: {
    set(name: string, value: string): Promise<void>;
    delete(name: string): Promise<void>;
    get(name: string): Promise<{ value: string } | null>;
    addEventListener(type: "change", listener: (event: Change) => void): void;
  };
  readonly XMLHttpRequest: new () => XhrLike;
  readonly WebSocket: new (url: string) => { onmessage: (event: { data: string }) => void };
}

interface Change {
  readonly changed: readonly { readonly name: string }[];
  readonly deleted: readonly { readonly name: string }[];
}

interface XhrLike {
  open(method: string, url: string): void;
  send(): void;
  onload: () => void;
  readonly responseText: string;
  readonly status: number;
}

Deno.test("cookies and logins work as in a browser beside the device", OPTIONS, async (t) => {
  await using service = await LoginService.start();
  await using demo = await startPorthole({
    args: ["demo", "--port", "0", "--json", "--service", `who=${service.url}`],
  });
  await using browser = await launchChromium();
  const context = await browser.newContext({ viewport: { width: 900, height: 760 } });
  const { pair, device, shell: origin } = demo.ready as Record<string, string>;
  const shell = await Shell.open(context, pair!);
  await shell.state("live");
  const open = async (path: string, tab = shell) => {
    await tab.page.goto("about:blank");
    await tab.page.goto(`${origin}#/d/${device}/s/who${path}`);
    await tab.state("live");
    return await tab.serviceFrame();
  };
  let frame = await open("/");

  await t.step("a login form sets a session cookie that scripts do not see", async () => {
    await frame.locator("#who", { hasText: "nobody" }).waitFor();
    await frame.getByRole("button", { name: "Enter" }).click();
    await frame.locator("#who", { hasText: "signed in" }).waitFor();
    assert.equal(await cookies(frame), `csrf_token_P${new URL(origin!).port}=t0ken`);
  });

  await t.step("a CSRF cookie named by the visible port and its header fit together", async () => {
    const status = (token: string) =>
      frame.evaluate(async (token) => {
        const name = `csrf_token_P${(globalThis as unknown as DevicePage).location.port}`;
        const { cookie } = (globalThis as unknown as DevicePage).document;
        const value = new RegExp(`${name}=([^;]*)`).exec(cookie)?.[1] ?? "";
        const headers = { "x-csrf-token": token || value };
        return (await fetch("/who", { method: "POST", headers, body: "x" })).status;
      }, token);
    assert.equal(await status(""), 200);
    assert.equal(await status("wrong"), 403);
  });

  await t.step("a cookie that a script writes goes with the fetch of the same tick", async () => {
    for (let round = 0; round < 20; round++) {
      const seen = await frame.evaluate(async (round) => {
        (globalThis as unknown as DevicePage).document.cookie = `tick=${round}`;
        const { cookie } = await (await fetch("/who")).json();
        return cookie as string;
      }, round);
      assert.match(seen, new RegExp(`(^|; )tick=${round}(;|$)`));
    }
  });

  await t.step("and with the XMLHttpRequest, and the POST with a body", async () => {
    const seen = await frame.evaluate(() =>
      new Promise<string>((resolve) => {
        const page = globalThis as unknown as DevicePage;
        page.document.cookie = "xhr=1";
        const request = new page.XMLHttpRequest();
        request.open("GET", "/who");
        request.onload = () => resolve(request.responseText);
        request.send();
      })
    );
    assert.match(seen, /xhr=1/);
    const posted = await frame.evaluate(async () => {
      (globalThis as unknown as DevicePage).document.cookie = "posted=1";
      return await (await fetch(new Request("/who", { method: "POST", body: "x".repeat(5000) })))
        .text();
    });
    assert.match(posted, /posted=1/);
  });

  await t.step("and with the WebSocket and the navigation", async () => {
    const handshake = await frame.evaluate(() =>
      new Promise<string>((resolve) => {
        const page = globalThis as unknown as DevicePage;
        page.document.cookie = "ws=1";
        new page.WebSocket("/socket").onmessage = ({ data }) => resolve(data);
      })
    );
    assert.match(handshake, /session=session-4711/);
    assert.match(handshake, /ws=1/);
    for (let round = 0; round < 10; round++) {
      await frame.evaluate((round) => {
        const page = globalThis as unknown as DevicePage;
        page.document.cookie = `round=${round}`;
        page.location.assign(`/?${round}`);
      }, round);
      await frame.waitForURL(new RegExp(`[?]${round}$`));
      assert.equal(await frame.locator("#sent").innerText(), `round=${round}`);
    }
  });

  await t.step("what an answer sets is there when its promise resolves", async () => {
    const seen = await frame.evaluate(async () => {
      const page = globalThis as unknown as DevicePage;
      await fetch(
        `/set?line=${encodeURIComponent("late=1; Path=/")}&line=hidden%3D1%3B%20HttpOnly`,
      );
      return page.document.cookie;
    });
    assert.match(seen, /late=1/);
    assert.doesNotMatch(seen, /hidden/);
    assert.match(await who(frame), /hidden=1/);
  });

  await t.step("cookieStore reads, writes, deletes and tells", async () => {
    const seen = await frame.evaluate(async () => {
      const { cookieStore, document } = globalThis as unknown as DevicePage;
      const changes: string[] = [];
      cookieStore.addEventListener("change", ({ changed, deleted }) => {
        changes.push(
          ...changed.map(({ name }) => `+${name}`),
          ...deleted.map(({ name }) => `-${name}`),
        );
      });
      await cookieStore.set("store", "1");
      const text = document.cookie;
      const { value } = (await cookieStore.get("store"))!;
      await cookieStore.delete("store");
      const after = await cookieStore.get("store");
      await fetch("/who");
      return { value, text, after, changes };
    });
    assert.equal(seen.value, "1");
    assert.match(seen.text, /store=1/);
    assert.equal(seen.after, null);
    assert.deepEqual(seen.changes, ["+store", "-store"]);
  });

  await t.step("a second tab shares the cookies, and each sees what the other does", async () => {
    const second = await Shell.open(context, `${origin}#/d/${device}/s/who/`);
    await second.state("live");
    const other = await second.serviceFrame();
    await other.locator("#who", { hasText: "signed in" }).waitFor();
    await other.evaluate(() => {
      (globalThis as unknown as DevicePage).document.cookie = "from=second";
    });
    await frame.locator("#seen", { hasText: "from=second" }).waitFor();
    await frame.evaluate(() => {
      (globalThis as unknown as DevicePage).document.cookie = "from=; Max-Age=0";
    });
    await other.locator("#seen:not(:has-text('from='))").waitFor({ state: "attached" });
    await second.page.close();
  });

  await t.step("logging out deletes the cookies, and a reload keeps that", async () => {
    await frame.evaluate(() => (globalThis as unknown as DevicePage).location.assign("/logout"));
    await frame.locator("#who", { hasText: "nobody" }).waitFor();
    assert.doesNotMatch(await cookies(frame), /csrf_token/);
    await shell.page.reload();
    await shell.state("live");
    frame = await shell.serviceFrame();
    await frame.locator("#who", { hasText: "nobody" }).waitFor();
    assert.match(await cookies(frame), /late=1/);
  });

  await t.step("Basic: our page asks, says that a password was wrong, and goes on", async () => {
    frame = await open("/basic/page?x=1#part");
    await frame.getByRole("heading", { name: "who asks for a password" }).waitFor();
    await frame.getByText("Wörkshop <b>").waitFor();
    await screenshots(shell, "login");
    await signIn(frame, "wrong");
    await frame.getByRole("alert").getByText("did not accept").waitFor();
    await screenshots(shell, "login-refused");
    await signIn(frame, PASSWORD);
    await frame.getByRole("heading", { name: "Welcome by Basic" }).waitFor();
    assert.match(frame.url(), /\/basic\/page\?x=1#part$/);
    assert.equal(service.authorizations.length, 2, "each password is offered once");
  });

  await t.step("Digest with stale nonces: the same, and many requests at once", async () => {
    service.authorizations.length = 0;
    frame = await open("/digest/page");
    await frame.getByRole("heading", { name: "who asks for a password" }).waitFor();
    await signIn(frame, "wrong");
    await frame.getByRole("alert").waitFor();
    await signIn(frame, PASSWORD);
    await frame.getByRole("heading", { name: "Welcome by Digest" }).waitFor();
    const statuses = await frame.evaluate(async () => {
      const found: number[] = [];
      for (let count = 0; count < 6; count++) found.push((await fetch(`/digest/${count}`)).status);
      return found;
    });
    assert.deepEqual(statuses, Array(6).fill(200));
    assert.ok(service.staleAnswers > 0);
    assert.ok(service.authorizations.every((value) => value.includes("algorithm=SHA-256")));
    for (const area of ["digest-md5", "digest-sess"]) {
      frame = await open(`/${area}/page`);
      await frame.getByText(area, { exact: true }).waitFor();
      await signIn(frame, PASSWORD);
      await frame.getByRole("heading", { name: "Welcome by Digest" }).waitFor();
    }
    frame = await open("/digest/page");
    const parallel = await frame.evaluate(async () => {
      const answers = Array.from({ length: 8 }, (_, index) => fetch(`/digest/${index}`));
      return (await Promise.all(answers)).filter(({ status }) => status === 200).length;
    });
    assert.ok(parallel > 0, "a service that ages its nonces this fast refuses some");
    await frame.evaluate(() =>
      (globalThis as unknown as DevicePage).location.assign("/digest/end")
    );
    await frame.getByRole("heading", { name: "Welcome by Digest" }).waitFor();
  });

  await t.step("a reload, and a new tab, are signed in already", async () => {
    await shell.page.reload();
    await shell.state("live");
    frame = await shell.serviceFrame();
    await frame.getByRole("heading", { name: "Welcome by Digest" }).waitFor();
    frame = await open("/basic/other");
    await frame.getByRole("heading", { name: "Welcome by Basic" }).waitFor();
  });

  await t.step(
    "somebody else's browser is asked for itself, and its XHR sees the 401",
    async () => {
      const { code, stdout } = await pairAgain(demo.ready.state as string);
      assert.equal(code, 0);
      const stranger = await Shell.open(browser, JSON.parse(stdout).url);
      await stranger.state("live");
      const other = await open("/", stranger);
      await other.locator("#who", { hasText: "nobody" }).waitFor();
      const answer = await other.evaluate(async () => {
        const response = await fetch("/basic/data");
        const header = response.headers.get("www-authenticate");
        return { status: response.status, header, text: await response.text() };
      });
      assert.equal(answer.status, 401);
      assert.equal(answer.text, "native 401");
      assert.match(answer.header ?? "", /^Basic realm=/);
      await stranger.page.close();
    },
  );

  await t.step("no native cookie was ever set, and no secret is in the log", async () => {
    assert.deepEqual(await context.cookies(), []);
    assert.deepEqual(shell.problems, []);
    assert.equal((await demo.stop()).code, 0);
    for (const secret of SECRETS) assert.ok(!demo.child.stderr.includes(secret), secret);
  });
});

async function cookies(frame: Frame): Promise<string> {
  return await frame.evaluate(() => (globalThis as unknown as DevicePage).document.cookie);
}

async function who(frame: Frame): Promise<string> {
  return await frame.evaluate(async () => await (await fetch("/who")).text());
}

async function signIn(frame: Frame, password: string): Promise<void> {
  await frame.getByLabel("User name").fill(USER);
  await frame.getByLabel("Password").fill(password);
  await frame.getByRole("button", { name: "Sign in" }).click();
}

async function pairAgain(state: string) {
  const { runPorthole } = await import("./processes.ts");
  return await runPorthole({ args: ["pair", "--state", state, "--json"] });
}

/** For people to look at: light and dark. */
async function screenshots(shell: Shell, name: string): Promise<void> {
  await Deno.mkdir(inCheckout("tests/e2e/out"), { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    await shell.page.emulateMedia({ colorScheme });
    await shell.page.screenshot({ path: inCheckout(`tests/e2e/out/${name}-${colorScheme}.png`) });
  }
  await shell.page.emulateMedia({ colorScheme: null });
}
