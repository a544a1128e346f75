#!/usr/bin/env bash
# boot.sh KERNEL_DIR GUEST_SCRIPT SHARE [SECONDS] [MEMORY]
# Boots the kernel under software emulation and runs GUEST_SCRIPT as its init; the console is this script's output.
# SHARE is a directory that guest and host both write. GUEST_ARGS is added to the kernel's command line.
# Without erms and fsrm kernel and libraries clear and copy memory in words: what the processor says it does fast, the emulator does byte by byte.
# The machine has a second NUMA node without a processor (128 MiB of the memory) and two disks: a large one for swap, and a slow one.
set -euo pipefail
kernel_dir=$1 guest=$2 share=$3
mib=$(($(numfmt --from=iec "${5:-2G}") >> 20)) far_mib=128
truncate -s 32G "$share"/swap.raw
truncate -s 256M "$share"/slow.raw
exec timeout --foreground --kill-after=5 "${4:-300}" qemu-system-x86_64 -accel tcg,thread=multi,tb-size=512 -cpu max,-erms,-fsrm -m "${mib}M" -smp 2 \
  -object memory-backend-ram,id=near,size=$((mib - far_mib))M -object memory-backend-ram,id=far,size=${far_mib}M \
  -numa node,cpus=0-1,memdev=near -numa node,memdev=far \
  -nodefaults -display none -serial stdio -no-reboot -kernel "$kernel_dir"/vmlinuz -initrd "$kernel_dir"/initrd.img \
  -append "console=ttyS0 quiet loglevel=1 psi=1 panic=-1 log_buf_len=4M oomscope.guest=$guest oomscope.kernel=$kernel_dir ${GUEST_ARGS:-}" \
  -drive if=none,id=swap,format=raw,cache=unsafe,file="$share"/swap.raw -device virtio-blk-pci,drive=swap \
  -drive if=none,id=slow,format=raw,cache=unsafe,throttling.bps-write=1048576,file="$share"/slow.raw -device virtio-blk-pci,drive=slow \
  -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
  -device virtio-9p-pci,fsdev=root,mount_tag=root \
  -fsdev local,id=share,path="$share",security_model=none \
  -device virtio-9p-pci,fsdev=share,mount_tag=share </dev/null
