# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Memory that a guest gets later: populated on demand (memory below maxmem), on
# clean and on dirty memory, and by ballooning. The guest touches its memory, so
# that Xen's dump counts it.
# host: lab-2x2.json
# linux: yes
# host-memory: 6144
# dom0_mem: 1024
# memory: 2400
# timeout: 400

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

has_pages() {
    rm -f "/tmp/lab.pages.$1"
    [ "$(lab_pages "$1" | awk '{ n += $2 } END { print n + 0 }')" -ge "$2" ]
}

# on_demand MIB TOUCHED LINE...: a PVH guest of MIB, of at most 1000 more, that
# touches its memory up to TOUCHED MIB.
on_demand() {
    mib=$1 touched=$2
    shift 2
    lab_create g pvh "$mib" 1 "maxmem=$((mib + 1000))" \
        "extra=\"touch $touched\"" "$@" &&
        lab_wait 60 has_pages "$(lab_domid g)" $(((touched - 2) * 256))
}

# checked WHEN NODES MOST: the guest that was just built is where it is planned,
# but for so many percent, and the report promises no more than it can.
checked() {
    domid=$(lab_placed g)
    is "$1: it is on nodes $2" "${domid#* }" "$2"
    domid=${domid% *}
    between "$1: percent of what it touched that is elsewhere" \
        "$(lab_offplan "$domid" "$2")" 0 "$3"
    is "$1: reported as planned" \
        "$(lab_report "$domid" status)" planned
    lab_report "$domid" reason >/tmp/reason
    ok "$1: not enforced, it says, and what free memory tells" grep -Eq \
        'planned, not enforced; by free memory .*node 2 (gave )?[0-9]+ MiB' \
        /tmp/reason
}

# What is not needed is taken for good: what is destroyed has to be scrubbed. Of node 3 dom0
# has the half.
lab_leave 2 820
for when in clean dirty; do
    ok "$when: a guest of 750 MiB touches 700 of them" \
        on_demand 750 700 'cpus="4-5"'
    checked $when 2 0.5
    lab_destroy g
done
lab_wait_scrubbed
ok "two nodes: a guest of 1300 MiB touches 1250 of them" \
    on_demand 1300 1250 'numa_nodes="2-3"'
checked "two nodes" 2-3 0
between "two nodes: half of it is on node 2" \
    "$(lab_pages "$domid" | awk '{ all += $2 } $1 == 2 { here = $2 }
        END { print 100 * here / all }')" 45 55
lab_destroy g

# Ballooning: the guest asks for pages, and Xen gives them by node affinity.
has_grown() {
    [ "$("$LAB_STOCK_XL" list b | awk 'NR == 2 { print $3 }')" -ge "$1" ]
}

ok "ballooning: a Linux guest of 300 MiB on node 3" \
    lab_create_linux b 300 1 maxmem=800 'numa_nodes="3"'
domid=$(lab_domid b)
ok "ballooning: it runs" lab_wait_linux b
ok "ballooning: it is to have 700 MiB" xl mem-set b 700
ok "ballooning: it takes them" lab_wait 60 has_grown 699
between "ballooning: its dirty memory is on node 3 all the same" \
    "$(lab_offplan "$domid" 3)" 0 0.1
