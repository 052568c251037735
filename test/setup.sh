#!/usr/bin/env bash
# Installs what the tests start besides Node: openssl, and nats-server of a version that can keep a promise (2.12 or newer;
# Debian stable's is older, so it is Debian unstable's package, unpacked into this checkout and nowhere else).
set -euo pipefail
cd "$(dirname "$0")/.."

folder=.tools
binary="$folder/nats-server"
least=2.12

version_of() { "$1" --version 2>/dev/null | sed -n 's/.*v\([0-9][0-9.]*\).*/\1/p'; }
is_new_enough() { [ -n "$1" ] && [ "$(printf '%s\n%s\n' "$least" "$1" | sort --version-sort | head -1)" = "$least" ]; }

if ! command -v openssl >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
    apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends openssl >/dev/null
  else
    echo "The tests of TLS need openssl; install it." >&2
  fi
fi

if is_new_enough "$(version_of "./$binary")" || is_new_enough "$(version_of nats-server)"; then
  exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "The tests of NATS need nats-server $least or newer on the PATH; they are skipped without it." >&2
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The mirror that this machine uses already.
site=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 'Label: Debian' | sort -u | head -1)
if [ -z "$site" ]; then
  apt-get update >/dev/null
  site=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 'Label: Debian' | sort -u | head -1)
fi
if [ -z "$site" ]; then
  echo "No Debian mirror is known here: put nats-server $least or newer on the PATH, or the tests of NATS are skipped." >&2
  exit 0
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $site sid main" >"$work/sources.list"
mkdir -p "$work/lists/partial"
options=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists")
options+=(-o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update >/dev/null
(cd "$work" && apt-get "${options[@]}" download nats-server >/dev/null)
dpkg-deb -x "$work"/nats-server_*.deb "$work/unpacked"
mkdir -p "$folder"
install -m 755 "$(find "$work/unpacked" -name nats-server -type f -perm -u+x | head -1)" "$binary"
is_new_enough "$(version_of "./$binary")" || { echo "nats-server $(version_of "./$binary") is older than $least." >&2; exit 1; }
echo "Installed nats-server $(version_of "./$binary") in $folder."
