# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The four vCPUs of a Linux guest come up, and its work ends, on a host that stands still
# half of the time: Xen's scheduler forgets no vCPU, and Linux no task. Both faults are in
# docs/reliability.md. `scripts/xen-lab run --linux --stutter --timeout 3000 --xen-args
# sched_credit2_migrate_resist=500 tests/lab/stutter.sh` shows the first, in one guest of
# three to five. Without Linux's watchdog (`tests/lab/stutter.sh 25 nowatchdog`) the second
# is rare: 2 guests of 123.
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

LAB_WORDS=${2:-}
for i in $(seq "${1:-8}"); do
    ok "guest $i is built" lab_create_pvh_linux g 300 4
    ok "its work ends" lab_wait_linux_says g 200
    ok "its four vCPUs are up" is_up
    lab_destroy g
done
