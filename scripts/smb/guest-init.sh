#!/bin/bash
# The first process of the User-Mode Linux: loads the CIFS client, runs one job, and turns the machine off.
# Its root is the host's, read-only; The folder depot_work, which comes by the
# kernel's command line, is where both can write.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/mnt/local TMPDIR=/mnt/local LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/work /mnt/local /mnt/s
mount -t hostfs none /mnt/work -o "$depot_work"
mount -t tmpfs -o size=600m tmpfs /mnt/local
exec </dev/null >>/mnt/work/guest.log 2>&1

ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2

# modprobe finds modules below lib/modules of some folder, and Debian keeps these elsewhere.
mkdir -p /run/modules/lib/modules
ln -s "/usr/lib/uml/modules/$(uname -r)" "/run/modules/lib/modules/$(uname -r)"
for module in cmac hmac md4 md5 sha256 sha512 sha512_generic aes_generic ecb cbc ctr ccm gcm ghash-generic des_generic nls_utf8 cifs; do
  modprobe -d /run/modules "$module" 2>/dev/null
done

. /mnt/work/environment
cd "$PROJECT"
sh -c "$JOB"
status=$?
[ -e /mnt/work/status ] || echo $status >/mnt/work/status
# The host turns the machine off: nothing here may wait for a share that is gone, as sync and umount do.
sync -f /mnt/work/status
sleep infinity
