/** How a device sees a page that does not read. */
import { json, sleep } from "./harness.js";

/** Times in a row that a stream must be as far as before. */
const SAME = 15;
const LOOK_EVERY_MS = 100;
const LIMIT_MS = 30_000;

/** Waits until nothing more of a stream is taken. */
export async function settled(name, path = "/stream") {
  const end = performance.now() + LIMIT_MS;
  let last = -1;
  for (let same = 0; same < SAME;) {
    if (performance.now() > end) return { blocks: false };
    const { taken } = await json(`${path}?name=${name}`);
    same = taken === last ? same + 1 : 0;
    last = taken;
    await sleep(LOOK_EVERY_MS);
  }
  const { isWithinLimit, isOpen } = await json(`${path}?name=${name}`);
  return { blocks: true, isWithinLimit, isOpen };
}
