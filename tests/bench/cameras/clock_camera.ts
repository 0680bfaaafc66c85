/** Starts and stops clock_camera.py. */
import { inCheckout } from "../../e2e/checkout.ts";

const PYTHON = "/usr/bin/python3"; // Debian's: the one that has GStreamer's bindings

export interface ClockCamera extends AsyncDisposable {
  /** An rtsp address without a password. */
  readonly url: string;
}

/** Resolves when it listens on 127.0.0.1. */
export async function startClockCamera(
  { size, bitrate }: { readonly size: string; readonly bitrate: number },
): Promise<ClockCamera> {
  const child = new Deno.Command(PYTHON, {
    args: [
      inCheckout("tests/bench/cameras/clock_camera.py"),
      ...["--size", size, "--bitrate", String(bitrate)],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let line = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    line += text;
    if (line.endsWith("\n")) break;
  }
  if (line === "") throw new Error("The clock camera does not start");
  return {
    url: `rtsp://127.0.0.1:${Number(line)}/stream1`,
    [Symbol.asyncDispose]: async () => {
      await child.stdin.abort().catch(() => {}); // it ends with its input
      await child.status;
    },
  };
}
