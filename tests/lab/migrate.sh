# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A live migration, from this host to itself, and saved HVM and PVH guests: the
# memory goes where it was planned for the host as it is then, and comes in large
# pages again. (Xen as Debian builds it cannot migrate PV guests: they are saved and
# restored, in restore.sh.)
# host: lab-2x2.json
# hvm: yes
# linux: yes
# timeout: 500
# host-memory: 5120
# dom0_mem: 1024
# memory: 1800

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

MIB=120
SAVED=/tmp/g.save
NAME=g

# in_large_pages TEXT LEAST MOST: percent of what was built since lab_trace_pages.
in_large_pages() {
    counted=$(lab_large_pages "$(lab_domid "$NAME")")
    between "$1: Xen has all its pages in the trace" "${counted#* }" \
        $((MIB * 256 - 64)) $((MIB * 256 + 64))
    between "$1: ${counted% *} of ${counted#* } pages are in large ones" \
        "$(echo "$counted" | awk '{ print 100 * $1 / $2 }')" "$2" "$3"
}

# Those of stock libxl-save-helper, which asks for large ones from 4.21 on.
in_stock_pages() {
    if lab_xen_before 4.21; then
        in_large_pages "$1" 0 0
    else
        in_large_pages "$1" 95 100
    fi
}

# on_siblings TEXT: where the guest is to be.
on_siblings() {
    domid=$(lab_domid "$NAME")
    is "$1: it runs" \
        "$("$LAB_STOCK_XL" list "$NAME" | awk 'NR == 2 { print $5 }')" -b----
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
        "$(lab_report "$domid" status)" placed
    for node in 2 3; do
        between "$1: node $node is reported as the hypervisor counts" "$(
            lab_report "$domid" "node/$node/actual_kb"
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

# The tiny PVH guest cannot suspend itself.
save_suspended() {
    LAB_SUSPEND=1 lab_stock save p $SAVED
}

# Node 3 alone has room for it.
lab_leave 0 100
lab_leave 1 20
lab_leave 2 90
ok "an HVM guest is built" lab_create_hvm g $MIB 2 'numa_devices=35'
first=$(lab_domid g)
is "it is on one node" "$(lab_offplan "$first" 3)" 0.000

# Now no node has. Nodes 2 and 3 have, and so have 0 and 3, which are on two
# sockets, and a little more.
lab_leave 3 100
lab_trace_pages
ok "it migrates" xl migrate -s "" g "xl migrate-receive"
is "it is another domain" "$([ "$(lab_domid g)" != "$first" ] && echo yes)" yes
in_large_pages migrated 95 100
on_siblings migrated
is "what its file said has come along" "$(kept)" \
    '"platformdata":{"numa_devices":"35"}'
lab_wait 60 lab_is_gone "$first"

ok "it is saved" xl save g $SAVED
lab_wait 30 lab_is_gone g
# Where it was at first there is room for it.
lab_leave 3 100 fill3-again
lab_trace_pages
ok "it is restored" xl restore $SAVED
in_large_pages restored 95 100
on_siblings restored

# Stock xl in the same holes.
lab_destroy g
lab_trace_pages
ok "stock xl restores it too" "$LAB_STOCK_XL" restore $SAVED
in_stock_pages "by stock xl"
domid=$(lab_domid g)
planned=$(lab_affinity "$domid")
between "its mean distance on nodes $planned is far from 10.5" \
    "$(lab_distance "$domid" "$planned")" 14 22

# A PVH guest in the same holes.
lab_destroy g
NAME=p
ok "a PVH guest is built" lab_create p pvh $MIB 2
ok "it is saved" save_suspended
lab_wait 30 lab_is_gone p
lab_trace_pages
ok "it is restored" xl restore $SAVED
in_large_pages "PVH, restored" 95 100
on_siblings "PVH, restored"
lab_destroy p
lab_trace_pages
ok "stock xl restores it too" "$LAB_STOCK_XL" restore $SAVED
in_stock_pages "PVH, by stock xl"
