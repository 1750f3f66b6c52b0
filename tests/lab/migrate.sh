# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A live migration, from this host to itself, and a saved HVM guest: the memory
# goes where it was planned for the host as it is then. (Xen as Debian builds it
# cannot migrate PV guests: they are saved and restored, in restore.sh.)
# host: lab-2x2.json
# hvm: yes
# timeout: 300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

MIB=240
SAVED=/tmp/g.save

# on_siblings TEXT: where g is to be.
on_siblings() {
    domid=$(lab_domid g)
    is "$1: it runs" \
        "$("$LAB_STOCK_XL" list g | awk 'NR == 2 { print $5 }')" -b----
    is "$1: xl list -n says nodes 2-3" "$(lab_affinity "$domid")" 2-3
    is "$1: the soft affinity of every vCPU is theirs" \
        "$(lab_vcpus "$domid")" "4-7 / 4-7
4-7 / 4-7"
    is "$1: nothing of it is elsewhere" "$(lab_offplan "$domid" 2-3)" 0.000
    between "$1: it has its memory" \
        "$(lab_pages "$domid" | awk '{ n += $2 } END { print n }')" \
        $((MIB * 256 - 64)) $((MIB * 256 + 64))
    between "$1: node 2 has half of it" \
        "$(lab_pages "$domid" | awk '$1 == 2 { print $2 }')" \
        $((MIB * 256 * 45 / 100)) $((MIB * 256 * 55 / 100))
    is "$1: it is reported as placed" \
        "$(xenstore-read "/libxl/$domid/numa-placement/status")" placed
    for node in 2 3; do
        between "$1: node $node is reported as the hypervisor counts" "$(
            xenstore-read "/libxl/$domid/numa-placement/node/$node/actual_kb"
        )" "$(lab_pages "$domid" |
            awk -v node=$node '$1 == node { print 4 * $2 - 400 }')" \
            "$(lab_pages "$domid" |
                awk -v node=$node '$1 == node { print 4 * $2 }')"
    done
}

# kept: what libxl's configuration of g has of its file.
kept() {
    "$LAB_STOCK_XL" list -l g | tr -d ' \n' | grep -o '"platformdata":{[^}]*}'
}

# Node 3 alone has room for it.
lab_leave 0 200
lab_leave 1 20
lab_leave 2 180
ok "an HVM guest is built" lab_create_hvm g $MIB 2 'numa_devices=35'
first=$(lab_domid g)
is "it is on one node" "$(lab_offplan "$first" 3)" 0.000

# Now no node has. Nodes 2 and 3 have, and so have 0 and 3, which are on two
# sockets, and a little more.
lab_leave 3 200
ok "it migrates" xl migrate -s "" g "xl migrate-receive"
is "it is another domain" "$([ "$(lab_domid g)" != "$first" ] && echo yes)" yes
on_siblings migrated
is "what its file said has come along" "$(kept)" \
    '"platformdata":{"numa_devices":"35"}'
lab_wait 60 lab_is_gone "$first"

ok "it is saved" xl save g $SAVED
lab_wait 30 lab_is_gone g
# Where it was at first there is room for it.
lab_take fill3-again 3 $(($(lab_free | cut -d' ' -f4) - 200))
ok "it is restored" xl restore $SAVED
on_siblings restored

# Stock xl in the same holes.
lab_destroy g
ok "stock xl restores it too" "$LAB_STOCK_XL" restore $SAVED
domid=$(lab_domid g)
planned=$(lab_affinity "$domid")
between "its mean distance on nodes $planned is far from 10.5" \
    "$(lab_distance "$domid" "$planned")" 14 22
