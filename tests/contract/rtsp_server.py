#!/usr/bin/python3
"""A camera for tests: GStreamer's RTSP server with a moving picture, H.264 baseline.

Prints the port it listens on as its first line and then serves until its standard input ends, so
that it never outlives the test that started it. It is no camera of ours: what it says is what real
cameras' servers say.

  rtsp_server.py [--port 0] [--user NAME --password TEXT [--basic]] [--udp-only | --tcp-only]
                 [--size 320x240] [--rate 30] [--key-interval 30] [--pattern ball] [--b-frames 0]
                 [--codec h264|h265|jpeg] [--path /stream1] [--mtu 1400] [--drop 0.02]
                 [--tls CERTIFICATE_AND_KEY.pem] [--session-timeout S] [--hang-up-after S]
"""
import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--basic", action="store_true", help="Basic instead of Digest")
    parser.add_argument("--udp-only", action="store_true")
    parser.add_argument("--tcp-only", action="store_true")
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--rate", type=int, default=30)
    parser.add_argument("--key-interval", type=int, default=30)
    parser.add_argument("--pattern", default="ball")
    parser.add_argument("--bitrate", type=int, default=1000, help="kbit/s")
    parser.add_argument("--b-frames", type=int, default=0)
    parser.add_argument("--codec", choices=("h264", "h265", "jpeg"), default="h264")
    parser.add_argument("--path", default="/stream1")
    parser.add_argument("--mtu", type=int, default=1400, help="of RTP packets")
    parser.add_argument("--drop", type=float, default=0, help="share of RTP packets that get lost")
    parser.add_argument("--tls", help="serve rtsps with the certificate and key of this PEM file")
    parser.add_argument("--session-timeout", type=int, help="seconds until a silent session ends")
    parser.add_argument("--hang-up-after", type=int, help="close all connections, again and again")
    return parser.parse_args()


def pipeline(options):
    width, height = options.size.split("x")
    raw = f"video/x-raw,format=I420,width={width},height={height},framerate={options.rate}/1"
    picture = f"videotestsrc is-live=true pattern={options.pattern} ! {raw} "
    if Gst.ElementFactory.find("timeoverlay"):  # Debian has it in gstreamer1.0-x
        picture += "! timeoverlay "
    if options.codec == "jpeg":
        return f"( {picture} ! jpegenc ! rtpjpegpay name=pay0 pt=26 )"
    if options.codec == "h265":
        return f"( {picture} ! x265enc tune=zerolatency ! rtph265pay name=pay0 pt=96 )"
    profile = "main" if options.b_frames else "constrained-baseline"
    tune = "" if options.b_frames else "tune=zerolatency "
    payload = f"rtph264pay pt=96 config-interval=1 mtu={options.mtu} name="
    payload += f"pay ! identity name=pay0 drop-probability={options.drop}" if options.drop else "pay0"
    return (
        f"( {picture} ! x264enc {tune}speed-preset=ultrafast bitrate={options.bitrate} threads=1 "
        f"key-int-max={options.key_interval} bframes={options.b_frames} "
        f"! video/x-h264,profile={profile} ! {payload} )"
    )


def protect(server, factory, options):
    """Asks for a user and password before anything of the stream is told."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if options.basic:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    server.set_auth(auth)
    let_in(factory)


def let_in(factory):
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def secure(server, factory, options):
    """rtsps alone, with this certificate; whoever has no password is let in as well."""
    auth = server.get_auth()
    if auth is None:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.set_default_token(token)
        let_in(factory)
    auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(options.tls))
    server.set_auth(auth)


def forget(server, seconds):
    """Sessions that nobody asks to keep end after so many seconds."""

    def on_client(_, client):
        client.connect("new-session", lambda _, session: session.set_timeout(seconds))

    server.connect("client-connected", on_client)
    GLib.timeout_add(500, lambda: server.get_session_pool().cleanup() or True)


def hang_up(server):
    server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
    return True


def main():
    options = arguments()
    Gst.init(None)
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(pipeline(options))
    factory.set_shared(True)
    if options.udp_only:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if options.tcp_only:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
    if options.user is not None:
        protect(server, factory, options)
    if options.tls is not None:
        secure(server, factory, options)
    if options.session_timeout is not None:
        forget(server, options.session_timeout)
    if options.hang_up_after is not None:
        GLib.timeout_add(options.hang_up_after * 1000, hang_up, server)
    server.get_mount_points().add_factory(options.path, factory)
    if server.attach(None) == 0:
        sys.exit(f"Cannot listen on port {options.port}")
    # One write: print() makes two where Python does not buffer, and the reader leaves after one.
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_HUP | GLib.IO_IN, lambda *_: loop.quit() or False)
    loop.run()


if __name__ == "__main__":
    main()
