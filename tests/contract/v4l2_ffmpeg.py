#!/usr/bin/python3
"""Stands in for a camera at /dev/video9, of which this machine has none: ffmpeg with another input.

Everything behind the input is what the real ffmpeg gets. What it says of formats, and of devices
that are busy or absent, is what ffmpeg's v4l2 input says. The mood is the name it is started by:
ffmpeg-h264, ffmpeg-mjpeg, ffmpeg-raw (what the camera has), ffmpeg-busy, ffmpeg-absent.
"""
import os
import sys

FORMATS = {
    "h264": "Compressed:        h264 :                H.264 : 640x480 1280x720",
    "mjpeg": "Compressed:       mjpeg :          Motion-JPEG : 640x480 1280x720",
    "raw": "Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 320x240",
}


def fail(words):
    sys.stderr.write(f"{words}\n")
    sys.exit(1)


mood = os.path.basename(sys.argv[0]).removeprefix("ffmpeg-")
arguments = sys.argv[1:]
device = arguments[arguments.index("-i") + 1]
if mood == "busy":
    fail(f"{device}: Device or resource busy")
if mood == "absent":
    fail(f"[video4linux2,v4l2 @ 0x55d0] Cannot open video device {device}: No such file or directory\n"
         f"{device}: No such file or directory")
offered = {"h264": ["mjpeg", "h264"], "mjpeg": ["raw", "mjpeg"], "raw": ["raw"]}[mood]
if "-list_formats" in arguments:
    for name in offered:
        sys.stderr.write(f"[video4linux2,v4l2 @ 0x55d0a1b2c3d4] {FORMATS[name]}\n")
    fail(f"{device}: Immediate exit requested")
wanted = arguments[arguments.index("-input_format") + 1] if "-input_format" in arguments else "raw"
if wanted not in offered:
    fail(f"{device}: Invalid argument")
start, end = arguments.index("-f"), arguments.index("-i") + 2
camera = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30"]
if wanted == "h264":
    camera = ["-re", "-stream_loop", "-1", "-r", "30", "-i", os.environ["RPICAM_CLIP"]]
arguments[start:end] = camera
os.execvp("ffmpeg", ["ffmpeg", *arguments])
