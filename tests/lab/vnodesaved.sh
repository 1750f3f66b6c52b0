# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A guest that sees several nodes keeps them when it is saved and restored, or
# migrates: each node's memory goes to one node of the host, by Xen's own trace of
# guest addresses, and its vCPUs go with it. A PVH Linux goes on, with its nodes; a
# host that has no room for them as they are is said so, and runs it all the same.
# memory: 2500
# host: lab-2x2.json
# host-memory: 6144
# dom0_mem: 800
# linux: yes
# timeout: 1800

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

SAVED=/tmp/g.save
CONF=/etc/xen/xl-numa.conf

# The node of the host that node $2 of guest $1 is on.
node_of() {
    lab_report "$1" "vnode/$2/node"
}

# kept NAME: the nodes that libxl's configuration of it has.
kept() {
    "$LAB_STOCK_XL" list -l "$1" | sed -n 's/.*"numa_guest_node_[0-9]": "\(.*\)".*/\1/p'
}

# by_address TEXT DOMID: the memory of its two nodes, by Xen's trace and by the report.
by_address() {
    lab_check_by_address "$1" "$2" 2
    for n in 0 1; do
        kb=$(lab_report "$2" vnode/$n/planned_kb)
        between "$1: as is reported of node $n" \
            "$(lab_report "$2" vnode/$n/actual_kb)" $((kb - 256)) "$kb"
    done
}

# Nodes 0 and 1 of the guest on nodes 2 and 3: 128 and 172 MiB.
for n in 0 1 2 3; do
    lab_leave $n 250
done
lab_leave 0 100 more0
lab_leave 1 100 more1
ok "a PVH Linux of 300 MiB is built on two nodes" \
    lab_create_pvh_linux g 300 2 'numa_guest_nodes="auto"'
first=$(lab_domid g)
is "on nodes 2 and 3" "$(node_of "$first" 0) $(node_of "$first" 1)" "2 3"
ok "it lives" lab_wait_linux_says g
is "libxl's configuration has its nodes" "$(kept g)" \
    "0;0x0-0x8000000;10 11
1;0x8000000-0x12c00000;11 10"
before=$(lab_linux_seconds g)

# Now node 3 has room for its first node alone, and node 2 for the second.
ok "it is saved" xl save g $SAVED
lab_wait 30 lab_is_gone g
lab_leave 2 200 more2
lab_leave 3 150 more3
lab_trace_pages
ok "it is restored" xl restore $SAVED
id=$(lab_domid g)
is "its first node is on node 3, its second on node 2" \
    "$(node_of "$id" 0) $(node_of "$id" 1)" "3 2"
is "it is reported as placed, with two nodes" \
    "$(lab_report "$id" status) $(lab_report "$id" guest_nodes)" "placed 2"
by_address restored "$id"
is "each vCPU has its node's CPUs" \
    "$(lab_vcpus "$id" | awk '{ print $3 }' | tr '\n' ' ')" "6-7 4-5 "
is "its tables are as they were, and as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
ok "it goes on where it was" lab_wait_linux g $((before + 2))
is "libxl's configuration still has its nodes" "$(kept g)" \
    "0;0x0-0x8000000;10 11
1;0x8000000-0x12c00000;11 10"

# Its tables, by the product; then it loses one.
is "verify finds its tables as reported" \
    "$(xl numa-placement verify g 2>/dev/null | awk 'NR > 1 { print $NF }' |
        sort -u)" same
/lab/guest-acpi "$id" SRAT >/dev/null 2>&1
xl numa-placement verify g >/tmp/out 2>&1
is "without one verify fails" "$?" 1
ok "and says why" grep -q 'g: the nodes that it sees are not those reported: in its memory the SRAT is destroyed' /tmp/out

# Live, to this host: to nodes 0 and 1.
lab_destroy more0
lab_destroy more1
lab_trace_pages
ok "it migrates" xl migrate -s "" g "xl migrate-receive"
id=$(lab_domid g)
is "it is on nodes 0 and 1" "$(node_of "$id" 0) $(node_of "$id" 1)" "0 1"
is "it is reported as placed, with two nodes" \
    "$(lab_report "$id" status) $(lab_report "$id" guest_nodes)" "placed 2"
by_address migrated "$id"
migrated_seconds() {
    tr -d '\r' </var/log/xen/guest-g--incoming.log | grep -c '^seconds'
}
goes_on() { [ "$(migrated_seconds)" -ge 2 ]; }
ok "it goes on there" lab_wait 60 goes_on

# No node has room for its second node, which has 172 MiB; three have it together.
ok "it is saved again" xl save g $SAVED
lab_wait 30 lab_is_gone g
for n in 0 1 2; do
    lab_leave $n 130 most$n
done
lab_leave 3 30 most3
echo 'numa_guests = [ [ "name=g", "numa_policy=single-node" ] ]' >$CONF
xl restore $SAVED >/tmp/out 2>&1
is "single-node: where its nodes have no room it is not restored" "$?" 1
ok "single-node: and the error says what each node lacks" \
    grep -q 'error: .*(g): needs 3[0-9]* MiB on one node; node [012] lacks' /tmp/out
is "single-node: no domain is left" "$(lab_domid g)" ""
echo 'numa_guests = [ [ "name=g", "numa_policy=strict" ] ]' >$CONF
xl restore $SAVED >/tmp/out 2>&1
is "strict: on other nodes, without regard to its own, it is" "$?" 0
id=$(lab_domid g)
is "strict: degraded" "$(lab_report "$id" status) $(lab_report "$id" guest_nodes)" "degraded off"
ok "strict: and a warning says so" grep -q 'warning: .*(g): the guest keeps the nodes that it was built with, but its memory is placed without regard to them: no nodes of this host have room' /tmp/out
is "strict: all of its memory is on the planned nodes" \
    "$(lab_report "$id" nodes) $(lab_offplan "$id" 0-2)" "0-2 0.000"
before=$(lab_linux_seconds g)
ok "it runs" lab_wait_linux g $((before + 2))
