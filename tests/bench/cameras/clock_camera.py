#!/usr/bin/python3
"""A camera whose pictures carry the time: GStreamer's RTSP server, x264 without delay.

Each picture has a row of 32 black or white blocks along its top, the full width: the milliseconds
since 1970, modulo 2^24, then a check byte. It is written just before the picture is handed to the
encoder, so that whoever reads it from a screen of the same machine knows how old the picture is,
encoder included. Prints its port, and serves until its standard input ends.

  clock_camera.py [--size 640x360] [--rate 30] [--bitrate 2000] [--key-interval 60]
"""
import argparse
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

BLOCKS = 32
BLACK, GREY, WHITE = 16, 120, 235


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--rate", type=int, default=30)
    parser.add_argument("--bitrate", type=int, default=2000, help="kbit/s")
    parser.add_argument("--key-interval", type=int, default=60)
    return parser.parse_args()


class Pictures:
    """Grey with a texture, a bar that moves, and the time."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        rows = [bytes(GREY + (x * 7 + y * 13) % 31 for x in range(width)) for y in range(64)]
        luma = b"".join(rows[y % 64] for y in range(height))
        self.ground = luma + bytes([128]) * (width * height // 2)
        self.bar = bytes([200]) * (width // 10)

    def picture(self, number):
        frame = bytearray(self.ground)
        left = number * 8 % (self.width - len(self.bar))
        for y in range(self.height // 2, self.height // 2 + self.height // 8):
            at = y * self.width + left
            frame[at : at + len(self.bar)] = self.bar
        side = self.width // BLOCKS
        now = int(time.time() * 1000) % 2**24
        check = (now ^ (now >> 8) ^ (now >> 16) ^ 0x5A) & 0xFF
        bits = (now << 8) | check
        row = b"".join(bytes([WHITE if bits >> (31 - i) & 1 else BLACK]) * side for i in range(BLOCKS))
        for y in range(side):
            at = y * self.width
            frame[at : at + len(row)] = row
        return bytes(frame)


def feed(source, pictures, rate):
    start = time.monotonic()
    for number in range(10**9):
        wait = start + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        buffer = Gst.Buffer.new_wrapped(pictures.picture(number))
        if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
            return


def main():
    options = arguments()
    width, height = map(int, options.size.split("x"))
    Gst.init(None)
    pictures = Pictures(width, height)
    caps = f"video/x-raw,format=I420,width={width},height={height},framerate={options.rate}/1"
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( appsrc name=pictures is-live=true do-timestamp=true format=time caps={caps} "
        f"! x264enc tune=zerolatency speed-preset=ultrafast threads=1 bitrate={options.bitrate} "
        f"key-int-max={options.key_interval} bframes=0 ! video/x-h264,profile=constrained-baseline "
        f"! rtph264pay name=pay0 pt=96 config-interval=1 )"
    )
    factory.set_shared(True)
    factory.set_latency(0)

    def on_media(_, media):
        source = media.get_element().get_by_name("pictures")
        threading.Thread(target=feed, args=(source, pictures, options.rate), daemon=True).start()

    factory.connect("media-configure", on_media)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    server.get_mount_points().add_factory("/stream1", factory)
    if server.attach(None) == 0:
        sys.exit("Cannot listen")
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_HUP | GLib.IO_IN, lambda *_: loop.quit() or False)
    loop.run()


if __name__ == "__main__":
    main()
