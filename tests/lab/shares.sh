# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Memory goes where the guest's CPUs are: a guest that is pinned to a node which
# lacks a little takes just that from the other socket. numa_nodes that has no CPU
# for the guest names its memory. Nodes with room to grow come first.
# host: lab-2x2.json
# memory: 1600
# timeout: 500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# A PV guest of 600 MiB, with what libxl adds 606; node 3 has some 44 less.
pinned() {
    lab_create g pv 600 2 'cpus=["6", "7"]' 'numa_nodes="0,3"'
}

lab_leave 3 562

LAB_XL=$LAB_STOCK_XL pinned
domid=$(lab_domid g)
stock=$(lab_distance "$domid" 3)
echo "# stock xl: distance $stock from its vCPUs"
between "stock xl: pinned to node 3, the guest is nearly all there" \
    "$stock" 10 11
lab_destroy g
lab_wait_scrubbed

ok "pinned to node 3: built" pinned
domid=$(lab_domid g)
distance=$(lab_distance "$domid" 3)
echo "# ours: distance $distance from its vCPUs"
between "only what node 3 lacks is on the other socket, at 21" \
    "$distance" 10.3 11
between "and no page is elsewhere" "$(lab_offplan "$domid" 0,3)" 0 0
between "the plan's expected distance is the real one" \
    "$(lab_report "$domid" expected_distance)" \
    "$(awk -v d="$distance" 'BEGIN { print d - 0.2 }')" \
    "$(awk -v d="$distance" 'BEGIN { print d + 0.2 }')"
lab_destroy g
lab_wait_scrubbed

ok "numa_nodes without a CPU for the guest: built" \
    lab_create g pvh 100 2 'cpus="6-7"' 'numa_nodes="0"'
domid=$(lab_domid g)
is "its memory is on that node" "$(lab_offplan "$domid" 0)" 0.000
is "later memory comes from there too" "$(lab_affinity "$domid")" 0
is "its vCPUs are where the user wants them" "$(lab_vcpus "$domid")" \
    "6-7 / 6-7
6-7 / 6-7"
lab_destroy g

# Node 3 is the tightest; with maxmem=1000 it would not do.
ok "a guest that stays as it is: built" lab_create g pvh 100 2
is "is where it fits best" "$(lab_affinity g)" 3
lab_destroy g
ok "one that may grow: built" lab_create g pvh 100 2 maxmem=1000
node=$(lab_affinity g)
ok "is where it can grow" test "$node" -lt 3
lab_destroy g

# Two CPUs a node: two vCPUs run at first, four later.
ok "two vCPUs of four: built" lab_create g pvh 100 2 maxvcpus=4
is "on one node" "$(lab_affinity g)" 3
lab_destroy g
ok "numa_hotplug=\"limits\": built" \
    lab_create g pvh 100 2 maxvcpus=4 'numa_hotplug="limits"'
nodes=$(lab_affinity g)
ok "on the two nodes of a socket" test "$nodes" = 0-1 -o "$nodes" = 2-3
lab_destroy g
