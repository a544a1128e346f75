#!/usr/bin/env bash
# kernel.sh VERSION [CACHE]: brings Debian's kernel 5.10, 6.1, 6.12, 6.18, 7.2… into CACHE/kernels/VERSION and prints that directory.
# The package is the newest signed linux-image of this version in the first suite that has one. apt checks the signatures.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$1 cache=${2:-$here/../../.cache/vm}
[[ $version =~ ^[0-9]+\.[0-9]+$ ]] || { echo "usage: kernel.sh VERSION [CACHE], for example kernel.sh 6.12" >&2; exit 2; }
mkdir -p "$cache"/kernels
cache=$(cd "$cache" && pwd) target=$cache/kernels/$version
if [ ! -e "$target" ]; then
  . "$here"/apt-private.sh
  work=$(mktemp -d "$cache"/kernels/.new-XXXXXX)
  trap 'rm -rf "$work"' EXIT
  for suite in bookworm trixie sid bullseye trixie-backports; do
    private_apt "$work"/apt-$suite $suite
    all=$(apt-cache "${apt_options[@]}" search --names-only '^linux-image-[0-9].*amd64$' | cut -d' ' -f1 | grep -Ev -- '-(cloud|rt)-' | sort -V)
    seen="${seen:-}$suite has $all; "
    found=$(grep -E "^linux-image-${version//./[.]}[.+~-]" <<< "$all" | tail -n 1 || true)
    [ -z "$found" ] || break
  done
  [ -n "${found:-}" ] || { echo "no Debian suite has kernel $version: $(tr '\n' ' ' <<< "$seen")" >&2; exit 1; }
  # Since 7.x the image package is empty and names its parts.
  parts=$(apt-cache "${apt_options[@]}" depends "$found" | awk '/Depends: linux-(binary|modules)-/ { print $2 }')
  # shellcheck disable=SC2086 # a list of package names, split on purpose
  (cd "$work" && apt-get "${apt_options[@]}" download -qq "$found" $parts)
  for package in "$work"/*.deb; do dpkg -x "$package" "$work"/kernel; done
  "$here"/make-initrd.sh "$work"/kernel
  # Whoever was faster is as good; a half-made kernel is never seen under its name.
  mv -T "$work"/kernel "$target" 2>/dev/null || [ -e "$target"/initrd.img ]
fi
echo "$target"
