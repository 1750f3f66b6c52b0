# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Why the lab runs a copy of QEMU with one instruction patched (scripts/lab/qemu.sh):
# under the QEMU that this machine has, PVH Linux guests die of an interrupt that is
# delivered twice. One of six is enough. A QEMU without that fault fails here, and then
# the patch can go.
# named: yes
# qemu: stock
# linux: yes
# timeout: 900

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"
LAB_XL=$LAB_STOCK_XL

i=0
died=
while [ $i -lt 6 ] && [ -z "$died" ]; do
    i=$((i + 1))
    lab_create_pvh_linux "g$i" 300 4
    lab_wait_linux_says "g$i" 120 || died=$(grep -h 'Kernel panic\|BUG: ' \
        "/var/log/xen/guest-g$i.log" | head -n 1)
    echo "# guest $i: ${died:-lives}"
    lab_destroy "g$i"
done
is "a PVH Linux dies, by stock xl" "${died:+yes}" yes
