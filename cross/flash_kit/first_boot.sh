#!/bin/sh
# Runs once, as root, at the first boot of a card that a flash kit was copied to: cloud-init calls it. Installs porthole, gives
# it its configuration, and opens a pairing window for a day.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# The check comes first: cards fail, and people pull them too early.
(cd "$here/.." && grep "  porthole/" SHA256SUMS-porthole | sha256sum -c --quiet)

dpkg -i "$here/porthole_arm64.deb"
install -m 0640 -g porthole "$here/porthole.toml" /etc/porthole/porthole.toml

# The window's picture goes to this partition, which only root may write to.
install -D -m 0644 "$here/boot.conf" /etc/systemd/system/porthole-pair.service.d/boot.conf
systemctl daemon-reload
systemctl restart porthole.service
systemctl start --no-block porthole-pair.service
