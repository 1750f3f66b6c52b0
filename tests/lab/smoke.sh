# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The lab itself: the host has the snapshot's topology, PV and PVH guests can be
# built, rebooted and destroyed, and the hypervisor tells where their memory is.
# host: lab-2x2.json
# stock: yes
# timeout: 180
# memory: 1000

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

host_is_as_described() {
    is "the distances are the snapshot's" "$(lab_nodes | cut -d' ' -f4-)" \
        "10 11 21 21
11 10 21 21
21 21 10 11
21 21 11 10"
    is "every node has two CPUs" "$(lab_node_cpus | sort)" "0 2
1 2
2 2
3 2"
}

load_leaves_four_holes() {
    ok "the load can be built" lab_load_2x2
    # shellcheck disable=SC2046 # four numbers
    set -- $(lab_free)
    between "node 0 has about 2650 MiB free" "$1" 2600 2700
    between "node 1 has about 1010 MiB free" "$2" 980 1040
    between "node 2 has about 2250 MiB free" "$3" 2200 2300
    between "node 3 has about 2300 MiB free" "$4" 2250 2350
}

guest_is_where_xen_says() {
    ok "a $1 guest can be built" lab_create "$1" "$1" 100 1 \
        'cpus="node:2"' 'cpus_soft="node:2"'
    domid=$(lab_domid "$1")
    between "its 100 MiB of pages are counted" \
        "$(lab_pages "$domid" | awk '{ n += $2 } END { print n }')" 25600 25700
    is "its memory is on its CPUs' node" "$(lab_offplan "$domid" 2)" 0.000
    is "its distance is the local one" "$(lab_distance "$domid" 2)" 10.00
    is "seen from node 0 the distance is 21" \
        "$(lab_distance "$domid" 0)" 21.00
    ok "it can be destroyed" lab_destroy "$1"
}

guest_reboots() {
    ok "a rebooting $1 guest can be built" \
        lab_create "boot$1" "$1" 32 1 'cmdline="reboot"'
    ok "it has another id when it has rebooted" \
        lab_wait 30 lab_is_another "boot$1" "$(lab_domid "boot$1")"
    ok "it can be destroyed" lab_destroy "boot$1"
}

# Of memory that is populated on demand the hypervisor counts what was touched.
guest_touches_its_memory() {
    ok "a guest with memory on demand can be built" \
        lab_create touch pvh 300 1 'maxmem=600' 'cmdline="touch 290"'
    ok "it touches its memory" lab_wait_blocked touch
    between "288 MiB of pages are counted, and what libxl populated itself" \
        "$(lab_pages "$(lab_domid touch)" |
            awk '{ n += $2 } END { print n }')" 73728 74800
    ok "it can be destroyed" lab_destroy touch
}

host_is_as_described
load_leaves_four_holes
guest_is_where_xen_says pv
guest_is_where_xen_says pvh
guest_touches_its_memory
guest_reboots pv
guest_reboots pvh
