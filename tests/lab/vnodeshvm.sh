# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# An HVM guest that sees its nodes (numa_guest_nodes): hvmloader has the tables that
# it was handed in the guest's ACPI tables, beside the user's own; the memory is by
# address. PVH guests: one of 5 GiB, whose nodes are around the hole below 4 GiB; some
# whose nodes run out while they are built; some under strict policies; one that
# reboots.
# memory: 6500
# host: lab-2x2.json
# timeout: 1200
# hvm: yes

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

report() {
    lab_report "$1" "$2"
}

# First, while the host is empty: what is destroyed later would have to be scrubbed.
ok "a PVH guest of 5000 MiB is built" lab_create p pvh 5000 2 \
    'numa_guest_nodes="auto"'
id=$(lab_domid p)
is "its tables are as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
between "in extents of 1 GiB, where these are within a node" \
    "$(report "$id" extents/18)" 1 5
between "one of its nodes has memory below the hole and behind it" \
    "$(lab_vnodes "$id" | grep -c '0xfc000000,0x100000000-')" 1 1
for n in $(lab_vnodes_reported "$id" | cut -d' ' -f1); do
    kb=$(report "$id" "vnode/$n/planned_kb")
    is "by address: node $n is where it should be" \
        "$(report "$id" "vnode/$n/actual_kb")" "$kb"
    between "the hypervisor counts it there" \
        "$(lab_pages_on "$id" "$(report "$id" "vnode/$n/node")")" \
        $((kb / 4 - 64)) $((kb / 4 + 200))
done
lab_destroy p

# 700 of 1400 MiB: 640 is as near as 768, and comes first.
lab_leave 0 400
lab_leave 1 400
lab_leave 2 900
lab_leave 3 900
# A table of the user's: 36 bytes, of revision 1. "OEM1", 36, 1 and 201 are 512 in all.
{ printf 'OEM1\044\000\000\000\001\311'; head -c 26 /dev/zero; } >/tmp/user.aml
ok "an HVM guest of 1400 MiB, 3 of 4 vCPUs, is built on two nodes" \
    lab_create_hvm h 1400 3 'firmware_override="hvmloader"' 'maxvcpus=4' \
    'numa_guest_nodes="auto"' 'acpi_firmware="/tmp/user.aml"'
id=$(lab_domid h)
is "it has two nodes" "$(report "$id" guest_nodes)" 2
has_tables() { lab_vnodes "$id" | grep -q '^1 '; }
ok "hvmloader has made its tables" lab_wait 60 has_tables
is "they are as reported" "$(lab_vnodes "$id")" "$(lab_vnodes_reported "$id")"
is "the user's is there too" "$(grep -c '^table OEM1' /tmp/lab.acpi)" 1
is "with the host's distances" "$(sed -n 's/^distances //p' /tmp/lab.acpi |
    tr '\n' ',')" "10 11,11 10,"
is "and the APIC ids of its MADT" \
    "$(awk '$1 == "cpu" { print $3 }' /tmp/lab.acpi | sort -n | tr '\n' ' ')" \
    "$(sed -n 's/^apic-ids //p' /tmp/lab.acpi | tr ' ' '\n' | sort -n |
        tr '\n' ' ')"
for n in 0 1; do
    kb=$(report "$id" vnode/$n/planned_kb)
    # The VGA's 128 KiB of node 0 are no memory; QEMU has video memory of its own.
    between "by address: node $n's memory is on its node" \
        "$(report "$id" vnode/$n/actual_kb)" $((kb - 256)) "$kb"
done
is "nothing of it is elsewhere" "$(lab_offplan "$id" 2-3)" 0.000
lab_destroy h

# Another domain takes 300 MiB of node 3 when the guest is planned. Of its 760 MiB there
# at least 150 are on node 2 then, which has 900 - 650 left.
lab_hold s pvh 1400 2 'numa_guest_nodes="auto"' 'numa_policy="strict"'
lab_take thief 3 300
ok "strict: a guest whose node runs out, but not its nodes, is built" lab_release
id=$(lab_domid s)
is "degraded, with two nodes" \
    "$(report "$id" status) $(report "$id" guest_nodes)" "degraded 2"
between "node 1 has some of its memory elsewhere" \
    "$(report "$id" vnode/1/elsewhere_kb)" $((150 * 1024)) $((250 * 1024))
is "and the rest where it should be" "$(($(report "$id" vnode/1/actual_kb) +
    $(report "$id" vnode/1/elsewhere_kb)))" "$(report "$id" vnode/1/planned_kb)"
is "node 0 has all of it" "$(report "$id" vnode/0/actual_kb)" \
    "$(report "$id" vnode/0/planned_kb)"
is "nothing of it is on other nodes" "$(lab_offplan "$id" 2-3)" 0.000
is "its tables are as reported" "$(lab_vnodes "$id")" "$(lab_vnodes_reported "$id")"
lab_destroy s
lab_destroy thief

# Both nodes have 1800 MiB, of which 600 are taken; none of it may be on another.
lab_hold s pvh 1400 2 'numa_guest_nodes="auto"' 'numa_policy="strict"'
lab_take thief 3 600
before=$(lab_free | cut -d' ' -f1-2)
lab_release
is "strict: one whose nodes both run out is not" "$?" 3
ok "strict: and the error says so" \
    grep -q 'nodes 2-3 ran out of memory while it was built: not built' /tmp/lab.said
is "strict: no domain is left" "$(lab_domid s)" ""
is "strict: nor is memory of other nodes taken" "$(lab_free | cut -d' ' -f1-2)" "$before"
lab_destroy thief

ok "single-node: a guest of four nodes is built" lab_create o pvh 600 4 \
    'numa_guest_nodes="4"' 'numa_policy="single-node"'
id=$(lab_domid o)
on=$(report "$id" nodes)
is "single-node: all four are on one" "$(for n in 0 1 2 3; do report "$id" vnode/$n/node; done |
    tr '\n' ' ') $(report "$id" status)" "$on $on $on $on  placed"
is "single-node: with all of its memory" "$(lab_offplan "$id" "$on")" 0.000
is "single-node: its tables are as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
lab_destroy o
lab_create o pvh 1400 4 'numa_guest_nodes="4"' 'numa_policy="single-node"' \
    >/tmp/lab.said 2>&1
is "single-node: a guest that no node can hold is not built" "$?" 3
ok "single-node: and the error says what each node lacks" \
    grep -q '(o): needs 14[0-9]* MiB on one node; node [23] lacks' /tmp/lab.said

# A reboot is planned afresh, and the number of nodes stays.
ok "a guest that reboots is built with four nodes" lab_create r pvh 600 2 \
    'cmdline="reboot"' 'numa_guest_nodes="4"'
first=$(lab_domid r)
node=$(report "$first" vnode/0/node)
lab_take_all filler "$node"
ok "it reboots" lab_wait 60 lab_is_another r "$first"
id=$(lab_domid r)
"$LAB_STOCK_XL" pause "$id" # or it does so again in five seconds
lab_wait 30 report "$id" status
is "it has four nodes again" "$(report "$id" guest_nodes)" 4
is "in its tables, too" "$(lab_vnodes "$id")" "$(lab_vnodes_reported "$id")"
