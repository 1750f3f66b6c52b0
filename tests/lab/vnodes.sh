# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A PVH Linux sees the nodes that it is on (numa_guest_nodes), two, four and eight:
# what its own /sys/devices/system/node says is compared with the plan, with the
# hypervisor's count of pages, with Xen's trace of guest addresses, and with where a
# process bound to a node gets its memory. Stock xl's sees one node.
# memory: 3500
# host: lab-2x2.json
# host-memory: 6144
# dom0_mem: 800
# linux: yes
# timeout: 1800

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

report() {
    lab_report "$1" "$2"
}

# field NAME N WORD: of what guest NAME says of its node N.
field() {
    lab_linux_says "$1" | awk -v node="node$2" -v word="$3" '
        $1 == node { for (i = 2; i < NF; i++) if ($i == word)
            print ($(i + 1) == "distance" ? "" : $(i + 1)) }'
}

# warnings NAME: the functions in its Linux that warned, one a line.
warnings() {
    lab_linux_says "$1" | sed -n 's/^warning //p'
}

# matrix NAME: the distances that it sees, rows by commas.
matrix() {
    lab_linux_says "$1" | sed -n 's/.* distance \(.*\) kb .*/\1/p' |
        tr '\n' ',' | sed 's/,$//'
}

# check_memory TEXT NAME DOMID: the pages of each node of the host are those of its
# guest node, and a few of Xen's own; the guest sees nearly as much.
check_memory() {
    lab_linux_says "$2" | sed -n 's/^node/# the guest sees node/p'
    lab_pages "$3" | awk '$2 { print "# the hypervisor counts", $2, "pages on node", $1 }'
    lab_nr=$(report "$3" guest_nodes)
    lab_n=0
    while [ "$lab_n" -lt "${lab_nr:-0}" ]; do
        lab_node=$(report "$3" "vnode/$lab_n/node")
        lab_kb=$(report "$3" "vnode/$lab_n/planned_kb")
        is "$1: node $lab_n has all of its memory on node $lab_node" \
            "$(report "$3" "vnode/$lab_n/actual_kb")" "$lab_kb"
        between "$1: the hypervisor counts it there" \
            "$(lab_pages_on "$3" "$lab_node")" $((lab_kb / 4 - 64)) \
            $((lab_kb / 4 + 100))
        between "$1: the guest sees it" "$(field "$2" $lab_n kb)" \
            $((lab_kb - 110000)) "$lab_kb"
        is "$1: and its vCPUs" \
            "$(field "$2" $lab_n cpus)" \
            "$(online "$3" $lab_n "$(report "$3" "vnode/$lab_n/vcpus")")"
        lab_n=$((lab_n + 1))
    done
}

# online DOMID N LIST: those of a list of vCPUs that are online, 5 here.
online() {
    lab_list "$3" | awk -v nr="$vcpus" '$1 < nr { print }' | tr '\n' ' ' |
        awk '{ from = $1; for (i = 1; i <= NF; i++) {
                   if ($(i + 1) == $i + 1) continue
                   out = out sep (from == $i ? $i : from "-" $i)
                   sep = ","; from = $(i + 1) }
               print out }'
}

# --- a fixed number -----------------------------------------------------------
# 1100 MiB on two nodes: eight nodes, four on each.
lab_leave 0 420
lab_leave 1 190
lab_leave 2 700
lab_leave 3 700
vcpus=4
ok "a guest of eight nodes is built" lab_create_pvh_linux \
    h 1100 4 'numa_guest_nodes="8"'
id=$(lab_domid h)
is "four of them are on node 2, four on node 3" "$(for n in 0 1 2 3 4 5 6 7; do
    report "$id" vnode/$n/node; done | tr '\n' ' ')" "2 2 2 2 3 3 3 3 "
ok "its Linux lives" lab_wait_linux_says h
is "it sees eight nodes" "$(lab_linux_says h | sed -n 's/^online \([^ ]*\).*/\1/p')" \
    0-7
is "all at distance 11" "$(matrix h)" "$(awk 'BEGIN {
    for (i = 0; i < 64; i++)
        printf "%d%s", i % 9 ? 11 : 10, i % 8 < 7 ? " " : i < 63 ? "," : ""
}')"
is "two vCPUs are on node 2, two on node 3" "$(for n in 0 1 2 3 4 5 6 7; do
    echo "$n:$(report "$id" vnode/$n/vcpus)"; done | tr '\n' ' ')" \
    "0:0 1:1 2: 3: 4:2 5:3 6: 7: "
