# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A node's memory is dirty, as its last owner was just destroyed, and other nodes
# have clean memory: guests of any size still land where they were planned. Stock
# xl's go where it is clean, up to Xen 4.21.
# host: lab-2x2.json
# timeout: 1500
# host-memory: 5120
# memory: 4900

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# on_dirty TYPE MIB NODES
on_dirty() {
    text="$1, $2 MiB on $3"
    ok "$text: it is built" lab_create g "$1" "$2" 2 "numa_nodes=\"$3\""
    is "$text: it is planned there" "$(lab_affinity g)" "$3"
    is "$text: no page is elsewhere" "$(lab_pages_off "$(lab_domid g)" "$3")" 0
    lab_destroy g
}

ok "nodes 2 and 3 can be made dirty" lab_soil 2 3
for node in 2 3; do
    free=$(lab_free | cut -d' ' -f$((node + 1)))
    between "node $node is dirty but for 16 MiB" "$(lab_dirty_pages $node)" \
        $(((free - 16) * 256)) $(((free + 1) * 256))
done
for type in pv pvh; do
    on_dirty $type 300 3
    on_dirty $type 800 3
    on_dirty $type 1600 2-3
    LAB_XL=$LAB_STOCK_XL lab_create g $type 800 2 'cpus_soft="nodes:3"'
    off=$(lab_offplan "$(lab_domid g)" 3)
    is "$type: stock xl is told node 3" "$(lab_affinity g)" 3
    ! lab_xen_before 4.22 ||
        between "$type: of stock xl's guest a part is elsewhere ($off %)" \
            "$off" 50 100
    lab_destroy g
done

# A build that takes long, 100 calls for memory of 50 ms and more each: at a
# terminal it is told.
LAB_XL=lab_ours LAB_SLOW=50 LAB_TTY=1 lab_create g pv 1600 2 \
    'numa_nodes="2-3"' 2>/tmp/told
tr '\r' '\n' </tmp/told >/tmp/lines
ok "progress: percent, and MiB on each node" grep -Eq \
    '^g: [0-9]+ %, [0-9]+ MiB on node 2, [0-9]+ MiB on node 3 *$' /tmp/lines
between "progress: it went on" "$(grep -c '^g: [0-9]* %' /tmp/lines)" 4 200
lab_destroy g
LAB_TTY='' LAB_XL=lab_ours LAB_SLOW=50 lab_create g pv 1600 2 \
    'numa_nodes="2-3"' 2>/tmp/told
is "progress: none where there is no terminal" "$(grep -c ' %' /tmp/told)" 0
lab_destroy g
