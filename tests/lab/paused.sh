# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A guest that is created paused is placed when it is built, and then runs where
# it was placed.
# host-memory: 5120
# memory: 2500
# host: lab-2x2.json
# timeout: 300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

state_of() {
    "$LAB_STOCK_XL" list "$1" | awk 'NR == 2 { print $5 }'
}

# The tiny kernel blocks at once.
has_run() {
    [ "$(state_of "$1")" = -b---- ]
}

lab_load_small_2x2
for type in pv pvh; do
    LAB_XL=true lab_create g $type 1000 2 # writes its file
    ok "$type: a guest of 1000 MiB is built" xl create -q -p /tmp/g.cfg
    domid=$(lab_domid g)
    is "$type: it is paused" "$(state_of g)" --p---
    is "$type: xl list -n says nodes 2-3" "$(lab_affinity "$domid")" 2-3
    is "$type: the soft affinity of every vCPU is theirs" \
        "$(lab_vcpus "$domid")" "4-7 / 4-7
4-7 / 4-7"
    is "$type: nothing of it is elsewhere" "$(lab_offplan "$domid" 2-3)" 0.000
    is "$type: it is reported as placed" \
        "$(lab_report "$domid" status)" placed
    ok "$type: it is unpaused" xl unpause g
    ok "$type: it runs" lab_wait 30 has_run g
    is "$type: on those nodes' CPUs" "$("$LAB_STOCK_XL" vcpu-list g |
        awk 'NR == 2 { print ($4 >= 4 && $4 <= 7) }')" 1
    lab_destroy g
done
