#!/bin/sh
# Copies this flash kit to the boot partition of a card that stock Raspberry Pi OS (trixie or later) was written to.
#
#   copy-to-card.sh /path/of/the/mounted/boot/partition
set -eu
here=$(cd "$(dirname "$0")" && pwd)
fail() {
  printf '%s\n' "copy-to-card: $*" >&2
  exit 1
}

[ $# = 1 ] || fail "give the folder where the card's boot partition is mounted"
boot=$1
[ -f "$boot/config.txt" ] && [ -f "$boot/cmdline.txt" ] ||
  fail "'$boot' is no boot partition of Raspberry Pi OS: config.txt or cmdline.txt is missing"
[ -f "$boot/user-data" ] ||
  fail "this system has no cloud-init ('$boot/user-data' is missing): it must be Raspberry Pi OS trixie or later"
(cd "$here" && sha256sum -c --quiet SHA256SUMS) || fail "the kit is damaged: make it again"

for name in user-data network-config meta-data; do
  [ ! -f "$boot/$name" ] || [ -f "$boot/$name.before-porthole" ] || cp "$boot/$name" "$boot/$name.before-porthole"
  cp "$here/$name" "$boot/$name"
done
mkdir -p "$boot/porthole"
cp "$here/porthole/"* "$boot/porthole/"
cp "$here/SHA256SUMS" "$boot/SHA256SUMS-porthole"
sync
(cd "$boot" && grep -v "  copy-to-card.sh$" SHA256SUMS-porthole | sha256sum -c --quiet) ||
  fail "what was written does not read back: try another card"
printf '%s\n' "copy-to-card: done. Unmount the card, put it into the board, switch it on: the QR code is on its screen."
