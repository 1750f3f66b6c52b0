# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A guest with a PCI device of the host's, which needs page tables in the IOMMU, is
# placed as any other, and of nodes that are as good on the device's, which Xen
# knows from dom0's Linux and that from the firmware. (libxl gives PVH guests no
# devices.)
# host-memory: 5120
# memory: 2500
# host: lab-2x2.json
# hvm: yes
# pci: yes
# timeout: 300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

MIB=600

# placed TYPE: guest g.
placed() {
    domid=$(lab_domid g)
    is "$1: it has the device" \
        "$("$LAB_STOCK_XL" pci-list g | awk 'NR > 1 { print $2 }')" \
        "0000:$LAB_PCI"
    is "$1: xl list -n says nodes 2-3" "$(lab_affinity "$domid")" 2-3
    is "$1: the soft affinity of every vCPU is theirs" \
        "$(lab_vcpus "$domid")" "4-7 / 4-7
4-7 / 4-7"
    is "$1: nothing of it is elsewhere" "$(lab_offplan "$domid" 2-3)" 0.000
    between "$1: node 2 has half of it" \
        "$(lab_pages "$domid" | awk '$1 == 2 { print $2 }')" \
        $((MIB * 256 * 45 / 100)) $((MIB * 256 * 55 / 100))
    is "$1: it is reported as placed" \
        "$(lab_report "$domid" status)" placed
}

ok "Xen has an IOMMU" sh -c "$LAB_STOCK_XL info | grep -q pv_directio"
ok "the device can be given to a guest" \
    "$LAB_STOCK_XL" pci-assignable-add "$LAB_PCI"

# Node 3 is left most memory, so that no other rule would have it.
is "Xen knows the device's node" \
    "$(xl numa-placement snapshot | tr -d ' \n' |
        grep -o "\"bdf\":\"0000:$LAB_PCI\",\"node\":[0-9]*")" \
    "\"bdf\":\"0000:$LAB_PCI\",\"node\":$LAB_PCI_NODE"
lab_leave 0 700
lab_leave 1 700
lab_leave 2 700
lab_leave 3 900
ok "near: it is built" lab_create near pv 300 1 "pci=[\"$LAB_PCI\"]"
domid=$(lab_domid near)
is "near: the node affinity is the device's" \
    "$(lab_affinity "$domid")" "$LAB_PCI_NODE"
is "near: all of it is there" "$(lab_offplan "$domid" "$LAB_PCI_NODE")" 0.000
lab_destroy near 2>/dev/null # a device that cannot be reset is complained of
ok "far: it is built" lab_create far pv 300 1 "pci=[\"$LAB_PCI\"]" \
    'numa_devices=0'
domid=$(lab_domid far)
is "far: without the device's weight it is elsewhere" \
    "$(lab_offplan "$domid" "$LAB_PCI_NODE")" 100.000
lab_destroy far 2>/dev/null

lab_leave 0 420 more0
lab_leave 1 120 more1
lab_leave 2 370 more2
lab_leave 3 420 more3
ok "pv: it is built" lab_create g pv $MIB 2 "pci=[\"$LAB_PCI\"]"
placed pv
lab_destroy g 2>/dev/null
ok "hvm: it is built" lab_create_hvm g $MIB 2 "pci=[\"$LAB_PCI\"]"
placed hvm
