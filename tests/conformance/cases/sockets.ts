/** Cases 17, 18 and 29: WebSockets, wherever a page may open them. */
import { Buffer } from "node:buffer";
import type { Case } from "../case.ts";
import type { Device, SocketHandler } from "../device_server.ts";
import { gates } from "./answers.ts";

const echo: SocketHandler = (socket) => {
  socket.on("message", (data, binary) => socket.send(data as Uint8Array, { binary }));
};

export const sockets: Case = {
  number: 17,
  title:
    "WebSocket: 1 B to 4 MB, subprotocol, pings, close codes both ways, refusal, Origin, 200 at once",
  firefox: true,
  device(): Device {
    let pongs = 0;
    let closes: unknown[] = [];
    const go = gates();
    return {
      subprotocol: "second",
      sockets: {
        "/echo*": echo,
        "/steps": (socket) => {
          let step = 0;
          const send = () => socket.send(String(step++));
          socket.on("message", () => step < 20 ? send() : socket.close(1000, "over"));
          send();
        },
        "/ping": (socket) => {
          socket.on("pong", () => {
            if (++pongs < 3) socket.ping();
            else socket.send("enough");
          });
          socket.ping();
        },
        "/origin": (socket, exchange) =>
          socket.send(JSON.stringify({
            origin: exchange.header("origin") === `http://${exchange.authority}`,
            host: exchange.header("host") === exchange.authority,
            path: exchange.target,
          })),
        "/close/*": (socket, exchange) =>
          socket.close(Number(exchange.path.slice("/close/".length)), "gr\u00fc\u00df"),
        "/cut": (socket) => socket.terminate(),
        "/bare": (socket) => socket.close(),
        "/told": (socket) =>
          socket.on("close", (code, reason) => closes.push([code, reason.toString()])),
        "/idle": (socket) => {
          void go.wait("idle").then(() => socket.send("woken"));
        },
      },
      paths: {
        "/go": (exchange) => {
          go.open("idle");
          exchange.reply({});
        },
        "/closes": (exchange) => {
          exchange.json(closes);
          closes = [];
        },
      },
    };
  },
  expected: {
    "binary 4194304": [4_194_304, true],
    "text 65536": true,
    "subprotocol": "second",
    "lock step": [20, 1000],
    "pings": "enough",
    "Origin": { origin: true, host: true, path: "/origin?a=%2F&b" },
    "closed by device 4001": [4001, "gr\u00fc\u00df", true],
    "refused": [1006, "", false],
    "200 at once": true,
  },
};

const WORKER = `
const url = (self.origin === "null" ? "" : self.origin).replace("http", "ws") + "/echo";
const say = (port) => {
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send("from a worker");
  socket.onmessage = ({ data }) => { port.postMessage(data); socket.close(); };
  socket.onerror = () => port.postMessage("socket error");
};
if (typeof postMessage === "function") say(self);
else addEventListener("connect", ({ ports: [port] }) => say(port));`;

export const workers: Case = {
  number: 18,
  title: "WebSocket in dedicated, module, shared and blob workers",
  firefox: true,
  device: () => ({
    paths: {
      "/worker.js": (exchange) =>
        exchange.reply({ headers: [["Content-Type", "text/javascript"]], body: WORKER }),
      "/module.js": (exchange) =>
        exchange.reply({
          headers: [["Content-Type", "text/javascript"]],
          body: `import { x } from "./dependency.js";\nx;\n${WORKER}`,
        }),
      "/dependency.js": (exchange) =>
        exchange.reply({
          headers: [["Content-Type", "text/javascript"]],
          body: "export const x = 1;",
        }),
      "/importing.js": (exchange) =>
        exchange.reply({
          headers: [["Content-Type", "text/javascript"]],
          body: `importScripts("/worker.js");`,
        }),
    },
    sockets: { "/echo": echo },
  }),
  expected: {
    "dedicated": "from a worker",
    "module": "from a worker",
    "shared": "from a worker",
    "blob": "from a worker",
  },
};

export const latency: Case = {
  number: 29,
  title: "Keystrokes are echoed while a download runs that ends only after them",
  device(): Device {
    const go = gates();
    return {
      sockets: { "/echo": echo },
      paths: {
        "/download": async (exchange) => {
          exchange.startChunks([["Content-Type", "application/octet-stream"]]);
          let over = false;
          void go.wait("over").then(() => over = true);
          const piece = Buffer.alloc(64 << 10, 7);
          while (!over) await exchange.chunk(piece);
          await exchange.endChunks();
        },
        "/over": (exchange) => {
          go.open("over");
          exchange.reply({});
        },
      },
    };
  },
  expected: { "echoes": 30, "download": [true, true] },
};
