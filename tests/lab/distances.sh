# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Siblings are found by distance, not by number: nodes 0 and 2 are near each
# other, and 1 and 3.
# host: lab-interleaved.json
# timeout: 300
# host-memory: 5120
# memory: 2300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

is "the host's distances pair 0 with 2, and 1 with 3" \
    "$(lab_nodes | cut -d' ' -f4-)" \
    "10 21 11 21
21 10 21 11
11 21 10 21
21 11 21 10"
largest=$(lab_nodes | awk '$3 > max { max = $3 } END { print max }')
for type in pv pvh; do
    for round in fresh re-created; do
        ok "$type, $round: a guest larger than a node is built" \
            lab_create big $type $((largest + 300)) 2
        domid=$(lab_domid big)
        nodes=$(lab_affinity "$domid")
        is "$type, $round: it is on a near pair ($nodes)" \
            "$(case $nodes in 0,2 | 1,3) echo yes ;; esac)" yes
        is "$type, $round: and nowhere else" \
            "$(lab_offplan "$domid" "$nodes")" 0.000
        is "$type, $round: the mean distance is 10.50" \
            "$(lab_distance "$domid" "$nodes")" 10.50
        lab_destroy big
    done
done
