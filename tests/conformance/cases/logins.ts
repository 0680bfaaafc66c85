/** Cases 7 to 9: who is signed in. */
import { createHash, randomBytes } from "node:crypto";
import type { Case, Check, Visit } from "../case.ts";
import type { Device } from "../device_server.ts";
import type { Exchange } from "../exchange.ts";

const FORM =
  `<form method="post" action="/login"><input name="user"><input name="password"></form>`;

/** Cookies that begin with `prefix`, sorted: others come from cases that share this host. */
function cookies(exchange: Exchange, prefix: string): string[] {
  return (exchange.header("cookie") ?? "").split(/; */).filter((pair) => pair.startsWith(prefix))
    .sort();
}

export const formLogin: Case = {
  number: 7,
  title:
    "Login by form: HttpOnly session, readable CSRF cookie, document.cookie and same-tick fetch",
  firefox: true,
  device: () => ({
    paths: {
      "/form": (exchange) => exchange.html(FORM),
      "/login": async (exchange) => {
        const body = await exchange.text();
        exchange.reply({
          status: 303,
          headers: [
            ["Location", "/home"],
            [
              "Set-Cookie",
              `conf7session=${createHash("sha1").update(body).digest("hex")}; HttpOnly; Path=/`,
            ],
            ["Set-Cookie", "conf7csrf=token; Path=/; SameSite=Strict"],
          ],
        });
      },
      "/home": (exchange) => exchange.html(`<p id="who">${cookies(exchange, "conf7")}</p>`),
      "/who": (exchange) => exchange.json(cookies(exchange, "conf7")),
    },
    sockets: {
      "/socket": (socket, exchange) => socket.send(cookies(exchange, "conf7").join("; ")),
    },
  }),
  expected: {
    "page sees": ["conf7csrf=token"],
    "device sees 200 writes in order": "conf7n=199",
  },
};

export const logout: Case = {
  number: 8,
  title: "Logout, Expires, Max-Age, Path, deletion; a second tab sees it",
  firefox: true,
  device: () => ({
    paths: {
      "/set": (exchange) =>
        exchange.reply({
          headers: exchange.query.getAll("cookie").map((line) => ["Set-Cookie", line]),
        }),
      "/who*": (exchange) => exchange.json(cookies(exchange, "conf8")),
      "/deep/er/who": (exchange) => exchange.json(cookies(exchange, "conf8")),
      "/deep/page": (exchange) => exchange.html("<p>deep</p>"),
      "/second": (exchange) => exchange.html(`<p id="seen">${cookies(exchange, "conf8")}</p>`),
    },
  }),
  async drive(visit: Visit, check: Check) {
    await check("second tab", async () => {
      await visit.scene().evaluate(`document.cookie = "conf8tab=shared; path=/"`);
      const second = await visit.open("/second", { newTab: true });
      try {
        const seen = await second.scene().evaluate(
          `[document.querySelector("#seen").textContent, document.cookie]`,
        );
        await visit.scene().evaluate(
          `fetch("/set?cookie=" + encodeURIComponent("conf8tab=; Path=/; Max-Age=0"))`,
        );
        const who = await second.scene().evaluate(`fetch("/who").then((answer) => answer.json())`);
        const left = await second.scene().evaluate(
          `(async () => {
            for (let n = 0; n < 100 && document.cookie.includes("conf8tab"); n++) {
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
            return document.cookie.includes("conf8tab");
          })()`,
        );
        return [String(seen).includes("conf8tab=shared"), who, left];
      } finally {
        await second.tab.close();
      }
    });
  },
  expected: { "Max-Age": [["conf8age=1"], []] },
};

const USER = "operator";
const PASSWORD = "pa:ss wörd";
const REALM = "a device";

/** A part of the device that asks for a login. Each nonce is good for `uses` requests. */
interface Guard {
  readonly algorithm: "basic" | "MD5" | "SHA-256";
  readonly uses: number;
}

const GUARDS: Readonly<Record<string, Guard>> = {
  basic: { algorithm: "basic", uses: Infinity },
  md5: { algorithm: "MD5", uses: 3 },
  sha256: { algorithm: "SHA-256", uses: 3 },
};

