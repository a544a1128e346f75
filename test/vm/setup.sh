#!/usr/bin/env bash
# Installs (as root) or names (otherwise) what the lab needs; ends with 1 when something is still missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
needs=(gcc:gcc make:make qemu-system-x86_64:qemu-system-x86 /bin/busybox:busybox-static cpio:cpio modinfo:kmod xz:xz-utils dpkg:dpkg)
PATH=$PATH:/usr/sbin:/sbin
"$here"/../../native/packages.sh "${needs[@]}"
for need in "${needs[@]}"; do
  case $need in
    /*) [ -e "${need%%:*}" ] ;;
    *) command -v "${need%%:*}" >/dev/null ;;
  esac || { echo "the lab needs ${need#*:}" >&2; missing=1; }
done
exit "${missing:-0}"
