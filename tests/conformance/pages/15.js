import { all, check, json, once, sleep, until } from "./harness.js";
import { settled } from "./flow.js";

const HEADERS = ["bytes=0-", "bytes=-3", "bytes=0-0", "bytes=5-9", "bytes=25-99", "bytes=100-"];

async function ranged(range) {
  const response = await fetch("/letters", { headers: { range } });
  return [response.status, response.headers.get("content-range"), await response.text()];
}

await all({
  ...Object.fromEntries(HEADERS.map((range) => [range, () => ranged(range)])),
  "several": async () => {
    const response = await fetch("/letters", { headers: { range: "bytes=0-1, 5-6,-2" } });
    return [response.status, response.headers.get("content-type"), await response.text()];
  },
  "none": async () => (await fetch("/letters")).status,
});

const video = document.createElement("video");
video.muted = true;
video.preload = "auto";
video.src = "/sound.wav";
document.body.append(video);

await check("duration", async () => {
  if (video.readyState === 0) await once(video, "loadedmetadata");
  return Math.round(video.duration);
});
await check("paused", () => settled("", "/state").then(({ blocks }) => blocks));
await check("plays", async () => {
  await video.play();
  while (video.currentTime < 1) await sleep(50);
  video.pause();
  return true;
});
await check("seeks", async () => {
  video.currentTime = 200;
  await once(video, "seeked");
  await video.play();
  while (video.currentTime < 200.5) await sleep(50);
  video.pause();
  return [video.currentTime < 230, (await json("/state")).far];
});
await check("paused far", () => settled("", "/state").then(({ isWithinLimit }) => isWithinLimit));
await check("removed", async () => {
  video.removeAttribute("src");
  video.load();
  video.remove();
  return (await until("/state", ({ open }) => open === 0)).open;
});
