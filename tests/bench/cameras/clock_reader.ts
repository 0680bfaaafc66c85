/**
 * Reads the time that clock_camera.py wrote into its pictures, from the picture on the screen:
 * `requestVideoFrameCallback` says that one is shown, a canvas says which. Runs in the page, so it
 * uses nothing of this file.
 */

/** What was read from the screen in a while. */
export interface ClockReading {
  /** Age of each picture when it was shown, in ms, encoder included. */
  readonly ages: readonly number[];
  /** The longest time between two shown pictures, in ms. */
  readonly longestGapMs: number;
  /** Pictures whose check byte did not fit. */
  readonly unreadable: number;
  /** Time from a picture's arrival at the browser to its showing, in ms, where it is told. */
  readonly inside: readonly number[];
}

/** For `page.evaluate`: reads the video that `selector` finds for `forMs`. */
export function readClock(
  { selector, forMs }: { selector: string; forMs: number },
): Promise<ClockReading> {
  // deno-lint-ignore no-explicit-any -- browser types do not exist on this side
  const scope = globalThis as any;
  const video = scope.document.querySelector(selector);
  const canvas = scope.document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 10];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const ages: number[] = [];
  const inside: number[] = [];
  let unreadable = 0;
  let longestGapMs = 0;
  let last: number | undefined;
  const end = performance.now() + forMs;
  return new Promise((resolve) => {
    const give = () => resolve({ ages, longestGapMs, unreadable, inside });
    setTimeout(give, forMs + 10_000); // where no picture comes there is no callback either
    video.requestVideoFrameCallback(
      function look(_: number, frame: { receiveTime?: number; expectedDisplayTime: number }) {
        const now = performance.now();
        const side = video.videoWidth / 32;
        context.drawImage(video, 0, 0, video.videoWidth, side, 0, 0, 320, 10);
        const pixels = context.getImageData(0, 5, 320, 1).data;
        let bits = 0n;
        for (let block = 0; block < 32; block++) {
          bits = (bits << 1n) | (pixels[4 * (block * 10 + 5)] > 128 ? 1n : 0n);
        }
        const time = Number(bits >> 8n);
        const check = (time ^ (time >> 8) ^ (time >> 16) ^ 0x5a) & 0xff;
        const wall = Math.round(performance.timeOrigin + now) % 2 ** 24;
        if (check === Number(bits & 0xffn)) ages.push((wall - time + 2 ** 24) % 2 ** 24);
        else unreadable++;
        if (frame.receiveTime) inside.push(frame.expectedDisplayTime - frame.receiveTime);
        if (last !== undefined) longestGapMs = Math.max(longestGapMs, now - last);
        last = now;
        if (now < end) video.requestVideoFrameCallback(look);
        else give();
      },
    );
  });
}
