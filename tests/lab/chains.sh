# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# `rebalance --others`: a guest moves so that another one finds room, by the hypervisor's
# dump. Without it neither does.
# host: lab-2x2.json
# host-memory: 5120
# timeout: 300
# memory: 3500
# named: yes

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# The tiny PVH guest cannot suspend itself: the shim has Xen do it, in the sender.
rebalance() {
    LD_PRELOAD=$LAB_SHIM LAB_SUSPEND=1 \
        /usr/local/libexec/xl-numa/xl-numa-placement rebalance "$@" 2>/tmp/said
    sed 's/^/# /' /tmp/said >&2
}

# is_on NAME NODE: all of it.
is_on() {
    id=$(lab_domid "$1")
    is "$1: its node affinity is node $2" "$(lab_affinity "$id")" "$2"
    is "$1: and so is all of its memory" "$(lab_offplan "$id" "$2")" 0.000
}

# A copy of g takes 106 MiB, by libxl's rule 2 MiB, 1 MiB a vCPU and 4 KiB a MiB more
# than it has, in steps of 2 MiB; one of near 64. Stock xl finds room for g on nodes 0
# and 3 alone, at (10 + 21) / 2; then node 1 has room for near, and node 2 for g if near
# is not there. So g gains 5.50, and 5.50 x 106 / (106 + 64) is 3.43 of what is moved.
lab_leave 0 60
lab_leave 1 2
lab_leave 2 2
lab_leave 3 60
export LAB_XL="$LAB_STOCK_XL"
ok "stock xl builds a guest" lab_create g pvh 100 2
LAB_XL=
g=$(lab_domid g)
is "it is on two sockets" "$(lab_affinity "$g")" 0,3
lab_destroy fill2
ok "another one is built" lab_create near pvh 60 1
near=$(lab_domid near)
is_on near 2
lab_leave 2 90
lab_destroy fill1
lab_leave 1 80
echo "# free: $(lab_free)"

is "alone neither can move" "$(rebalance --dry-run | head -n 1 |
    sed 's/distance [0-9.]*/distance N/')" \
    "nothing to move: mean distance N, and no guest that can be moved gains 3 or more"
is "with others it is one chain" "$(rebalance --dry-run --others |
    awk '$1 == 1 { print $1, $2, $4, $5, $6, $8, $9 }')" "1 near 64 2 1 10.00 live
1 g 106 0,3 2 10.00 live"
is "not for a gain of 3.5" "$(rebalance --dry-run --others --gain 3.5 |
    grep -c '^nothing to move')" 1
is "dry, nothing is moved" "$(lab_domid g) $(lab_domid near)" "$g $near"
said=$(rebalance --others)
printf '%s\n' "$said" | sed 's/^/# /'
is "both are moved, in this order" "$(printf '%s\n' "$said" |
    sed 's/ 15\.[0-9]* -> / 15 -> /; s/, [0-9.]* s down//')" \
    "near: node 2 -> 1, distance 10.00 -> 10.00
g: nodes 0,3 -> 2, distance 15 -> 10.00"
is_on near 1
is_on g 2
is "g: its distance is 10" "$(lab_distance "$(lab_domid g)" 2)" 10.00
is "the next run moves nothing" "$(rebalance --others | head -n 1)" \
    "nothing to move: mean distance 10.00, and no guest that can be moved gains 3 or more"
