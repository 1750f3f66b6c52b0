# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Two nodes with as many vCPUs on each: once it is known that those of one are
# always running, and those of the other are not, the next guest goes to the
# other. Before that it goes where less memory is free, which is the busy one.
# memory: 1000
# timeout: 500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# load NODE: by the snapshot that `look` takes.
load() {
    sed "s/.*\"id\":$1,[^}]*\"load_mvcpu\":\([0-9]*\).*/\1/" /tmp/snapshot
}

look() {
    xl numa-placement snapshot | tr -d ' \n' >/tmp/snapshot
}

free2=$(lab_free | cut -d' ' -f3)
free3=$(lab_free | cut -d' ' -f4)
for cpu in 4 5; do
    ok "a vCPU spins on CPU $cpu" lab_take "spin$cpu" 2 \
        $(((free2 - free3 + 400) / 2)) 'cmdline="spin"' "cpus=\"$cpu\""
    # One thread emulates all CPUs: it spins when it matters.
    "$LAB_STOCK_XL" pause "spin$cpu"
done
for cpu in 6 7; do
    ok "one is idle on CPU $cpu" lab_take "idle$cpu" 3 8 "cpus=\"$cpu\""
done
look
is "nothing is known: both nodes are as busy" "$(load 2)" "$(load 3)"
for cpu in 4 5; do
    "$LAB_STOCK_XL" unpause "spin$cpu"
done
ok "a guest is built" lab_create first pvh 300 1 'numa_nodes="2-3"'
is "on the node with less memory" \
    "$(lab_affinity "$(lab_domid first)")" 2
lab_destroy first
sleep 10
look
between "the busy node's load is two vCPUs and its part of dom0's" \
    "$(load 2)" 2000 2500
between "the other's is less" "$(load 3)" 500 $(($(load 2) - 100))
ok "a guest is built again" lab_create second pvh 300 1 'numa_nodes="2-3"'
is "on the node that is less busy" \
    "$(lab_affinity "$(lab_domid second)")" 3
