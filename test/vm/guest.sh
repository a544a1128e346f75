#!/bin/bash
# The guest's init: mounts what a node has, runs guest.js, and switches the machine off whatever happened.
# Reads oomscope.kernel= (the directory of the kernel's package), oomscope.node=, oomscope.main= (guest.js), oomscope.bpftrace= (a program, or a root made by bpftrace-root.sh).
argument() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^oomscope\.$1=//p"; }
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# The first and the last cpuset and memcg patch hot code of the kernel (static keys), which the emulator may crash on when it happens under load: one of each stays.
echo "+cpuset +memory" > /sys/fs/cgroup/cgroup.subtree_control && mkdir /sys/fs/cgroup/keeper
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t tmpfs tmpfs /run
# /tmp stays: the project may lie there, and what is written goes to the overlay in memory
mkdir /run/share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose share /run/share
# The disks: /dev/vda is for swap, /dev/vdb is slow. A kernel that has the driver built in has no file of it.
module=$(find "$(argument kernel)" -name 'virtio_blk.ko*' -print -quit)
case $module in
  *.xz) xz -dc "$module" > /run/virtio_blk.ko ;;
  ?*) cp "$module" /run/virtio_blk.ko ;;
esac
[ -z "$module" ] || insmod /run/virtio_blk.ko
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
ulimit -l unlimited
bpftrace=$(argument bpftrace)
if [ -d "$bpftrace" ]; then
  for fs in proc sys dev tmp; do mount --rbind /$fs "$bpftrace"/$fs; done
  printf '#!/bin/sh\nexec chroot %s bpftrace "$@"\n' "$bpftrace" > /run/bpftrace
  chmod +x /run/bpftrace
  bpftrace=/run/bpftrace
fi
[ -z "$bpftrace" ] || export OOMSCOPE_BPFTRACE=$bpftrace
if [ "$(argument init)" = systemd ]; then
  # One unit and what systemd itself needs; the machine is off when it has ended, whatever happened.
  mkdir -p /run/systemd/system
  cat > /run/systemd/system/oomscope-guest.service <<U
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
Environment=HOME=/root TMPDIR=/tmp ${OOMSCOPE_BPFTRACE:+OOMSCOPE_BPFTRACE=$OOMSCOPE_BPFTRACE}
LimitMEMLOCK=infinity
ExecStart=$(argument node) $(argument main) /run/share
StandardOutput=file:/run/share/guest.log
StandardError=inherit
ExecStopPost=/bin/sh -c 'echo "lab: guest ended with \$EXIT_STATUS" > /dev/console; sync; echo o > /proc/sysrq-trigger'
U
  exec /lib/systemd/systemd --system --unit=oomscope-guest.service --log-target=console --log-level=warning
fi
"$(argument node)" "$(argument main)" /run/share > /run/share/guest.log 2>&1
echo "lab: guest ended with $?"
sync
echo o > /proc/sysrq-trigger
sleep 60
