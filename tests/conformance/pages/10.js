import { check, json, sha256 } from "./harness.js";

function bytes(length) {
  const data = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(data.subarray(at, at + 65536));
  return data;
}

function uploaded(data) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", new Blob([data]), "füle.bin");
    const request = new XMLHttpRequest();
    const steps = [];
    request.upload.onprogress = (event) => steps.push(event);
    request.onload = () => resolve({ answer: JSON.parse(request.responseText), steps });
    request.onerror = () => reject(new DOMException("", "NetworkError"));
    request.open("POST", "/upload");
    request.send(form);
  });
}

const long = await json("/length");
const sizes = { "1 B": 1, "3 MB": 3_000_000, "long": long, "0 B": 0 };

for (const [name, length] of Object.entries(sizes)) {
  const data = bytes(length);
  const { answer, steps } = await uploaded(data).catch(() => ({ answer: {}, steps: [] }));
  await check(name, async () => [answer.length, answer.sha256 === await sha256(data)]);
  await check(`${name}: type`, () => answer.type);
  await check(`${name}: progress`, () => {
    const { loaded, total, lengthComputable } = steps.at(-1);
    return [lengthComputable, loaded === total, total > length];
  });
}

await check("raw bytes by fetch", async () => {
  const data = bytes(5_000_000);
  const answer = await json("/raw", { method: "POST", body: data });
  return [answer.length, answer.sha256 === await sha256(data)];
});
await check("blob by PUT", async () => {
  const data = bytes(100_000);
  const answer = await json("/raw", { method: "PUT", body: new Blob([data]) });
  return [answer.length, answer.sha256 === await sha256(data)];
});
await check("beacon", () => navigator.sendBeacon("/raw", "x"));
