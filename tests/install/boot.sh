#!/usr/bin/env bash
# Boots the real systemd of a folder made by debootstrap, apart from this machine: own processes, mounts,
# name and control groups; the network is shared, so a port opened inside can be asked from outside.
# It ends when its first process is killed, and leaves no mount behind.
#
# Usage: tests/install/boot.sh FOLDER CGROUP    (CGROUP: an empty control group made for it)

set -euo pipefail

inside() {
    local guest=$1 node
    mount --make-rprivate /
    mount --bind "$guest" "$guest"
    mount -t proc -o nosuid,nodev,noexec proc "$guest/proc"
    # The kernel's settings belong to the machine outside.
    mount --bind "$guest/proc/sys" "$guest/proc/sys"
    mount -o remount,bind,ro "$guest/proc/sys"
    mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$guest/sys"
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$guest/sys/fs/cgroup"
    mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$guest/run"
    # Only the devices that are no hardware.
    mount -t tmpfs -o mode=755,nosuid tmpfs "$guest/dev"
    for node in null zero full random urandom tty; do
        : >"$guest/dev/$node"
        mount --bind "/dev/$node" "$guest/dev/$node"
    done
    mkdir "$guest/dev/pts" "$guest/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$guest/dev/pts"
    ln -s pts/ptmx "$guest/dev/ptmx"
    ln -s /proc/self/fd "$guest/dev/fd"
    mkdir -p "$guest/outside"
    cd "$guest"
    pivot_root . outside
    umount -l /outside
    # Up to sysinit.target: the log and the folders in place, no log-ins, no timers.
    exec /usr/bin/env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --unit=sysinit.target --log-target=null </dev/null >/dev/null 2>&1
}

if [ "$1" = --inside ]; then
    inside "$2"
else
    echo $$ >"$2/cgroup.procs"
    exec unshare --mount --pid --fork --uts --ipc --cgroup --kill-child "$0" --inside "$1"
fi
