#!/bin/bash
# Runs in the User-Mode Linux: mounts shares in every way that people do, and saves what the kernel says of it in /proc, from
# which test/unit/fixtures/mountinfo/ comes.
out=/mnt/work/mountinfo
mkdir -p "$out"

save() {
  for file in mountinfo mounts; do
    # The folder of the host differs from run to run.
    sed "s#$depot_work#/host#" "/proc/self/$file" >"$out/$1.$file"
  done
}
# share NAME SOURCE MOUNT-POINT [,OPTIONS]
share() {
  mkdir -p "$3"
  mount -t cifs "$2" "$3" -o "$CREDENTIALS$4" || { echo "$1: $2 cannot be mounted" >&2; dmesg | tail -2 >&2; return 1; }
  save "$1"
}
# alone NAME SOURCE MOUNT-POINT [,OPTIONS]
alone() { share "$@" && umount "$3"; }

# The names of this network. The root is read-only, and the host's.
mount -t tmpfs tmpfs /etc
printf '127.0.0.1 localhost\n10.0.2.2 files files.example.com\n' >/etc/hosts
printf 'hosts: files\n' >/etc/nsswitch.conf

alone address //10.0.2.2/lfs /mnt/s
alone plain //files/lfs /mnt/s
alone trailing-slash //files/lfs/ /mnt/s
alone prefix-path "//files/lfs/sub dir" /mnt/s
alone prefix-path-trailing-slash "//files/lfs/sub dir/" /mnt/s
alone spaces "//files/Team Data/My Objects" "/mnt/My Share"
alone non-ascii "//files/lfs/Größe #1" "/mnt/Fächer #1" ,iocharset=utf8
alone tab //files/lfs "/mnt/tab	back\\slash"
alone vers-3.1.1 //files/lfs /mnt/s ,vers=3.1.1
alone vers-2.1 //files/lfs /mnt/s ,vers=2.1
alone sealed //files/lfs /mnt/s ,seal
alone read-only //files/lfs /mnt/s ,ro
alone hard //files/lfs /mnt/s ,hard
alone backslashes '\\files\lfs' /mnt/s
alone backslashes-prefix '\\files\lfs\sub dir\deep' /mnt/s
alone upper-case //FILES.Example.COM/LFS/Art /mnt/S

share two-shares //files/lfs /mnt/s && share two-shares "//files/Team Data" /mnt/t
umount /mnt/t /mnt/s
share one-share-twice //files/lfs /mnt/s && share one-share-twice //files/lfs /mnt/t
umount /mnt/t /mnt/s
share share-and-prefix-path //files/lfs /mnt/s && share share-and-prefix-path "//files/lfs/sub dir" /mnt/t
umount /mnt/t /mnt/s
share nested //files/lfs /mnt/s && share nested "//files/Team Data" /mnt/s/art
umount /mnt/s/art /mnt/s
share over //files/lfs /mnt/s && share over "//files/Team Data" /mnt/s
umount /mnt/s /mnt/s

share bind //files/lfs /mnt/s && mkdir -p /mnt/bound && mount --bind "/mnt/s/sub dir" /mnt/bound && save bind
umount /mnt/s && save bind-alone
umount /mnt/bound
share prefix-path-bind "//files/lfs/sub dir" /mnt/s && mount --bind /mnt/s/deep /mnt/bound && save prefix-path-bind
umount /mnt/bound /mnt/s
share hidden //files/lfs /mnt/above/s && mount -t tmpfs tmpfs /mnt/above && save hidden
umount /mnt/above && umount /mnt/above/s
exit 0
