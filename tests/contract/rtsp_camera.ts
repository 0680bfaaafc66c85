/** Starts and stops the real RTSP server of rtsp_server.py. */
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./rtsp_server.py", import.meta.url));
const PYTHON = "/usr/bin/python3"; // Debian's: the one that has GStreamer's bindings
const NEEDS = "import gi; gi.require_version('GstRtspServer', '1.0'); " +
  "from gi.repository import Gst, GstRtspServer; Gst.init(None); " +
  "assert Gst.ElementFactory.find('x264enc')";

/** Why the server cannot run on this machine; undefined when it can. */
export function rtspServerLack(): string | undefined {
  return runs(PYTHON, ["-c", NEEDS])
    ? undefined
    : "python3-gi, gir1.2-gst-rtsp-server-1.0 or gstreamer1.0-plugins-ugly is missing";
}

/** Why ffmpeg cannot run on this machine; undefined when it can. */
export function ffmpegLack(): string | undefined {
  return runs("ffprobe", ["-version"]) && runs("ffmpeg", ["-version"])
    ? undefined
    : "ffmpeg is missing";
}

function runs(program: string, args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

export class RtspServer {
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves when it listens on 127.0.0.1, at /stream1. Options: rtsp_server.py. */
  static async start(...options: string[]): Promise<RtspServer> {
    const child = new Deno.Command(PYTHON, {
      args: [SCRIPT, ...options],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let line = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      line += text;
      if (line.endsWith("\n")) return new RtspServer(child, Number(line));
    }
    await child.stdin.close();
    const { code } = await child.status;
    throw new Error(`Cannot start RTSP server: it ended with ${code}`);
  }

  /** Ends it without a good-bye, as a pulled plug does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.stdin.abort().catch(() => {});
    await this.#child.status;
  }
}
