# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A soft reset, which kexec and kdump in an HVM guest ask for: the guest keeps its
# memory, so affinities and report stay what they were, those of the nodes that it
# sees too. With stock xl its vCPUs go where a new guest would be placed.
# host: lab-2x2.json
# hvm: yes
# linux: yes
# host-memory: 5120
# dom0_mem: 1024
# timeout: 500
# memory: 3000

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# Each look takes time from the guest.
# shellcheck disable=SC2034 # lab_wait() has it
LAB_PAUSE=1000000

# is_reset NAME: its xl has seen to a soft reset, and it runs again.
is_reset() {
    [ "$(grep -c 'has shut down, reason code 5' "/var/log/xen/xl-$1.log")" = 1 ] &&
        [ "$(grep -c 'Waiting for domain' "/var/log/xen/xl-$1.log")" = 2 ] &&
        lab_is_blocked "$1"
}

# The affinities of domain $1, and its report.
affinities() {
    lab_affinity "$1"
    lab_vcpus "$1"
}

report() {
    xenstore-read -R "/libxl/$1/numa-placement"
}

# build NAME MIB VCPUS [LINE...]: a guest that resets itself five seconds after its start,
# paused.
build() {
    name=$1
    ok "$name: a guest is built" lab_create_hvm "$@" "$(lab_hvm_reboots 0x403)"
    domid=$(lab_domid "$name")
}

# reset: it does so.
reset() {
    nodes=$(lab_affinity "$domid")
    is "$name: it is on its nodes" "$(lab_offplan "$domid" "$nodes")" 0.000
    before=$(affinities "$domid")
    reported=$(report "$domid")
    "$LAB_STOCK_XL" unpause "$name"
    ok "$name: it is reset" lab_wait 60 is_reset "$name"
    is "$name: it is the same domain" "$(lab_domid "$name")" "$domid"
    rm -f "/tmp/lab.pages.$domid"
    # A page of Xen's own for it may be a new one.
    between "$name: its memory is there still" \
        "$(lab_offplan "$domid" "$nodes")" 0 0.02
}

# reset_keeps: ours.
reset_keeps() {
    reset
    is "$name: its affinities are what they were" "$(affinities "$domid")" \
        "$before"
    is "$name: its report too" "$(report "$domid")" "$reported"
    is "$name: list: it is as it was built" "$(xl numa-placement |
        awk -v name="$name" '$1 == name { print $NF }')" placed
    lab_destroy "$name"
}

# Its node is full by then, as in the field.
# shellcheck disable=SC2034 # lab_create_hvm() has it
LAB_XL=lab_stock_paused
build stock 64 2
node=$(lab_pages "$domid" | awk '$2 > most { most = $2; node = $1 }
    END { print node }')
is "stock: its vCPUs prefer their node" "$(lab_affinity "$domid")" "$node"
lab_leave "$node" 100
reset
{ echo "$before"; affinities "$domid"; } | sed 's/^/# stock: /'
is "stock: its vCPUs have gone to another node" \
    "$([ "$(lab_affinity "$domid")" != "$node" ] &&
        [ "$(lab_vcpus "$domid")" != "$(echo "$before" | tail -n +2)" ] &&
        echo yes)" yes
lab_destroy stock
lab_destroy "fill$node"

# Node 3 has the least memory free: nothing would place it there again. One vCPU is
# pinned by hand: that is not in libxl's configuration.
LAB_XL=lab_ours_paused
build ours 64 2 'numa_nodes="3"'
is "ours: a hard affinity is one of these" "$(lab_vcpus "$domid" | sort -u)" \
    "4-7 / 6-7"
"$LAB_STOCK_XL" vcpu-pin ours 1 4-7 6
reset_keeps

# Four vCPUs are two nodes'.
build nodes 300 4 'numa_nodes="2-3"' 'numa_guest_nodes="2"'
is "nodes: each vCPU is by its node" "$(lab_vcpus "$domid")" "4-7 / 4-5
4-7 / 4-5
4-7 / 6-7
4-7 / 6-7"
reset_keeps

# A PVH guest does not live through a soft reset, with stock xl either.
# shellcheck disable=SC2034 # lab_create() has it
LAB_XL=$LAB_STOCK_XL
ok "PVH: stock xl builds a guest" lab_create stockpvh pvh 64 1 'cmdline="reset"'
LAB_XL=
ok "PVH: and ours" lab_create ourspvh pvh 64 1 'cmdline="reset"'
for name in stockpvh ourspvh; do
    ok "PVH: $name is gone at its soft reset" lab_wait 60 lab_is_gone $name
    ok "PVH: as its xl says" grep -q 'reason code 5' "/var/log/xen/xl-$name.log"
    tail -n 4 "/var/log/xen/xl-$name.log" | sed 's/^/# /'
done
is "PVH: neither is left in part" "$("$LAB_STOCK_XL" list | wc -l)" 2
