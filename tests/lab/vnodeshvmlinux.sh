# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# An HVM Linux sees the nodes that it is on (numa_guest_nodes), and keeps them when it
# is saved and restored: what it says itself, beside the tables in its memory and Xen's
# trace of guest addresses. With stock xl it sees one.
# named: yes
# memory: 7000
# host: lab-2x2.json
# hvm: yes
# linux: yes
# timeout: 1800

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

SAVED=/tmp/g.save

# homes DOMID: the nodes of the host that its nodes are on.
homes() {
    for n in 0 1; do lab_report "$1" vnode/$n/node; done | tr '\n' ' '
}

# Half of 400 MiB is nearest to 256.
lab_leave 0 100
lab_leave 1 100
lab_leave 2 330
lab_leave 3 330
LAB_WORDS=bound
lab_trace_pages
ok "an HVM Linux of 400 MiB, 3 of 4 vCPUs, is built on two nodes" \
    lab_create_hvm_linux g 400 3 'maxvcpus=4' 'numa_guest_nodes="auto"'
id=$(lab_domid g)
is "256 and 144 MiB on nodes 2 and 3" "$(homes "$id")$(for n in 0 1; do
    lab_report "$id" vnode/$n/planned_kb; done | tr '\n' ' ')" "2 3 262144 147456 "
lab_check_by_address built "$id" 2
ok "it lives" lab_wait_linux_says g
is "it sees both, its 3 vCPUs and the host's distances" "$(lab_linux_nodes g)" "0:0-1:10 11;1:2:11 10;"
lab_check_bound built g "$id"
is "its tables are intact, and as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
is "for itself, too" "$(lab_linux_tables g)" "FACP SRAT SLIT "
before=$(lab_linux_seconds g)

# Now node 3 has room for its first node alone, and node 2 for the second.
ok "it is saved" xl save g $SAVED
lab_wait 30 lab_is_gone g
lab_leave 2 200 more2
lab_leave 3 310 more3
lab_trace_pages
ok "it is restored" xl restore $SAVED
id=$(lab_domid g)
is "its first node is on node 3, its second on node 2" "$(homes "$id")" "3 2 "
is "it is reported as placed" "$(lab_report "$id" status)" placed
lab_check_by_address restored "$id" 2
is "each vCPU has its node's CPUs" \
    "$(lab_vcpus "$id" | awk '{ print $3 }' | tr '\n' ' ')" "6-7 6-7 4-5 4-5 "
ok "it goes on where it was" lab_wait_linux g $((before + 2))
is "its tables are as they were, and as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
lab_destroy g

# --- stock xl -----------------------------------------------------------------
for name in fill2 fill3 more2 more3; do
    lab_destroy $name
done
LAB_WORDS=
LAB_XL=$LAB_STOCK_XL
ok "stock xl builds a guest like it" lab_create_hvm_linux s 400 2
ok "it lives" lab_wait_linux_says s
is "it sees one node" "$(lab_linux_nodes s)" "0:0-1:10;"
is "without such tables" "$(lab_linux_tables s)" "FACP "
