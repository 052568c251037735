#!/usr/bin/env bash
# Installs the peers that the bench measures against: Redis and PostgreSQL, as Debian packages. The bench starts its own
# instances with temporary data directories, so the services that these packages would start are kept down.
set -euo pipefail

packages=(redis-server redis-tools postgresql postgresql-contrib)
installed() { dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

missing=()
for package in "${packages[@]}"; do
  installed "$package" || missing+=("$package")
done

if [ "${#missing[@]}" -eq 0 ]; then
  echo "Nothing to install: ${packages[*]} are there."
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "This system has no apt-get. Install Redis 7 (redis-server, redis-benchmark) and PostgreSQL 15 (initdb, postgres, pgbench) its own way." >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Missing: ${missing[*]}. Run this as root: sudo $0" >&2
  exit 1
fi

# invoke-rc.d asks this script before it starts a service; 101 means "not allowed". One that stands there already is left.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"

# Nothing of what was installed here should come up at the next boot either.
if command -v systemctl >/dev/null; then
  for package in "${missing[@]}"; do
    case "$package" in
      redis-server | postgresql) systemctl disable "$package" >/dev/null 2>&1 || true ;;
    esac
  done
fi
echo "Installed: ${missing[*]}"
