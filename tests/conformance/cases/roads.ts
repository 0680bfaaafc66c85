/** Cases 25 to 28: visits that end and begin, ways that break, neighbours, and devices at the end of their strength. */
import type { Case, Check, Visit } from "../case.ts";
import type { Device } from "../device_server.ts";
import type { Exchange } from "../exchange.ts";
import { gates } from "./answers.ts";

const WHERE = `location.pathname + location.search + location.hash`;
const FINE = `fetch("/fine").then((answer) => answer.text())`;
const STREAM_LINES = 40;

function namedPage(exchange: Exchange): void {
  exchange.html(`<title>${exchange.path}</title><p>page ${exchange.path}</p>
<a id="next" href="/deep/two?x=1">next</a>
<script>globalThis.shown = []; addEventListener("pageshow", () => shown.push("pageshow"));</script>`);
}

export const visits: Case = {
  number: 25,
  title:
    "Deep link, reload, back and forward, fragment, two tabs, one closed, service worker stopped",
  alone: true,
  device(): Device {
    const go = gates();
    return {
      paths: {
        "/fine": (exchange) => exchange.reply({ body: "fine" }),
        "/deep/*": namedPage,
        "/stream": async (exchange) => {
          exchange.startChunks();
          for (let line = 0; line < STREAM_LINES; line++) {
            await exchange.chunk(`line ${line}\n`);
            if (line === 0) await go.wait("on");
          }
          await exchange.endChunks();
        },
        "/on": (exchange) => {
          go.open("on");
          exchange.reply({});
        },
      },
    };
  },
  async drive(visit: Visit, check: Check) {
    const at = async (path: string) => {
      await visit.shows(`page ${path}`);
      return await visit.scene().evaluate(WHERE);
    };
    await check("deep link", async () => {
      await visit.open("/deep/one?a=%2F&b#part");
      return await at("/deep/one");
    });
    await check("link", async () => {
      await visit.scene().evaluate(`document.querySelector("#next").click()`);
      return await at("/deep/two");
    });
    await check("back", async () => {
      await visit.tab.goBack();
      return await at("/deep/one");
    });
    await check("page works after back", () => visit.scene().evaluate(FINE));
    await check("forward", async () => {
      await visit.tab.goForward();
      return await at("/deep/two");
    });
    await check("reload", async () => {
      await visit.scene().evaluate(`globalThis.old = true`);
      await visit.followed("/deep/two");
      await visit.tab.reload();
      const where = await at("/deep/two");
      return [where, await visit.scene().evaluate(`globalThis.old ?? "new"`)];
    });
    await check("fragment", async () => {
      await visit.scene().evaluate(`globalThis.old = true; location.hash = "there"`);
      return await visit.scene().evaluate(`[${WHERE}, globalThis.old]`);
    });
    await check("pushState", async () => {
      await visit.scene().evaluate(
        `history.pushState({ a: 1 }, "", "/deep/pushed"); history.state.a`,
      );
      await visit.tab.goBack();
      return await visit.scene().evaluate(WHERE);
    });
    await check("second tab, and closed", async () => {
      const second = await visit.open("/deep/one", { newTab: true });
      const both = [await second.scene().evaluate(FINE), await visit.scene().evaluate(FINE)];
      await second.tab.close();
      return [...both, await visit.scene().evaluate(FINE)];
    });
    await check("first tab closed", async () => {
      const first = await visit.open("/deep/one", { newTab: true });
      const second = await visit.open("/deep/two", { newTab: true });
      await first.tab.close();
      const answer = await second.scene().evaluate(FINE);
      await second.tab.close();
      return answer;
    });
    await check("service worker stopped", async () => {
      await visit.road.stopWorker();
      return await visit.scene().evaluate(FINE);
    });
    await check("service worker stopped in a body", async () => {
      await visit.scene().evaluate(`(async () => {
        globalThis.reader = (await fetch("/stream")).body.getReader();
        globalThis.lines = new TextDecoder().decode((await reader.read()).value);
      })()`);
      await visit.road.stopWorker();
      return await visit.scene().evaluate(`(async () => {
        await fetch("/on");
        try {
          for (let read = await reader.read(); !read.done; read = await reader.read()) {
            lines += new TextDecoder().decode(read.value);
          }
        } catch {
          return "an error or whole";
        }
        return lines.split("\\n").length === ${STREAM_LINES + 1} ? "an error or whole" : "SHORT";
      })()`);
    });
    await check("after it", () => visit.scene().evaluate(FINE));
  },
  expected: {
    "deep link": "/deep/one?a=%2F&b#part",
    "back": "/deep/one?a=%2F&b#part",
    "service worker stopped": "fine",
    "service worker stopped in a body": "an error or whole",
  },
};

/** Asks until the road is there again. */
const FINE_AGAIN = `(async () => {
  for (let n = 0; n < 120; n++) {
    const text = await ${FINE}.catch(() => "");
    if (text === "fine") return [text, globalThis.kept ?? "reloaded"];
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return "never again";
})()`;

