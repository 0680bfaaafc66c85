// The browser's end of the transport bench; both devices meet the same page.

/** Bytes that an echo has, and the pause between two, in ms. */
const ECHO_BYTES = 1024;
const ECHO_PAUSE_MS = 50;
/** How much may wait in the browser's bulk channel, in bytes. */
const HIGH_BYTES = 1 << 20;
const LOW_BYTES = 262_144;
/** More than any transfer takes. */
const ENDLESS_BYTES = 1e12;

let connection;
let control;
let bulk;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const opened = (channel) =>
  channel.readyState === "open"
    ? Promise.resolve()
    : new Promise((resolve) => channel.onopen = resolve);

/** Connects anew; gives the time from the answer to an open channel, in ms. */
async function connect() {
  connection?.close();
  connection = new RTCPeerConnection({ iceServers: [] });
  [control, bulk] = ["control", "bulk"].map((label, id) => {
    const channel = connection.createDataChannel(label, { negotiated: true, id, ordered: true });
    channel.binaryType = "arraybuffer";
    return channel;
  });
  await connection.setLocalDescription(await connection.createOffer());
  await gathered();
  const { sdp } = connection.localDescription;
  const response = await fetch("/offer", {
    method: "POST",
    body: JSON.stringify({ type: "offer", sdp }),
  });
  if (!response.ok) throw new Error(await response.text());
  const answer = await response.json();
  const start = performance.now();
  const open = opened(control);
  await connection.setRemoteDescription(answer);
  await open;
  const openMs = performance.now() - start;
  await opened(bulk);
  return openMs;
}

function gathered() {
  if (connection.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, 1000);
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState === "complete") resolve();
    };
  });
}

/** Echoes until `stop`. */
function echoes() {
  let [trips, sentAt, stopped] = [[], undefined, false];
  const message = new Uint8Array(ECHO_BYTES);
  const run = async () => {
    while (!stopped) {
      sentAt = performance.now();
      const back = new Promise((resolve) => control.onmessage = () => resolve(true));
      const ended = new Promise((resolve) => control.onclose = () => resolve(false));
      control.send(message);
      if (!await Promise.race([back, ended])) return;
      trips.push(performance.now() - sentAt);
      sentAt = undefined;
      await pause(ECHO_PAUSE_MS);
    }
  };
  run();
  return {
    forget: () => trips = [],
    /** Round trips since the last `forget`, in ms; what is still under way counts as it is. */
    stop() {
      stopped = true;
      return sentAt === undefined ? trips : [...trips, performance.now() - sentAt];
    },
  };
}

/** Device to browser. `received` gives what has come so far and when that was looked at, in ms. */
async function down(size) {
  let bytes = 0;
  bulk.onmessage = ({ data }) => bytes += data.byteLength;
  await fetch(`/send?bytes=${ENDLESS_BYTES}&size=${size}`, { method: "POST" });
  return {
    received: async (ms) => {
      await pause(ms);
      return { bytes, at: performance.now() };
    },
    stop() {},
  };
}

/** Browser to device, as the device counts it. */
function up(size) {
  const [channel, message] = [bulk, new Uint8Array(size)];
  let stopped = false;
  channel.bufferedAmountLowThreshold = LOW_BYTES;
  const run = async () => {
    while (!stopped && channel.readyState === "open") {
      if (channel.bufferedAmount > HIGH_BYTES) {
        await Promise.race([
          new Promise((resolve) => channel.onbufferedamountlow = resolve),
          pause(100), // so that it notices the end
        ]);
      } else channel.send(message);
    }
  };
  run().catch(() => {}); // the channel was closed between the check and the sending
  return {
    received: (ms) =>
      fetch(`/received?bytes=${ENDLESS_BYTES}&limit=${ms}`).then((response) => response.json()),
    stop: () => stopped = true,
  };
}

globalThis.bench = {
  connect,
  /** A transfer without end, of which the window behind the warm-up counts. Ends the connection. */
  async transfer(direction, size, { warmUpMs, windowMs }) {
    const run = echoes();
    const moving = await (direction === "down" ? down : up)(size);
    const first = await moving.received(warmUpMs);
    run.forget();
    const last = await moving.received(windowMs);
    moving.stop();
    const trips = run.stop();
    const ended = connection.connectionState !== "connected";
    connection.close();
    const [timedBytes, ms] = [last.bytes - first.bytes, last.at - first.at];
    return { bytes: last.bytes, timedBytes, ms, trips, ended };
  },
  /** `bytes` from the device, as fast as it goes. Gives what came and in how many ms. */
  async push(bytes, size, limitMs) {
    let received = 0;
    const start = performance.now();
    const whole = new Promise((resolve) => {
      setTimeout(resolve, limitMs);
      bulk.onclose = resolve;
      bulk.onmessage = ({ data }) => {
        received += data.byteLength;
        if (received >= bytes) resolve();
      };
    });
    await fetch(`/send?bytes=${bytes}&size=${size}`, { method: "POST" });
    await whole;
    return { bytes: received, ms: performance.now() - start };
  },
};
