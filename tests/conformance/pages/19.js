import { check, once, PAUSE_MS, sleep, until } from "./harness.js";

const canvas = document.createElement("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });

function colour(image) {
  context.drawImage(image, 0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue].findIndex((value) => value > 128);
}

async function drawn(image, wanted) {
  while (image.naturalWidth === 0 || colour(image) !== wanted) await sleep(10);
}

const image = new Image();
image.src = "/steps";
document.body.append(image);
await check("in lock step", async () => {
  let step = 0;
  for (; step < 30; step++) {
    await drawn(image, step % 3);
    await fetch(`/seen?step=${step}`);
  }
  return step;
});
await check("removed", async () => {
  image.src = "";
  image.remove();
  return await until("/open", (open) => open === 0);
});

const slow = new Image();
slow.src = "/slow";
document.body.append(slow);
await check("still moving after a while", async () => {
  await drawn(slow, 0);
  await sleep(PAUSE_MS);
  for (const wanted of [0, 1, 2, 0]) await drawn(slow, wanted);
  return true;
});
slow.src = "";
await check("navigated away", async () => {
  const frame = document.createElement("iframe");
  frame.src = "/page";
  document.body.append(frame);
  await until("/open", (open) => open === 1);
  frame.src = "about:blank";
  await once(frame, "load");
  return await until("/open", (open) => open === 0);
});
