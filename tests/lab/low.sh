# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Memory below Xen's DMA width, on this host 31 bits, most of node 0's: a guest
# that can do without on its nodes takes none; one that cannot takes it before
# any page goes to another node. Xen's own count per zone is the witness.
# host: lab-2x2.json
# timeout: 400
# memory: 6000

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# Xen says it once, as it boots.
width=$("$LAB_STOCK_XL" dmesg | sed -n 's/.*DMA width \([0-9]*\) bits.*/\1/p')

read_zones() {
    "$LAB_STOCK_XL" dmesg -c >>/tmp/zones
    grep -q 'node=3.*zone=22' /tmp/zones
}

# free_mib low|high: MiB free on node 0, zone N being addresses of N + 12 bits.
free_mib() {
    "$LAB_STOCK_XL" dmesg -c >/dev/null
    : >/tmp/zones
    "$LAB_STOCK_XL" debug-keys H
    lab_wait 10 read_zones || return 1
    tr -c '0-9\n' ' ' </tmp/zones | awk -v want="$1" -v width="$width" '
        NF == 3 && $1 == 0 {
            pages[$2 + 12 > width ? "high" : "low"] += $3
        }
        END { print int(pages[want] / 256) }'
}

# guest TEXT TYPE MIB VCPUS [LINE...]: built; leaves in $taken the low memory
# that it took, in $left what there is beside on node 0.
guest() {
    text=$1
    shift
    taken=$(free_mib low)
    ok "$text: built" lab_create g "$@"
    taken=$((taken - $(free_mib low)))
    left=$(free_mib high)
    domid=$(lab_domid g)
}

is "Xen's DMA width is 31 bits" "$width" 31
# What is not needed is taken for good: what is destroyed has to be scrubbed. Xen takes
# node 0's low memory last.
lab_take fill0 0 $(($(free_mib high) - 330))
lab_leave 1 1000
lab_leave 2 1000
lab_leave 3 1000
low=$(free_mib low) high=$(free_mib high)
between "$low MiB of node 0 are low" "$low" 1900 2048
between "$high MiB are not" "$high" 315 335
between "the snapshot tells the low ones" \
    "$(xl numa-placement snapshot | tr -dc '0-9a-z_\n' |
        sed -n 's/low_free_kb//p' | awk '{ print int($1 / 1024) }')" \
    "$((low - 1))" "$((low + 1))"

for type in pv pvh; do
    guest "$type: a guest that needs none" $type 300 2 'numa_nodes="0"'
    is "$type: it is on node 0" "$(lab_offplan "$domid" 0)" 0.000
    between "$type: without low memory" "$taken" -2 2
    lab_destroy g

    guest "$type: a guest that needs some" $type 450 2 'numa_nodes="0"'
    is "$type: it is on node 0, too" "$(lab_offplan "$domid" 0)" 0.000
    between "$type: with as much low memory as it needs" "$taken" \
        "$((450 - high))" "$((460 - high))"
    between "$type: and all that is not" "$left" 0 4
    lab_destroy g

    guest "$type: two nodes" $type 700 4 'numa_nodes="0-1"'
    is "$type: it is on nodes 0-1" "$(lab_offplan "$domid" 0-1)" 0.000
    between "$type: node 0 gives what is not low" \
        "$(lab_pages "$domid" | awk '$1 == 0 { print int($2 / 256) }')" \
        "$((high - 16))" "$high"
    between "$type: and no low memory" "$taken" -2 2
    lab_destroy g
done

# Only node 0 has so much in all: its low memory comes before another node's.
# With 14 MiB of overhead at most, by libxl's rule.
guest "a guest that only node 0 can hold" pvh 1300 2
is "it is there alone" "$(lab_offplan "$domid" 0)" 0.000
between "as much of it low as has to be" "$taken" "$((1300 - high))" \
    "$((1314 - high))"
lab_destroy g
lab_wait_scrubbed
LAB_XL=$LAB_STOCK_XL lab_create g pvh 1300 2
domid=$(lab_domid g)
is "stock xl prefers node 0 for it, too" "$(lab_affinity "$domid")" 0
between "but puts most of it elsewhere" "$(lab_offplan "$domid" 0)" 50 90
lab_destroy g

printf '%s\n' 'name="g"' 'type="pvh"' 'memory=450' 'vcpus=2' \
    'numa_nodes="0"' >/tmp/g.cfg
ok "plan says how much is low" \
    sh -c 'xl numa-placement plan /tmp/g.cfg | grep -q "MiB of it is low"'
between "in its table too" \
    "$(xl numa-placement plan /tmp/g.cfg | awk '
        $NF == "MiB" && /Low/ { inside = 1; next }
        inside { print $NF; exit }')" \
    "$((450 - high))" "$((462 - high))"
