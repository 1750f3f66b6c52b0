# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# xen-lab demo's part in dom0: loads the 2x2 host so that no node can hold the
# next guest, builds that guest with stock xl and then with xl-numa, and prints
# both placements side by side. Judges nothing: the numbers are the
# hypervisor's.

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

GUEST_MIB=4300

tell() {
    echo "- $*" >&2
}

# measure WHO XL: builds the guest, leaves lines "KEY VALUE" in /tmp/WHO.
measure() {
    tell "building the guest with $1"
    LAB_XL=$2 lab_create guest pvh "$GUEST_MIB" 2 || exit 1
    domid=$(lab_domid guest)
    nodes=$(lab_affinity "$domid")
    tell "counting its pages"
    {
        echo "nodes $nodes"
        lab_pages "$domid" | awk '{ printf "node%s %.0f\n", $1, $2 / 256 }'
        echo "off $(lab_offplan "$domid" "$nodes")"
        echo "distance $(lab_distance "$domid" "$nodes")"
    } >"/tmp/$1"
    tell "destroying it"
    lab_destroy guest || exit 1
}

# row HEADING KEY
row() {
    printf '%-38s %10s %10s\n' "$1" \
        "$(sed -n "s/^$2 //p" "/tmp/stock xl")" \
        "$(sed -n "s/^$2 //p" /tmp/xl-numa)"
}

tell "loading the host: guests of 800, 1000 and 1100 MiB by stock xl"
lab_load_2x2 || exit 1
free=$(lab_free)
measure "stock xl" "$LAB_STOCK_XL"
measure xl-numa xl

cat <<END

A host of four nodes in two sockets: 0 and 1 are near (distance 11), 2 and 3
are near, 0 and 2 are far (21). Free on them: $free MiB.
The same PVH guest of $GUEST_MIB MiB and 2 vCPUs, built twice:

END
printf '%-38s %10s %10s\n' "" "stock xl" "xl-numa"
row "nodes chosen" nodes
for node in 0 1 2 3; do
    row "memory on node $node (MiB)" "node$node"
done
row "memory off the chosen nodes (%)" off
row "mean access distance (10 = local)" distance
