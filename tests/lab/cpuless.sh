# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Nodes without CPUs hold memory for the nodes that are near them: a guest that
# fits on a node with CPUs is there; a larger one has memory on the CPU-less node
# of the same socket too, and its vCPUs on the CPUs that there are.
# host: lab-cpuless.json
# timeout: 900
# host-memory: 5120
# memory: 3000

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# What stands for socket 0 or 1 in $nodes: 0 or 1 and the CPU-less 2 or 3.
socket_is_whole() {
    case $nodes in 0,2 | 1,3) echo yes ;; esac
}

# The CPUs of nodes $1: two on each of nodes 0 and 1.
soft_cpus() {
    case $1 in 0*) echo 0-1 ;; 1*) echo 2-3 ;; esac
}

# build TYPE MIB
build() {
    free=$(lab_free)
    ok "$text: it is built" lab_create g "$1" "$2" 2
    domid=$(lab_domid g)
    nodes=$(lab_affinity "$domid")
    is "$text: no page is off nodes $nodes" \
        "$(lab_pages_off "$domid" "$nodes")" 0
    is "$text: the affinities are the CPUs that they, and their socket, have" \
        "$(lab_vcpus "$domid" | sort -u)" \
        "$(soft_cpus "$nodes") / $(soft_cpus "$nodes")"
}

is "nodes 2 and 3 have no CPUs" "$(lab_node_cpus | sort)" "0 2
1 2"
for type in pv pvh; do
    text="$type, 600 MiB"
    build $type 600
    is "$text: it is on a node with CPUs" \
        "$(case $nodes in 0 | 1) echo yes ;; esac)" yes
    is "$text: its distance is the local one" \
        "$(lab_distance "$domid" "$nodes")" 10.00
    lab_destroy g

    text="$type, 1600 MiB"
    build $type 1600
    is "$text: it has the CPU-less node of its socket" "$(socket_is_whole)" yes
    # The node with the vCPUs gives all it has, at distance 10; the other one what
    # that lacks, at 14. Xen and libxl take up to 80 MiB of the first for themselves.
    near=$(echo "$free" | cut -d' ' -f$((${nodes%,*} + 1)))
    # shellcheck disable=SC2046 # two numbers
    between "$text: its mean distance" "$(lab_distance "$domid" "$nodes")" \
        $(awk -v near="$near" 'BEGIN {
            printf "%.2f %.2f", 14 - 4 * near / 1600, 14 - 4 * (near - 80) / 1600 }')
    lab_destroy g
done

# Where the nodes with CPUs have little, the CPU-less one gives the rest.
for node in 0 1; do
    lab_take "load$node" $node $(($(lab_free | cut -d' ' -f$((node + 1))) - 160))
done
text="little memory near the CPUs"
build pvh 600
is "$text: it has the CPU-less node of its socket" "$(socket_is_whole)" yes
between "$text: that gives the most" \
    "$(lab_pages "$domid" | awk '$1 > 1 { n += $2 } END { print n }')" \
    $((440 * 256)) $((600 * 256))
is "$text: it is reported as placed" \
    "$(lab_report "$domid" status)" placed
lab_destroy g

LAB_XL=$LAB_STOCK_XL lab_create g pvh 600 2
domid=$(lab_domid g)
distance=$(lab_distance "$domid" 0-1)
between "stock xl's memory is farther from the CPUs that it may use: $distance" \
    "$distance" 14 26
