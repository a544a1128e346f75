#!/usr/bin/env bash
# bpftrace-root.sh VERSION [CACHE]: a small Debian root with that suite's bpftrace (0.23: trixie, 0.27: sid) in CACHE/bpftrace/VERSION; prints it.
# Must be root (debootstrap); the system itself is not touched.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$1 cache=${2:-$here/../../.cache/vm}
case $version in
  0.17) suite=bookworm ;;
  0.23) suite=trixie ;;
  0.27) suite=sid ;;
  *) echo "usage: bpftrace-root.sh 0.17|0.23|0.27 [CACHE]" >&2; exit 2 ;;
esac
mkdir -p "$cache"/bpftrace
cache=$(cd "$cache" && pwd) target=$cache/bpftrace/$version
if [ ! -e "$target" ]; then
  PATH=$PATH:/usr/sbin:/sbin "$here"/../../native/packages.sh debootstrap:debootstrap >&2
  . "$here"/apt-private.sh
  work=$(mktemp -d "$cache"/bpftrace/.new-XXXXXX)
  trap 'rm -rf --one-file-system "$work"' EXIT
  PATH=$PATH:/usr/sbin:/sbin debootstrap --variant=minbase --include=bpftrace --keyring="$keyring" "$suite" "$work" "$(mirror)" >&2
  # debootstrap mounts /proc there for a moment; what is still mounted must not be deleted or served.
  if mountpoint -q "$work"/proc; then umount "$work"/proc; fi
  has=$(chroot "$work" bpftrace --version)
  [[ $has =~ ^bpftrace\ v$version ]] || { echo "$suite has $has, not $version" >&2; exit 1; }
  chmod 755 "$work"
  mv -T "$work" "$target"
fi
echo "$target"
