import {
  all,
  check,
  inbox,
  isFirefox,
  json,
  once,
  openSocket,
  PAUSE_MS,
  sleep,
  socketUrl,
} from "./harness.js";

const closing = async (socket) => {
  const { code, reason, wasClean } = await once(socket, "close");
  return [code, reason, wasClean];
};

async function echoed(data) {
  const socket = await openSocket("/echo");
  socket.send(data);
  const answer = (await once(socket, "message")).data;
  socket.close();
  return answer;
}

/** Open for a moment: a browser has only so many at once. */
async function opened(protocols) {
  const socket = await openSocket("/echo", protocols);
  socket.close();
  return socket;
}

/** Firefox has 200 for all its tabs. */
const MANY = isFirefox ? 150 : 200;

const SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_000_000, 4_194_304];
const CODES = [1000, 3000, 4001, 4999];

await all({
  ...Object.fromEntries(SIZES.map((size) => [`binary ${size}`, async () => {
    const bytes = new Uint8Array(size).map((_, index) => index * 31);
    const answer = new Uint8Array(await echoed(bytes));
    return [answer.length, answer.every((byte, index) => byte === bytes[index])];
  }])),
  ...Object.fromEntries(SIZES.map((size) => [`text ${size}`, async () => {
    const text = "ü".repeat(size / 2);
    return await echoed(text) === text;
  }])),
  "subprotocol": async () => (await opened(["first", "second"])).protocol,
  "no subprotocol": async () => (await opened()).protocol,
  "extensions": async () => (await opened()).extensions,
  "lock step": async () => {
    const socket = new WebSocket(socketUrl("/steps"));
    const next = inbox(socket);
    const closed = closing(socket);
    let step = 0;
    for (; step < 20; step++) {
      if ((await next()).data !== String(step)) return step;
      socket.send("seen");
    }
    return [step, (await closed)[0]];
  },
  "pings": async () => (await once(new WebSocket(socketUrl("/ping")), "message")).data,
  "Origin": async () => {
    const socket = new WebSocket(socketUrl("/origin?a=%2F&b"));
    return JSON.parse((await once(socket, "message")).data);
  },
  ...Object.fromEntries(CODES.map((code) => [
    `closed by device ${code}`,
    () => closing(new WebSocket(socketUrl(`/close/${code}`))),
  ])),
  "closed without a code": () => closing(new WebSocket(socketUrl("/bare"))),
  "cut": () => closing(new WebSocket(socketUrl("/cut"))),
  "refused": () => closing(new WebSocket(socketUrl("/nothing-here"))),
  "bad code": async () => {
    const socket = await openSocket("/echo");
    socket.close(1001);
  },
  "bad address": () => new WebSocket("ftp://x/"),
  "send too early": () => new WebSocket(socketUrl("/echo")).send("x"),
  "idle": async () => {
    const socket = await openSocket("/idle");
    const next = inbox(socket);
    await sleep(PAUSE_MS);
    await fetch("/go");
    return (await next()).data;
  },
});

await check("closed by page", async () => {
  const bare = await openSocket("/told");
  bare.close();
  await once(bare, "close");
  const socket = await openSocket("/told");
  socket.close(4002, "bye ü");
  const seen = await closing(socket);
  await sleep(300);
  return [seen, await json("/closes")];
});
await check("200 at once", async () => {
  const all = await Promise.all(Array.from({ length: MANY }, () => openSocket("/echo")));
  const answers = all.map(async (socket, index) => {
    socket.send(String(index));
    return (await once(socket, "message")).data === String(index);
  });
  const right = (await Promise.all(answers)).filter(Boolean).length;
  for (const socket of all) socket.close();
  return right === MANY;
});
