#!/bin/sh
# Installs the device UIs that `make test-uis` drives: programs that nobody here wrote, from Debian's packages, npm and PyPI.
# Each by itself: what cannot be installed here is said in one line, and its test says that it is skipped. Services that
# packages bring are not started: UIs are started by their tests, on free ports. Needs root or `sudo -n` for Debian's packages.
set -eu

tools=$(cd "$(dirname "$0")/.." && pwd)/.tools
mkdir -p "$tools/uis"

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

# A stamp says which version is in a folder of .tools (tests/e2e/checkout.ts writes the same).
stamped() { [ "$(cat "$tools/$1/installed" 2>/dev/null)" = "$2" ]; }

npm_package() {
  name=$1
  spec=$2
  stamped "$name" "$spec" && return
  say "installing $spec"
  mkdir -p "$tools/$name"
  if npm install --silent --no-audit --no-fund --no-save --prefix "$tools/$name" "$spec" >/dev/null 2>&1; then
    printf %s "$spec" >"$tools/$name/installed"
  else
    say "$name is left out: npm could not install $spec"
  fi
}

python_package() {
  name=$1
  spec=$2
  stamped "$name" "$spec" && return
  say "installing $spec"
  if /usr/bin/python3 -m venv "$tools/$name" >/dev/null 2>&1 &&
    "$tools/$name/bin/pip" install --quiet "$spec" >/dev/null 2>&1; then
    printf %s "$spec" >"$tools/$name/installed"
  else
    say "$name is left out: pip could not install $spec"
  fi
}

[ -z "$as_root" ] || sudo -n true 2>/dev/null || say "no root: Debian's UIs are left out where they are missing"
command -v apt-get >/dev/null || say "no apt-get: Debian's UIs are left out where they are missing"
debian lighttpd lighttpd lighttpd-mod-webdav
debian Transmission transmission-daemon
debian CUPS cups cups-client
debian noVNC novnc websockify tigervnc-standalone-server xterm
debian Syncthing syncthing
debian Cockpit cockpit-ws cockpit-bridge cockpit-system
debian motion motion
debian shellinabox shellinabox
debian "Python's environments" python3-venv
debian "what code-server is built with" build-essential libkrb5-dev
python_package uis/jupyter jupyterlab==4.6.6
python_package uis/octoprint OctoPrint==1.11.8
npm_package node-24.21.0 node@24.21.0
PATH="$tools/node-24.21.0/node_modules/node/bin:$PATH"
npm_package uis/code-server code-server@4.139.1
