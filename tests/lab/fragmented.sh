# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Nodes that have memory but no large extent: guests still land where they were
# planned, in the extents that are there. Stock xl's go to other nodes' large
# extents. On clean memory the hook gets as many large extents as stock xl.
# host: lab-2x2.json
# timeout: 900
# memory: 6500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# Extents of this order in the guest's report.
reported() {
    lab_report "$domid" "extents/$1" || echo 0
}

# build XL TYPE MIB LINE: leaves what Xen gave in /tmp/lab.count.
build() {
    : >/tmp/lab.count
    LAB_XL=$1 LAB_COUNT=/tmp/lab.count lab_create g "$2" "$3" 2 "$4"
}

# lands TYPE MIB NODES
lands() {
    text="$state: $1, $2 MiB on $3"
    ok "$text: it is built" build lab_ours "$1" "$2" "numa_nodes=\"$3\""
    domid=$(lab_placed g)
    on=${domid#* } domid=${domid% *}
    is "$text: it is planned there" "$on" "$3"
    is "$text: no page is elsewhere" "$(lab_pages_off "$domid" "$3")" 0
    lab_destroy g
}

# Without this order: neither by our count of Xen's answers nor by the report.
without() {
    is "$text: no extent of order $1 was there" "$(lab_extents "$1")" 0
    is "$text: none is reported" "$(reported "$1")" 0
}

# stock_strays MIB
stock_strays() {
    build lab_stock pvh "$1" 'cpus_soft="nodes:2-3"'
    off=$(lab_offplan "$(lab_domid g)" 2-3)
    between "$state: of stock xl's PVH guest a part is elsewhere ($off %)" \
        "$off" 5 100
    lab_destroy g
}

# same_extents MIB NODES: as stock xl gets where nothing is fragmented.
same_extents() {
    build lab_stock pvh "$1" "cpus_soft=\"nodes:$2\""
    huge=$(lab_extents 18) large=$(lab_extents 9)
    lab_destroy g
    lab_wait_scrubbed
    build lab_ours pvh "$1" "numa_nodes=\"$2\""
    is "clean: $1 MiB on $2: as many 1 GiB extents as stock xl gets ($huge)" \
        "$(lab_extents 18)" "$huge"
    is "clean: $1 MiB on $2: as many 2 MiB extents as stock xl gets ($large)" \
        "$(lab_extents 9)" "$large"
    lab_destroy g
    lab_wait_scrubbed
}

# Half of these nodes is taken for good: what is destroyed has to be scrubbed. Of 1500 MiB
# that are left one extent is of 1 GiB.
lab_leave 2 1500
lab_leave 3 1500
is "clean: Xen has a 1 GiB extent on node 3" "$(lab_extents_on 3 18)" 1
same_extents 1250 2
same_extents 2100 2-3

state="no 2 MiB extent"
for node in 2 3; do
    ok "$state: node $node is fragmented" lab_fragment $node 2m
    is "$state: on node $node Xen has none" "$(lab_extents_on $node 9)" 0
done
lands pv 2100 2-3
without 9
lands pvh 650 3
without 9
without 18
stock_strays 500
lab_destroy_all frag2 frag3

state="no 1 GiB extent"
for node in 2 3; do
    ok "$state: node $node is fragmented" lab_fragment $node 1g
    is "$state: on node $node Xen has none" "$(lab_extents_on $node 18)" 0
done
lands pvh 2100 2-3
without 18
between "$text: it is of 2 MiB extents" "$(lab_extents 9)" 1025 1050
stock_strays 1250
