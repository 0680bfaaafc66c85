#!/bin/sh
# Makes src/camera/test_clip.h264, the clip of the `test:` camera. Run it by hand; the result is
# kept in the project, so that neither a board nor a test needs an encoder.
#
# What the test camera relies on: H.264 constrained baseline, no B-frames, one slice a frame, the
# first frame an IDR with its parameter sets, one IDR a second, 640x360, 30 frames a second, 4 s.
# `testsrc2` shows moving sharp edges and a running clock. The encoder's own comment (SEI) is taken
# out.
set -eu
cd "$(dirname "$0")/.."
ffmpeg -hide_banner -loglevel error -y \
  -f lavfi -i testsrc2=size=640x360:rate=30 -frames:v 120 -pix_fmt yuv420p \
  -c:v libx264 -profile:v baseline -level 3.1 -preset veryslow -threads 1 \
  -x264-params keyint=30:min-keyint=30:scenecut=0:bframes=0:slices=1:rc-lookahead=0:sync-lookahead=0 \
  -b:v 700k -maxrate 800k -bufsize 400k \
  -bsf:v filter_units=remove_types=6 -f h264 src/camera/test_clip.h264
