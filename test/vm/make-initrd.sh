#!/usr/bin/env bash
# make-initrd.sh KERNEL_DIR: leaves vmlinuz and initrd.img in the directory of an unpacked linux-image package.
# The guest sees the host's root file system read-only with a throw-away overlay, and runs oomscope.guest= of its command line.
set -euo pipefail
kernel_dir=$1
# Newer packages keep everything below usr/, older ones in boot/ and lib/.
modules=$(find "$kernel_dir"/lib/modules "$kernel_dir"/usr/lib/modules -mindepth 1 -maxdepth 1 -type d -print -quit 2>/dev/null || true)
version=$(basename "$modules")
image=$(find "$kernel_dir"/boot/vmlinuz-"$version" "$modules"/vmlinuz -print -quit 2>/dev/null || true)
[ -n "$image" ] || { echo "no kernel image in $kernel_dir" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,proc,sys,dev,newroot,ro,rw,mods}
cp /bin/busybox "$root"/bin/
# In the order of their dependencies; a name that a kernel has built in is not there.
names=(virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p overlay)
for i in "${!names[@]}"; do
  file=$(find "$modules" -name "${names[i]}.ko*" -print -quit)
  [ -z "$file" ] || cp "$file" "$root/mods/$(printf %02d "$i")-$(basename "$file")"
done
find "$root"/mods -name '*.xz' -exec xz -d {} +
cat > "$root"/init <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin; export PATH=/bin
mount -t proc proc /proc; mount -t devtmpfs dev /dev
for m in /mods/*.ko; do insmod $m || echo "lab: insmod $m failed"; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro,cache=loose root /ro || { echo "lab: no root"; poweroff -f; }
mount -t tmpfs tmpfs /rw; mkdir -p /rw/u /rw/w
mount -t overlay -o lowerdir=/ro,upperdir=/rw/u,workdir=/rw/w overlay /newroot || { echo "lab: no overlay"; poweroff -f; }
mount --move /proc /newroot/proc; mount --move /dev /newroot/dev
guest=$(sed 's/.*oomscope.guest=\([^ ]*\).*/\1/' /newroot/proc/cmdline)
exec switch_root /newroot /bin/bash "$guest"
I
chmod +x "$root"/init
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$kernel_dir"/initrd.img
cp "$image" "$kernel_dir"/vmlinuz
