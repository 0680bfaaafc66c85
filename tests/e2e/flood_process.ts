/**
 * Strangers in a process of their own: `flood_process.ts KIND PORT DEVICE` floods a rendezvous on this machine until it is
 * told to stop. Each stranger has an address of its own below 127.0.0.0/8. It prints a line when the flood has begun, one
 * when all of it is there, and one with its counts at the end.
 *
 *   places     holds every place for browsers that it gets
 *   unknown    asks for devices that do not exist, and writes to them
 *   offers     sends what looks like an offer to DEVICE, over and over
 *   crowd      the same, each time from an address that nobody has seen yet
 *   devices    registers devices with random keys, and keeps them registered
 */
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { fromBase64Url, toBase64Url } from "../../src/lib/bytes.ts";
import { MAX_SEALED_BYTES, registrationText } from "../../src/protocol/signal.ts";
import { createSigner, generateSigningKey } from "../../src/trust/ed25519.ts";
import { printJson } from "../../src/terminal.ts";

const [kind, port, device] = Deno.args as [string, string, string];
const stop = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(name, () => stop.abort());
const counts: Record<string, number> = {};
const sockets = new Set<WebSocket>();
/** An offer as browsers make it has about this size; its first byte says that it is one. */
const OFFER_BYTES = 1093;
/** Connections that are being opened at once: what a rendezvous on one core can answer. */
const AT_ONCE = 32;

function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

/** The stranger of this number: 127.1.0.1 and so on, four million of them. */
function address(number: number): string {
  return `127.${1 + ((number >> 16) & 63)}.${(number >> 8) & 255}.${(number & 255) || 254}`;
}

/** Resolves when the connection stands or is turned away. */
function open(
  path: "browser" | "device",
  { from, heard }: {
    from: number;
    heard: (message: Record<string, string>, socket: WebSocket) => void;
  },
): Promise<WebSocket | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/${path}`, {
      localAddress: address(from),
      perMessageDeflate: false,
      ...(path === "browser"
        ? {
          origin: `http://porthole.localhost:${port}`,
          headers: { host: `porthole.localhost:${port}` },
        }
        : {}),
    });
    socket.on("open", () => {
      count("opened");
      sockets.add(socket);
      resolve(socket);
    });
    socket.on("message", (data) => heard(JSON.parse(String(data)), socket));
    socket.on("error", () => count("turned away"));
    socket.on("close", () => {
      sockets.delete(socket);
      resolve(undefined);
    });
  });
}

/** So many, a few at once. */
async function each(total: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < total && !stop.signal.aborted) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/* ---- kinds ----------------------------------------------------------------------------------------------------- */

/** Twenty-one addresses may hold 5,376 sockets: more than there are places. Whoever loses one comes again. */
async function places(): Promise<void> {
  await each(5_200, async (number) => {
    const hold = async () => {
      const socket = await open("browser", {
        from: number % 21,
        heard: ({ type }) => count(type!),
      });
      const again = () => stop.signal.aborted || setTimeout(() => void hold(), 3000);
      if (socket === undefined) again();
      else socket.on("close", again);
    };
    await hold();
  });
}

/** A browser may send two messages a second. */
async function unknown(): Promise<void> {
  const browsers = 400;
  await each(browsers, async (number) => {
    const socket = await open("browser", { from: number % 100, heard: ({ type }) => count(type!) });
    if (socket) repeat(() => talk(socket), 550);
  });
}

function talk(socket: WebSocket): void {
  const name = crypto.getRandomValues(new Uint8Array(26));
  const nobody = Array.from(name, (byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31]).join("");
  const sealed = toBase64Url(junk(64));
  const message = name[0]! & 1
    ? { type: "find", device: nobody }
    : { type: "send", device: nobody, sealed };
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** Each address comes again whenever it was refused, a little faster than it is let through. */
async function offers(): Promise<void> {
  const strangers = 200;
  await each(strangers, async (number) => {
    const knock = async () => {
      const socket = await open("browser", {
        from: number,
        heard: ({ type }, socket) => {
          count(type!);
          if (type === "refused" && Math.random() < 0.5) socket.close();
        },
      });
      while (socket?.readyState === WebSocket.OPEN && !stop.signal.aborted) {
        socket.send(
          JSON.stringify({ type: "send", device, sealed: toBase64Url(junk(OFFER_BYTES)) }),
        );
        count("offers");
        await pause(500);
      }
    };
    void (async () => {
      while (!stop.signal.aborted) {
        await knock();
        await pause(1500);
      }
    })();
    await pause(10);
  });
}

/** Thirty-two at a time, which makes some hundred addresses a second. One network of IPv6 has as many for weeks. */
async function crowd(): Promise<void> {
  await each(Number.MAX_SAFE_INTEGER, async (number) => {
    const over = Promise.withResolvers<void>();
    const socket = await open("browser", {
      from: number,
      heard: ({ type }) => {
        count(type!);
        over.resolve();
      },
    });
    if (!socket) return await pause(100);
    socket.on("close", () => over.resolve());
    socket.send(JSON.stringify({ type: "send", device, sealed: toBase64Url(junk(OFFER_BYTES)) }));
    count("offers");
    await Promise.race([over.promise, pause(200)]); // whoever is let through hears nothing
    socket.close();
  });
}

async function devices(): Promise<void> {
  await each(10_000, async (number) => {
    const registered = Promise.withResolvers<void>();
    const signer = await createSigner(await generateSigningKey(false));
    const socket = await open("device", {
      from: number % 20,
      heard: (message, socket) => {
        count(message.type!);
        if (message.type === "challenge") {
          register(socket, signer, message.nonce!).catch(() => count("failed"));
        } else registered.resolve();
      },
    });
    socket?.on("close", () => registered.resolve());
    if (socket) await registered.promise;
  });
}

async function register(
  socket: WebSocket,
  signer: Awaited<ReturnType<typeof createSigner>>,
  nonce: string,
): Promise<void> {
  const text = registrationText(fromBase64Url(nonce), signer.publicKey);
  socket.send(JSON.stringify({
    type: "register",
    key: toBase64Url(signer.publicKey),
    signature: toBase64Url(await signer.sign(text)),
    presence: toBase64Url(junk(1024)),
  }));
}

/** Begins as an offer does. */
function junk(bytes: number): Uint8Array<ArrayBuffer> {
  const sealed = crypto.getRandomValues(new Uint8Array(Math.min(bytes, MAX_SEALED_BYTES)));
  sealed[0] = 1;
  return sealed;
}

function repeat(work: () => void, everyMs: number): void {
  const timer = setInterval(work, everyMs);
  stop.signal.addEventListener("abort", () => clearInterval(timer));
}

const KINDS: Readonly<Record<string, () => Promise<void>>> = {
  places,
  unknown,
  offers,
  crowd,
  devices,
};
const flood = KINDS[kind];
if (flood === undefined) throw new Error(`There is no flood "${kind}"`);
const flooding = flood();
if (kind === "places") await flooding; // the others are to be felt while they grow
printJson({ flooding: kind });
flooding.then(
  () => printJson({ whole: kind }),
  (error: unknown) => printJson({ error: String(error) }),
);
if (!stop.signal.aborted) {
  await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
}
printJson(counts);
for (const socket of sockets) socket.terminate();
Deno.exit(0);
