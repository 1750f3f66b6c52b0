# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Two sockets of four nodes, 12 apart within a socket and 32 across: guests of
# one, two, three and four nodes' size are on so many nodes of one socket, and
# memory that is taken meanwhile comes from that socket too.
# host: lab-8n.json
# timeout: 900
# host-memory: 4096
# memory: 4000

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# In how many sockets are the nodes of list $1?
sockets_of() {
    lab_list "$1" | awk '{ print int($1 / 4) }' | sort -u | wc -l
}

# lands TYPE MIB NR_NODES DISTANCE
lands() {
    text="$1, $2 MiB"
    ok "$text: it is built" lab_create g "$1" "$2" 2
    domid=$(lab_placed g)
    nodes=${domid#* } domid=${domid% *}
    is "$text: it is on as few nodes as can hold it, $nodes" \
        "$(lab_list "$nodes" | wc -l)" "$3"
    is "$text: of one socket" "$(sockets_of "$nodes")" 1
    is "$text: no page is elsewhere" "$(lab_pages_off "$domid" "$nodes")" 0
    is "$text: the mean distance" "$(lab_distance "$domid" "$nodes")" "$4"
    lab_destroy g
}

is "the host has eight nodes" "$(lab_nodes | wc -l)" 8
# vCPUs evenly on n nodes: 12 - 2 / n, however the memory is divided.
for type in pv pvh; do
    lands $type 350 1 10.00
    lands $type 700 2 11.00
    lands $type 1100 3 11.33
    lands $type 1600 4 11.50
done

# Xen's own order would go on with node 7, then 0.
lab_take filler 7 $(($(lab_free | cut -d' ' -f8) - 100))
lab_hold g pvh 350 1 'numa_nodes="6"'
lab_take thief 6 $(($(lab_free | cut -d' ' -f7) - 200))
ok "a guest is built whose node 6 lost memory meanwhile" lab_release
domid=$(lab_domid g)
is "none of it is on the other socket" "$(lab_pages_off "$domid" 4-7)" 0
between "node 6 gave what it had left" \
    "$(lab_pages "$domid" | awk '$1 == 6 { print $2 }')" \
    $((180 * 256)) $((201 * 256))
lab_destroy_all g thief filler

# The two nodes with the most memory are on different sockets now.
for node in 0 1 2 5 6; do
    lab_take load$node $node 75
done
lands pvh 700 2 11.00
LAB_XL=$LAB_STOCK_XL lab_create g pvh 700 2
domid=$(lab_placed g)
nodes=${domid#* } domid=${domid% *}
distance=$(lab_distance "$domid" "$nodes")
between "stock xl takes nodes of both: $nodes, mean distance $distance" \
    "$distance" 14 32
