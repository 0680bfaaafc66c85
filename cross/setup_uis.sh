#!/bin/sh
# Installs the device UIs that `make test-uis` drives: programs that nobody here wrote, from Debian's packages (Node-RED's
# test brings its own from npm). Each by itself: what cannot be installed here is said in one line, and its test says that
# it is skipped. Services that packages bring are not started: tests start the UIs, on free ports. Needs root or `sudo -n`.
set -eu

say() { printf '%s\n' "setup_uis: $*" >&2; }

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"

# Debian's word for "start no service" (policy-rc.d), for as long as this script installs.
policy=/usr/sbin/policy-rc.d
keep_services_off() {
  [ ! -e "$policy" ] || return 0
  # shellcheck disable=SC2064 # the words of now
  trap "$as_root rm -f $policy" EXIT
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
}

# Packages of one UI: all of them or none.
debian() {
  name=$1
  shift
  for package in "$@"; do
    is_installed "$package" && continue
    say "installing $name: $*"
    keep_services_off
    [ -n "${updated:-}" ] || $as_root apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed"
    updated=yes
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o DPkg::Lock::Timeout=300 "$@" >/dev/null 2>&1 || say "$name is left out: apt-get could not install $*"
    return
  done
}

[ -z "$as_root" ] || sudo -n true 2>/dev/null || say "no root: Debian's UIs are left out where they are missing"
command -v apt-get >/dev/null || say "no apt-get: Debian's UIs are left out where they are missing"
debian lighttpd lighttpd lighttpd-mod-webdav
debian Transmission transmission-daemon
debian CUPS cups cups-client
debian noVNC novnc websockify tigervnc-standalone-server xterm
debian Syncthing syncthing
debian Cockpit cockpit-ws cockpit-bridge cockpit-system
debian shellinabox shellinabox
