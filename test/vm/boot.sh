#!/usr/bin/env bash
# boot.sh KERNEL_DIR GUEST_SCRIPT SHARE [SECONDS] [MEMORY]
# Boots the kernel under software emulation and runs GUEST_SCRIPT as its init; the console is this script's output.
# SHARE is a directory that guest and host both write. GUEST_ARGS is added to the kernel's command line.
set -euo pipefail
kernel_dir=$1 guest=$2 share=$3
exec timeout --kill-after=5 "${4:-300}" qemu-system-x86_64 -accel tcg,thread=multi,tb-size=512 -cpu max -m "${5:-2G}" -smp 2 \
  -nodefaults -display none -serial stdio -no-reboot -kernel "$kernel_dir"/vmlinuz -initrd "$kernel_dir"/initrd.img \
  -append "console=ttyS0 quiet loglevel=1 psi=1 panic=-1 log_buf_len=4M oomscope.guest=$guest ${GUEST_ARGS:-}" \
  -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
  -device virtio-9p-pci,fsdev=root,mount_tag=root \
  -fsdev local,id=share,path="$share",security_model=none \
  -device virtio-9p-pci,fsdev=share,mount_tag=share </dev/null
