#!/usr/bin/env bash
# unpack.sh [CACHE]: Docker's daemon and podman, and the libraries that are missing here, out of Debian's packages into CACHE (bin, lib).
# Only downloads and unpacks: installed, the packages would start a daemon and change the firewall. Nothing is done where both are on PATH.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-$here/../../../.cache/engines}
PATH=$PATH:/usr/sbin:/sbin
if [ -e "$cache"/bin/dockerd ] || { command -v dockerd && command -v podman; } >/dev/null; then exit 0; fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then echo "missing for tests of names, install by hand: docker.io podman" >&2; exit 0; fi
mkdir -p "$(dirname "$cache")"
work=$(mktemp -d "$(dirname "$cache")"/.engines-XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir -p "$work"/archives/partial "$work"/all "$work"/new/bin "$work"/new/lib
download() {
  apt-get install -y -qq --download-only --no-install-recommends --reinstall -o "Dir::Cache::archives=$work/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=root docker.io podman
}
echo "unpacking: docker.io podman"
export DEBIAN_FRONTEND=noninteractive
download >/dev/null 2>&1 || { apt-get update -qq && download >/dev/null; } || { echo "could not download: docker.io podman" >&2; exit 0; }
for package in "$work"/archives/*.deb; do dpkg-deb -x "$package" "$work"/all; done
cp "$work"/all/usr/sbin/dockerd "$work"/all/usr/bin/podman "$work"/all/usr/bin/conmon "$work"/new/bin
find "$work"/all -path '*/lib/*-linux-gnu/*.so.*' -exec cp -P -t "$work"/new/lib {} +
rm -rf "$cache"
mv -T "$work"/new "$cache"
