# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The four vCPUs of a Linux guest come up on a host that stands still half of the time:
# Xen's scheduler forgets none. scripts/lab/boot.sh tells of its fault, which `scripts/xen-lab
# run --linux --stutter --xen-args sched_credit2_migrate_resist=500 tests/lab/stutter.sh`
# shows: one guest in three to five hangs.
# named: yes
# stutter: yes
# linux: yes
# host-memory: 6144
# dom0_mem: 800
# memory: 2000
# timeout: 900

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

is_up() {
    lab_linux_says g | grep -q '^online .* cpus 0-3$'
}

comes_up() {
    lab_wait 200 is_up && return
    lab_linux_remains g
    return 1
}

for i in $(seq "${1:-8}"); do
    ok "guest $i is built" lab_create_pvh_linux g 300 4
    ok "its four vCPUs come up" comes_up
    lab_destroy g
done
