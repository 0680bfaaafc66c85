// The browser's end of the transport bench; both devices meet the same page.

/** Bytes that an echo has, and the pause between two, in ms. */
const ECHO_BYTES = 1024;
const ECHO_PAUSE_MS = 50;
/** How much may wait in the browser's bulk channel, in bytes. */
const HIGH_BYTES = 1 << 20;
const LOW_BYTES = 262_144;

let connection;
let control;
let bulk;

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

/** Echoes until `stop`; gives their round trips, in ms. */
function echoes() {
  const trips = [];
  let stopped = false;
  const message = new Uint8Array(ECHO_BYTES);
  const run = async () => {
    while (!stopped) {
      const start = performance.now();
      const back = new Promise((resolve) => control.onmessage = () => resolve(true));
      control.send(message);
      const ended = new Promise((resolve) => control.onclose = () => resolve(false));
      if (!await Promise.race([back, ended])) return;
      trips.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, ECHO_PAUSE_MS));
    }
  };
  const running = run();
  return {
    trips,
    async stop() {
      stopped = true;
      await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 3000))]);
      return trips;
    },
  };
}

/** Device to browser: what came, and the time between the first and the last message. */
async function down(bytes, size, limitMs) {
  let [received, first, last, firstBytes] = [0, 0, 0, 0];
  let finish;
  const finished = new Promise((resolve) => finish = resolve);
  const timer = setTimeout(() => finish(), limitMs);
  bulk.onmessage = ({ data }) => {
    last = performance.now();
    if (received === 0) [first, firstBytes] = [last, data.byteLength];
    received += data.byteLength;
    if (received >= bytes) finish();
  };
  bulk.onclose = () => finish();
  await fetch(`/send?bytes=${bytes}&size=${size}`, { method: "POST" });
  await finished;
  clearTimeout(timer);
  return { bytes: received, timedBytes: received - firstBytes, ms: last - first };
}

/** Browser to device, as the device counts it. */
async function up(bytes, size, limitMs) {
  bulk.bufferedAmountLowThreshold = LOW_BYTES;
  const message = new Uint8Array(size);
  const end = performance.now() + limitMs;
  const arrival = fetch(`/received?bytes=${bytes}&limit=${limitMs}`).then((r) => r.json());
  for (let sent = 0; sent < bytes && bulk.readyState === "open"; sent += size) {
    if (bulk.bufferedAmount > HIGH_BYTES) {
      await new Promise((resolve) => {
        bulk.onbufferedamountlow = resolve;
        bulk.onclose = resolve;
        setTimeout(resolve, Math.max(0, end - performance.now()));
      });
    }
    if (performance.now() > end || bulk.readyState !== "open") break;
    bulk.send(size <= bytes - sent ? message : message.subarray(0, bytes - sent));
  }
  const arrived = await arrival;
  return { bytes: arrived.bytes, timedBytes: Math.max(0, arrived.bytes - size), ms: arrived.ms };
}

globalThis.bench = {
  connect,
  async transfer(direction, bytes, size, limitMs) {
    const run = echoes();
    const result = await (direction === "down" ? down : up)(bytes, size, limitMs);
    return { ...result, trips: await run.stop() };
  },
};
