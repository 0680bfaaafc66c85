#!/bin/sh
# Puts the one Deno that this project is built with at .tools/bin/deno, inside the checkout: nothing is installed
# elsewhere and no root is needed. Taken from the first of: what is there already, the Deno on the PATH, the npm package,
# Deno's own download place. What is downloaded is checked against the hashes below before it is run. Everything it says
# goes to stderr, so that `make -s porthole` prints nothing but what the program prints.
set -eu

VERSION=2.9.5 # both arches exist as npm packages at this version, which is not so for every later one

root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/.tools/bin
deno=$bin/deno

say() { printf '%s\n' "setup: $*" >&2; }
fail() {
  printf '%s\n' "setup: $*" >&2
  exit 1
}

# Whether $1 is a Deno of the version above.
is_wanted() {
  [ "$(DENO_NO_UPDATE_CHECK=1 NO_COLOR=1 "$1" --version 2>/dev/null | sed -n 's/^deno \([^ ]*\).*/\1/p')" = "$VERSION" ]
}

# `tarball` is the npm package's `integrity` (SHA-512), written in hexadecimal; `executable` is the SHA-256 of the file
# in it, which is the one in Deno's own zip too, if it is what it claims to be.
choose_arch() {
  case "$(uname -sm)" in
  "Linux x86_64")
    package=linux-x64-glibc
    target=x86_64-unknown-linux-gnu
    tarball=4c3a9c9e82dede3960a981109bb1fb30aeaad093ad87ea3c89267392744e0e756425f3e23678d59f533565ceaf9e9fa2a64c9be80bf5fc25251e01ed96ae7d1b
    executable=dc480c462c8c3582524f3e75c160613d0a975e1f66b5465995d58bae236da7d3
    ;;
  "Linux aarch64")
    package=linux-arm64-glibc
    target=aarch64-unknown-linux-gnu
    tarball=22e623b33f4f1a5ec225c35732e376eca34307c438d1bacadd21b797e4d7303556eb564ac1c9f47d01c11e75c58a2ca013023c6f2fdf2a7012125ba1641d5ab7
    executable=e1a70c5eb03b0ebaf761077029ef86b9ba22d50e2b54ca45ce5437457f701b63
    ;;
  *) fail "no Deno $VERSION is known for $(uname -sm): install it so that 'deno' is on the PATH, then run this again" ;;
  esac
}

# Whether file $2 has the hash $3 by the program $1.
has_hash() { [ "$("$1" "$2" | cut -d ' ' -f 1)" = "$3" ]; }

from_path() {
  found=$(command -v deno) && [ "$found" != "$deno" ] && is_wanted "$found" || return 1
  ln -sf "$found" "$deno"
  say "Deno $VERSION from the PATH ($found)"
}

from_npm() {
  command -v npm >/dev/null || return 1
  name=$(cd "$scratch" && npm pack --silent "@deno/$package@$VERSION" 2>/dev/null) || return 1
  has_hash sha512sum "$scratch/$name" "$tarball" ||
    fail "@deno/$package@$VERSION from npm does not have the pinned SHA-512: not used"
  tar -xzf "$scratch/$name" -C "$scratch" package/deno
  install_executable "$scratch/package/deno" "npm"
}

from_deno() {
  command -v curl >/dev/null && command -v unzip >/dev/null || return 1
  curl -fsSL --retry 2 --connect-timeout 15 -o "$scratch/deno.zip" \
    "https://dl.deno.land/release/v$VERSION/deno-$target.zip" || return 1
  unzip -qo "$scratch/deno.zip" -d "$scratch/zip"
  install_executable "$scratch/zip/deno" "Deno's own download place"
}

install_executable() {
  has_hash sha256sum "$1" "$executable" || fail "the Deno from $2 does not have the pinned SHA-256: not used"
  chmod 755 "$1"
  mv -f "$1" "$deno"
  is_wanted "$deno" || fail "the Deno from $2 does not run here (it needs glibc 2.27 or later)"
  say "Deno $VERSION from $2"
}

if is_wanted "$deno"; then exit 0; fi
mkdir -p "$bin"
if from_path; then exit 0; fi
choose_arch
scratch=$(mktemp -d "$root/.tools/setup.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
if from_npm || from_deno; then exit 0; fi
fail "cannot get Deno $VERSION: it is not on the PATH, and neither npm nor curl with unzip could fetch it.
Install Deno $VERSION so that 'deno' is on the PATH, or npm, then run this again"
