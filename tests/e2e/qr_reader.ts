/** Reads a QR code off the screen, as a camera does: from a screenshot's pixels, not from what the page says it drew. */
import type { Page } from "playwright-core";
import decodeQr from "qr/decode.js";

/** The text of the only code on the page. */
export async function readQr(page: Page): Promise<string> {
  const png = await page.locator("svg.qr").screenshot();
  const { data, ...size } = await page.evaluate(pixelsOf(png.toString("base64"))) as Pixels;
  return decodeQr({ ...size, data: Uint8ClampedArray.from(data) });
}

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: number[];
}

/** Runs in the page, which can decode a picture; a `data:` URL would break its content security policy. */
function pixelsOf(base64: string): string {
  return `(async () => {
    const bytes = Uint8Array.from(atob("${base64}"), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { width, height, data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return { width, height, data: [...data] };
  })()`;
}