export const breaks: Case = {
  number: 26,
  title:
    "The road is silent for 5 s, then broken: the page goes on without a reload, a POST fails honestly",
  alone: true,
  device(): Device {
    let posts = 0;
    return {
      paths: {
        "/fine": (exchange) => exchange.reply({ body: "fine" }),
        "/hold": async (exchange) => {
          await exchange.skipBody();
          posts++;
          await exchange.closed;
        },
        "/posts": (exchange) => exchange.json(posts),
      },
    };
  },
  async drive(visit: Visit, check: Check) {
    await visit.scene().evaluate(`globalThis.kept = "kept"`);
    await check("silence", async () => {
      const silence = visit.road.pause(5_000);
      const answer = await visit.scene().evaluate(FINE_AGAIN);
      await silence;
      return answer;
    });
    await check("restart", async () => {
      await visit.road.restart();
      return await visit.scene().evaluate(FINE_AGAIN);
    });
    await check("POST in flight", async () => {
      await visit.scene().evaluate(`globalThis.post = fetch("/hold", { method: "POST", body: "x" })
        .then(({ status }) => status < 500 ? "SUCCESS" : "failed", () => "failed"); 0`);
      const arrived = `(async () => {
        while (await (await fetch("/posts")).text() === "0") await new Promise((resolve) => setTimeout(resolve, 50));
      })()`;
      await visit.scene().evaluate(arrived);
      await visit.road.restart();
      return await visit.scene().evaluate(`post`);
    });
    await check("after it", () => visit.scene().evaluate(FINE_AGAIN));
    await check("sent once", () => visit.scene().evaluate(`fetch("/posts").then((a) => a.text())`));
  },
  expected: {
    "silence": ["fine", "kept"],
    "restart": ["fine", "kept"],
    "POST in flight": "failed",
    "sent once": "1",
  },
};

function tellCookie(exchange: Exchange): void {
  exchange.html(
    `<p id="cookie">${/conf27[^;]*/.exec(exchange.header("cookie") ?? "") ?? "none"}</p>`,
  );
}

export const neighbours: Case = {
  number: 27,
  title: "Two devices share no cookies, storage, caches; the edge hears of no path",
  device: () => ({ paths: { "/mine": tellCookie } }),
  other: () => ({ paths: { "/theirs": tellCookie } }),
  async drive(visit: Visit, check: Check) {
    const kept = `[localStorage.getItem("conf27"), document.cookie.includes("conf27"),
      document.querySelector("#cookie").textContent]`;
    const all = `(async () => [...${kept}, await caches.has("conf27"),
      (await indexedDB.databases()).some(({ name }) => name === "conf27")])()`;
    await check("own", async () => {
      const own = await visit.open("/mine", { newTab: true });
      const seen = await own.scene().evaluate(all);
      await own.tab.close();
      return seen;
    });
    await check("the other's", async () => {
      const theirs = await visit.openOther("/theirs");
      const seen = await theirs.scene().evaluate(all);
      await theirs.tab.close();
      return seen;
    });
    await check("edge", () => Promise.resolve(visit.road.strays()));
  },
  expected: {
    "own": ["stored", true, "conf27=1", true, true],
    "the other's": [null, false, "none", false, false],
    "edge": [],
  },
};

/** Requests that the weak device of case 28 takes at a time. */
const STRENGTH = 2;

export const weakDevices: Case = {
  number: 28,
  title: "64 requests to a device that serves two; slow heads, 100 and 103, long headers, trailers",
  firefox: true,
  device(): Device {
    let busy = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const weak = async (exchange: Exchange) => {
      if (busy >= STRENGTH) await new Promise<void>((resolve) => waiting.push(resolve));
      most = Math.max(most, ++busy);
      await new Promise((resolve) => setTimeout(resolve, 20));
      busy--;
      waiting.shift()?.();
      const body = `number ${exchange.query.get("n")}`;
      await exchange.raw(
        `HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    };
    return {
      paths: {
        "/weak": weak,
        "/most": (exchange) => exchange.json(most),
        "/slow": async (exchange) => {
          for (const byte of "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Slow: yes\r\n\r\nslow") {
            await exchange.write(byte);
            await new Promise((resolve) => setTimeout(resolve, 25));
          }
          exchange.isWhole = true;
        },
        "/hints": async (exchange) => {
          await exchange.skipBody();
          await exchange.write("HTTP/1.1 100 Continue\r\n\r\n");
          await exchange.write("HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n");
          exchange.reply({ body: "after hints" });
        },
        "/trailers": async (exchange) => {
          exchange.startChunks([["Trailer", "X-Late"]]);
          await exchange.chunk("with trailers");
          await exchange.write("0\r\nX-Late: yes\r\n\r\n");
          exchange.isWhole = true;
        },
        "/long/*": (exchange) => {
          const value = "v".repeat(Number(exchange.path.slice("/long/".length)));
          exchange.reply({ headers: [["X-Long", value]], body: "long" });
        },
        "/many/*": (exchange) => {
          const count = Number(exchange.path.slice("/many/".length));
          const headers = Array.from(
            { length: count },
            (_, n) => [`X-Many-${n}`, String(n)] as const,
          );
          exchange.reply({ headers, body: "many" });
        },
        "/request": (exchange) => exchange.json(exchange.header("x-long")?.length ?? 0),
        "/early": (exchange) => exchange.reply({ status: 413, body: "too much" }),
      },
    };
  },
  expected: {
    "64 at once": 64,
    "slow head": ["slow", "yes"],
    "100 and 103": "after hints",
    "trailers": ["with trailers", null],
    "header of 20000": 20_000,
  },
  exceptions: {
    "header of 60000":
      "the head of an answer has 32 KiB at most; the page gets 502 with the reason",
  },
};
