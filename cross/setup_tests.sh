#!/bin/sh
# Installs what only the tests need, from Debian's packages, where it is missing: real browsers, a real RTSP server
# (GStreamer's, with its plugins), ffmpeg to look at pictures, npm for Node and Node-RED, `ip` for the two-host link, coturn as a relay,
# and sshd, beside which the bench puts pages.
# With the word `cross`: what builds for boards and their tests need instead.
# Needs root or `sudo -n`; without either it says the one command to run.
set -eu

# One line per need: the Debian package, and what shows that the need is met.
needs="
chromium                     command:chromium
firefox-esr                  command:firefox-esr
ffmpeg                       command:ffmpeg
npm                          command:npm
iproute2                     command:ip
coturn                       command:turnserver
openssl                      command:openssl
openssh-server               command:sshd
libfaketime                  package
python3-gi                   package
gir1.2-gst-rtsp-server-1.0   package
gstreamer1.0-plugins-base    package
gstreamer1.0-plugins-good    package
gstreamer1.0-plugins-bad     package
gstreamer1.0-plugins-ugly    package
"
[ "${1:-}" != cross ] || needs="
npm                            command:npm
gcc                            command:gcc
gcc-aarch64-linux-gnu          command:aarch64-linux-gnu-gcc
binutils-arm-linux-gnueabihf   command:arm-linux-gnueabihf-strip
qemu-user-static               command:qemu-aarch64-static
lintian                        command:lintian
debootstrap                    command:debootstrap
mtools                         command:mcopy
dosfstools                     command:mkfs.vfat
"

say() { printf '%s\n' "setup_tests: $*" >&2; }

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Whether the need of package $1, as described by $2, is met.
is_met() {
  case "$1=$2" in
  firefox-esr=*) [ -n "${FIREFOX:-}" ] || command -v firefox-esr >/dev/null ;;
  chromium=*) [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null ;;
  *=command:*) command -v "${2#command:}" >/dev/null || [ -x "/usr/sbin/${2#command:}" ] ;;
  *) is_installed "$1" ;;
  esac
}

missing=$(printf '%s' "$needs" | while read -r package proof; do
  [ -z "$package" ] || is_met "$package" "$proof" || printf ' %s' "$package"
done)
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null; then
  say "missing:$missing (names of Debian packages). Install what your system calls them, then run this again"
  exit 1
fi
if [ "$(id -u)" = 0 ]; then
  as_root=
elif sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  say "missing:$missing. Run: sudo $install"
  exit 1
fi
say "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Lists may be old or absent on a fresh machine; an update that fails is no reason yet, the install says so itself.
$as_root apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; trying with the lists that are there"
# shellcheck disable=SC2086 # two words on purpose: `sudo -n`, and a list of packages
$as_root $install -qq >/dev/null || {
  say "apt-get could not install:$missing"
  exit 1
}