is "Linux numbers nodes with vCPUs first" "$(for n in 0 1 2 3 4 5 6 7; do
    echo "$n:$(field h $n cpus)"; done | tr '\n' ' ')" "0:0 1:1 2:2 3:3 4: 5: 6: 7: "
is "its tables are intact, and as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
is "all of its memory is on nodes 2-3" "$(lab_offplan "$id" 2-3)" 0.000
between "by address: node 2 has that of nodes 0 to 3" "$(lab_pages_on "$id" 2)" \
    $((4 * 32768 - 64)) $((4 * 32768 + 100))
lab_destroy h

# --- two, uneven --------------------------------------------------------------
# Node 3 has 300 MiB, less than half of 901; 640 is the nearest multiple of 128 to what
# node 2 has then.
lab_leave 3 300 more3
vcpus=3
LAB_WORDS=bound
lab_trace_pages
ok "901 MiB and 3 vCPUs are built on two uneven nodes" lab_create_pvh_linux \
    u 901 3 'numa_guest_nodes="auto"'
id=$(lab_domid u)
is "on nodes 2 and 3: 640 and 261 MiB" "$(for n in 0 1; do
    report "$id" vnode/$n/node; report "$id" vnode/$n/planned_kb; done | tr '\n' ' ')" \
    "2 655360 3 267264 "
lab_check_by_address "uneven nodes" "$id" 2
ok "its Linux lives" lab_wait_linux_says u
is "it sees the host's distances" "$(matrix u)" "10 11,11 10"
check_memory "uneven nodes" u "$id"
# Node 1's addresses are on node 3, as Xen's trace has it.
lab_check_bound "uneven nodes" u "$id"
is "its tables are intact, and as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
lab_destroy u

# --- four nodes ---------------------------------------------------------------
# Any three nodes have less than 814 MiB, which it needs. Blocks of 128 MiB: nodes 1
# and 2 have room for one, node 3 for one and the rest, so node 0 gets three.
lab_leave 2 190 more2
lab_leave 3 190 most3
vcpus=5
ok "801 MiB and 5 of 7 vCPUs are built on four nodes" lab_create_pvh_linux \
    g 801 5 'maxvcpus=7' 'numa_guest_nodes="auto"'
id=$(lab_domid g)
is "the report has four guest nodes" "$(report "$id" guest_nodes)" 4
is "on the host's nodes" \
    "$(for n in 0 1 2 3; do report "$id" vnode/$n/node; done | tr '\n' ' ')" \
    "0 1 2 3 "
is "each vCPU has its node's CPUs" "$(lab_vcpus "$id" | awk '{ print $3 }' |
    tr '\n' ' ')" "0-1 0-1 2-3 4-5 6-7 2-3 4-5 "
ok "its Linux lives" lab_wait_linux_says g
is "it sees the host's distances" "$(matrix g)" \
    "10 11 21 21,11 10 21 21,21 21 10 11,21 21 11 10"
check_memory "four nodes" g "$id"
lab_check_bound "four nodes" g "$id"
is "its tables are intact, and as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
is "for itself, too" "$(lab_linux_tables g)" "FACP SRAT SLIT "
warnings g >/tmp/warnings
lab_destroy g

# --- stock xl -----------------------------------------------------------------
LAB_WORDS=
LAB_XL=$LAB_STOCK_XL
ok "stock xl builds a guest like it" lab_create_pvh_linux s 300 2
ok "its Linux lives" lab_wait_linux_says s
is "it sees one node" "$(matrix s)" 10
is "without tables of nodes" "$(lab_linux_tables s)" "FACP "
is "by that number" "$(lab_linux_says s | sed -n 's/^online \([^ ]*\).*/\1/p')" 0
# On 4.20 each Linux warns in fpu__init_system_xstate(), with nodes or without: the
# CPUID that it has there gives XSAVE's area 576 bytes, and its parts 2696.
is "with nodes it warned of CPUs that share a cache, and of nothing else" \
    "$(awk -v one=" $(warnings s | tr '\n' ' ')" '!index(one, " " $1 " ")' \
        /tmp/warnings)" topology_sane

# --- one that hangs -------------------------------------------------------------
# As far as is known: it has not said "end", and takes no CPU time.
rm /var/log/xen/guest-s.log
xl pause s
lab_began=$(date +%s)
is "a guest that stands still is not waited for" \
    "$(LAB_STILL=3 lab_wait_linux_says s >/tmp/remains || echo hangs)" hangs
between "for long" $(($(date +%s) - lab_began)) 3 60
is "and what holds it is told, of each vCPU" "$(grep -c 'pause_count=' /tmp/remains)" 3
is "and where it waits" "$(grep -c "\[$(lab_domid s)\.[01]\] .* credit=" /tmp/remains)" 2
