# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A node's memory is dirty, as its last owner was just destroyed, and other nodes
# have clean memory: guests of any size still land where they were planned. Stock
# xl's go where it is clean, up to Xen 4.21.
# host: lab-2x2.json
# timeout: 1500
# host-memory: 5120
# memory: 2500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# on_dirty TYPE MIB NODES
on_dirty() {
    text="$1, $2 MiB on $3"
    ok "$text: it is built" lab_create g "$1" "$2" 2 "numa_nodes=\"$3\""
    domid=$(lab_placed g)
    is "$text: it is planned there" "${domid#* }" "$3"
    is "$text: no page is elsewhere" "$(lab_pages_off "${domid% *}" "$3")" 0
    lab_destroy g
}

# Half of these nodes is taken for good: less is to be dirty.
lab_leave 2 620
lab_leave 3 620

# A build that takes long, 50 calls for memory of 100 ms and more each: at a
# terminal it is told. (This comes first: later the spinning guests take time.)
LAB_XL=lab_ours LAB_SLOW=100 LAB_TTY=1 lab_create g pv 800 2 \
    'numa_nodes="2-3"' 2>/tmp/told
tr '\r' '\n' </tmp/told >/tmp/lines
ok "progress: percent, and MiB on each node" grep -Eq \
    '^g: [0-9]+ %, [0-9]+ MiB on node 2, [0-9]+ MiB on node 3 *$' /tmp/lines
between "progress: it went on" "$(grep -c '^g: [0-9]* %' /tmp/lines)" 4 200
lab_destroy g
LAB_TTY='' LAB_XL=lab_ours LAB_SLOW=100 lab_create g pv 800 2 \
    'numa_nodes="2-3"' 2>/tmp/told
is "progress: none where there is no terminal" "$(grep -c ' %' /tmp/told)" 0
lab_destroy g

ok "nodes 2 and 3 can be made dirty" lab_soil 2 3
all_free=$(lab_free)
lab_dirty_pages >/tmp/dirty
for node in 2 3; do
    free=$(echo "$all_free" | cut -d' ' -f$((node + 1)))
    between "node $node is dirty but for 16 MiB" \
        "$(awk -v node=$node '$1 == node { print $2 }' /tmp/dirty)" \
        $(((free - 16) * 256)) $(((free + 1) * 256))
done
for type in pv pvh; do
    on_dirty $type 150 3
    on_dirty $type 400 3
    on_dirty $type 800 2-3
    LAB_XL=$LAB_STOCK_XL lab_create g $type 400 2 'cpus_soft="nodes:3"'
    domid=$(lab_placed g)
    off=$(lab_offplan "${domid% *}" 3)
    is "$type: stock xl is told node 3" "${domid#* }" 3
    ! lab_xen_before 4.22 ||
        between "$type: of stock xl's guest a part is elsewhere ($off %)" \
            "$off" 50 100
    lab_destroy g
done