class Guarded {
  readonly #nonces = new Map<string, number>();
  stale = 0;

  answer(exchange: Exchange): void {
    const [, kind = ""] = exchange.path.split("/");
    const guard = GUARDS[kind]!; // the case's paths name only these
    const said = exchange.header("authorization");
    const verdict = this.#judge(guard, exchange.method, said);
    if (verdict !== "right") {
      this.stale += verdict === "stale" ? 1 : 0;
      return exchange.reply({
        status: 401,
        headers: [["WWW-Authenticate", this.#challenge(guard, verdict === "stale")], [
          "Content-Type",
          "text/html",
        ]],
        body: "<p>the device's own words</p>",
      });
    }
    exchange.html(`<p id="in">in by ${kind}</p>`);
  }

  #challenge({ algorithm, uses }: Guard, stale: boolean): string {
    if (algorithm === "basic") return `Basic realm="${REALM}", charset="UTF-8"`;
    const nonce = randomBytes(8).toString("hex");
    this.#nonces.set(nonce, uses);
    return `Digest realm="${REALM} ${algorithm}", nonce="${nonce}", qop="auth", algorithm=${algorithm}` +
      (stale ? ", stale=true" : "");
  }

  #judge(guard: Guard, method: string, said: string | undefined): "right" | "wrong" | "stale" {
    if (said === undefined) return "wrong";
    if (guard.algorithm === "basic") {
      const given = atob(said.replace(/^Basic /i, ""));
      const [user, password] = [USER, PASSWORD].map((text) => binary(text));
      return given === `${user}:${password}` ? "right" : "wrong";
    }
    const field = (name: string) =>
      new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^ ,]*))`).exec(said)?.slice(1).find((text) =>
        text !== undefined
      ) ?? "";
    const hash = (text: string) =>
      createHash(guard.algorithm === "MD5" ? "md5" : "sha256").update(text).digest("hex");
    const own = hash(`${USER}:${REALM} ${guard.algorithm}:${PASSWORD}`);
    const request = hash(`${method}:${field("uri")}`);
    const right = hash(
      [own, field("nonce"), field("nc"), field("cnonce"), "auth", request].join(":"),
    );
    if (field("response") !== right) return "wrong";
    const left = this.#nonces.get(field("nonce")) ?? 0;
    this.#nonces.set(field("nonce"), left - 1);
    return left > 0 ? "right" : "stale";
  }
}

function binary(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

export const challenges: Case = {
  number: 9,
  title:
    "Basic; Digest with MD5 and SHA-256 and a stale nonce; a 401 to fetch and XHR stays as it is",
  asksForLogin: true,
  device(): Device {
    const guarded = new Guarded();
    const answer = (exchange: Exchange) => guarded.answer(exchange);
    return {
      paths: {
        "/basic*": answer,
        "/md5*": answer,
        "/sha256*": answer,
        "/stale": (exchange) => exchange.json(guarded.stale > 0),
      },
    };
  },
  async drive(visit: Visit, check: Check) {
    for (const kind of Object.keys(GUARDS)) {
      await check(`${kind} by a person`, async () => {
        await visit.logIn(`/${kind}/page`, { user: USER, password: PASSWORD });
        await visit.shows(`in by ${kind}`);
        return await visit.scene().evaluate(`document.querySelector("#in").textContent`);
      });
      await check(`${kind} then by fetch`, async () => {
        const asked = `(async () => {
          const seen = [];
          for (let n = 0; n < 8; n++) seen.push((await fetch("/${kind}/" + n)).status);
          return seen.join();
        })()`;
        return await visit.scene().evaluate(asked);
      });
    }
    await check(
      "nonces became stale",
      async () => await visit.scene().evaluate(`fetch("/stale").then((answer) => answer.json())`),
    );
  },
  expected: {
    "fetch without a login": [
      401,
      "<p>the device's own words</p>",
      `Basic realm="${REALM}", charset="UTF-8"`,
    ],
    "basic by a person": "in by basic",
    "md5 by a person": "in by md5",
    "sha256 by a person": "in by sha256",
    "sha256 then by fetch": "200,200,200,200,200,200,200,200",
    "nonces became stale": true,
  },
};
