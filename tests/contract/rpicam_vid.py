#!/usr/bin/python3
"""Stands in for rpicam-vid, which needs a Raspberry Pi: nothing here has a camera connector.

What it takes, writes, says and exits with is what the sources of rpicam-apps say (core/options.cpp,
core/video_options.hpp, core/rpicam_app.cpp, apps/rpicam_vid.cpp, output/file_output.cpp): options of
the same names, one write and flush for each picture, H.264 in Annex B with parameter sets in front
of each key frame, its own and libcamera's words on standard error, and 255 after "ERROR: *** ... ***".
The pictures are a clip's. The mood is the name that it is started by:

  rpicam-vid            gives pictures
  rpicam-vid-old        does not know --low-latency
  rpicam-vid-absent     has no camera          rpicam-vid-busy     the camera is another's
  rpicam-vid-slow       writes each picture in two pieces, apart
  rpicam-vid-gone       loses its camera after a second
"""
import os
import re
import sys
import time

KNOWN = {
    # name: number of values
    "timeout": 1, "nopreview": 0, "codec": 1, "profile": 1, "inline": 0, "flush": 0, "low-latency": 0,
    "camera": 1, "width": 1, "height": 1, "framerate": 1, "bitrate": 1, "intra": 1, "rotation": 1,
    "output": 1,
}


def fail(words):
    sys.stderr.write(f"ERROR: *** {words} ***\n")
    sys.exit(255)


def read_options(arguments, known):
    options, rest = {}, list(arguments)
    while rest:
        word = rest.pop(0)
        name = word[2:] if word.startswith("--") else None
        if name not in known:
            fail(f"unrecognised option '{word}'")
        if known[name] and not rest:
            fail(f"the required argument for option '{word}' is missing")
        options[name] = rest.pop(0) if known[name] else True
    if options.get("codec", "h264") not in ("h264", "libav", "mjpeg", "yuv420"):
        fail(f"unrecognised codec {options['codec']}")
    if options.get("rotation", "0") not in ("0", "180"):
        fail("illegal rotation value")
    return options


def pictures(clip):
    """The pictures of a clip of one slice each, parameter sets with the one behind them."""
    picture = b""
    for unit in re.split(b"(?=\x00\x00\x00\x01)", clip):
        kind = unit[4] & 0x1F if len(unit) > 4 else 0
        picture += unit
        if kind in (1, 5):
            yield picture
            picture = b""


def main():
    mood = os.path.basename(sys.argv[0]).replace("rpicam-vid", "").lstrip("-")
    known = {name: n for name, n in KNOWN.items() if mood != "old" or name != "low-latency"}
    options = read_options(sys.argv[1:], known)
    sys.stderr.write("[0:01:02.345678901] [1234]  INFO Camera camera_manager.cpp:313 libcamera v0.3.2\n")
    if mood == "absent":
        fail("no cameras available")
    if int(options.get("camera", 0)) > 0:
        fail("selected camera is not available")
    if mood == "busy":
        sys.stderr.write(
            "[0:01:02.400000000] [1235] ERROR Camera camera.cpp:1005 Camera in use by another process\n"
        )
        fail("failed to acquire camera /base/soc/i2c0mux/i2c@1/imx219@10")
    sys.stderr.write("Mode selection for 1280:720:12:P\n")
    out = sys.stdout.buffer
    start, shown = time.monotonic(), 0
    clip = open(os.environ["RPICAM_CLIP"], "rb").read()
    while True:
        for picture in pictures(clip):
            time.sleep(max(0, start + shown / float(options.get("framerate", 30)) - time.monotonic()))
            shown += 1
            try:
                if mood == "slow":
                    out.write(picture[: len(picture) // 2])
                    out.flush()
                    time.sleep(0.025)
                    picture = picture[len(picture) // 2 :]
                out.write(picture)
                out.flush()  # --flush
            except BrokenPipeError:
                os._exit(0)
            if mood == "gone" and shown == 30:
                fail("failed to queue request: No such device")


main()
