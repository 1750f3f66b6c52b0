# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Each policy does what it says, in the guest's file and in xl-numa.conf, where
# the guest's file goes before; a strict one that cannot be met leaves nothing
# behind; a reboot reads xl-numa.conf anew. (numa_nodes and policy none in the
# guest's file: obeyed.sh. Restoring under a strict policy: restore.sh.)
# host: lab-2x2.json
# host-memory: 5120
# timeout: 500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# conf LINE...: makes them xl-numa.conf.
conf() {
    printf '%s\n' "$@" >/etc/xen/xl-numa.conf
}

# mib DOMID NODE: MiB of the domain there, by Xen's dump.
mib() {
    lab_pages "$1" | awk -v node="$2" '$1 == node { print int($2 / 256) }'
}

# guest TEXT NAME MIB LINE...: a PVH guest; leaves `domid` and where it is, `on`.
guest() {
    text=$1 name=$2 size=$3
    shift 3
    ok "$text: built" lab_create "$name" pvh "$size" 2 "$@"
    domid=$(lab_placed "$name")
    on=${domid#* } domid=${domid% *}
}

# What is left of domain number $2 or of a guest of name $1.
traces() {
    "$LAB_STOCK_XL" list "$1" 2>/dev/null
    for path in "/libxl/$2" "/local/domain/$2"; do
        ! xenstore-exists "$path" || echo "$path"
    done
    xenstore-ls -f /vm | grep "^/vm/[^/]*/name = \"$1\""
}

# refused TEXT WORDS TYPE MIB LINE...: xl create fails with these words, and all
# is as it was.
refused() {
    text=$1 words=$2 type=$3 size=$4
    shift 4
    before=$(lab_free)
    lab_create no "$type" "$size" 2 "$@" 2>/tmp/err
    is "$text: xl create ends with status 3" "$?" 3
    is "$text: one line of ours, what it needs and what each node lacks" \
        "$(grep -c "xl-numa: error: domain [0-9]* (no): $words" /tmp/err)" 1
    domid=$(sed -n 's/.*xl-numa: error: domain \([0-9]*\) .*/\1/p' /tmp/err)
    is "$text: nothing is left of domain $domid" "$(traces no "$domid")" ""
    ok "$text: the nodes have what they had, $before MiB" \
        lab_wait 10 lab_has_free "$before"
}

# Small guests are built and scrubbed soonest.
lab_load_small_2x2

# --- in the guest's file ------------------------------------------------------

# 620 MiB are more than node 3 has: it is filled, and node 2 has the rest.
guest "pack" g 620 'numa_memory="pack"' 'numa_nodes="2-3"'
between "pack: node 3 is full" "$(mib "$domid" 3)" 540 580
between "pack: node 2 has the rest" "$(mib "$domid" 2)" 40 80
is "pack: nothing is elsewhere" "$(lab_offplan "$domid" 2-3)" 0.000
lab_destroy g

# Empty, any node could hold 1200 MiB; now none has it.
for type in pv pvh; do
    refused "restricted, $type" "needs 12[0-9]* MiB on one node; node 0 lacks \
[0-9]* MiB, node 3 [0-9]* MiB, node 2 [0-9]* MiB, node 1 [0-9]* MiB: not built, \
as numa_policy=\"restricted\" demands" $type 1200 'numa_policy="restricted"'
done

# --- in xl-numa.conf ----------------------------------------------------------

conf 'numa_policy = "single-node"' \
    'numa_guests = [ [ "name=p?", "numa_policy=best-effort", "numa_nodes=2-3" ],' \
    '                [ "name=p*", "numa_memory=pack", "numa_nodes=0" ],' \
    '                [ "name=r[0-9]", "numa_policy=restricted" ],' \
    '                [ "name=stock", "numa_policy=none" ] ]'

for type in pv pvh; do
    refused "single-node, $type" "needs 70[0-9]* MiB on one node; node 0 lacks" \
        $type 700
done
guest "single-node that fits" s 400
is "single-node that fits: on node $on" "$(lab_list "$on" | wc -l)" 1
is "single-node that fits: all of it" "$(lab_offplan "$domid" "$on")" 0.000
lab_destroy s

guest "pack by pattern" p1 620
between "pack by pattern: node 3 is full" "$(mib "$domid" 3)" 540 580
is "pack by pattern: nothing is outside of its nodes" \
    "$(lab_offplan "$domid" 2-3)" 0.000
lab_destroy p1
guest "the guest's own spread" p1 620 'numa_memory="spread"'
between "the guest's own spread: node 2 has half of it" \
    "$(mib "$domid" 2)" 294 326
between "the guest's own spread: so has node 3" "$(mib "$domid" 3)" 294 326
lab_destroy p1

# Four vCPUs need two nodes. Nodes 2 and 3 have 62 MiB too little for 1150 MiB and
# what libxl adds, 1162; 0 and 1 lack more. So the fewest are two nodes of two
# sockets, at (10+21)/2. Nearer are three: 0 has low memory alone, which is taken
# last, so 0,2-3 with 62 MiB on 0 are at (62*52 + 1100*42)/3/1162 = 14.2, and
# 1-3 with 240 MiB on 1 at (240*52 + 922*42)/3/1162 = 14.7.
guest "restricted by pattern" r1 1150 'vcpus=4'
is "restricted by pattern: on two nodes, $on" "$(lab_list "$on" | wc -l)" 2
is "restricted by pattern: nothing is elsewhere" \
    "$(lab_offplan "$domid" "$on")" 0.000
lab_destroy r1
guest "the guest's own best-effort" r1 1150 'vcpus=4' \
    'numa_policy="best-effort"'
is "the guest's own best-effort: on three nodes" "$on" 0,2-3
is "the guest's own best-effort: nothing is elsewhere" \
    "$(lab_offplan "$domid" 0,2-3)" 0.000
lab_destroy r1

guest "none by pattern" stock 100
is "none by pattern: left to libxl" \
    "$(lab_report "$domid" status)" off
lab_destroy stock

conf 'numa_policy = "single-node"' 'numa_guests = [ [ "numa_nodes=0" ] ]'
lab_create g pvh 100 2 2>/tmp/err
is "a wrong file: the guest is built" "$?" 0
is "a wrong file: one warning, with the line" "$(
    grep -c 'xl-numa: warning: .*/etc/xen/xl-numa.conf:2: an entry' /tmp/err)" 1
ok "a wrong file: the guest is placed" \
    lab_report "$(lab_domid g)" soft_cpus
is "a wrong file: plan fails" "$(
    xl numa-placement plan /tmp/g.cfg >/dev/null 2>&1
    echo $?
)" 1
lab_destroy g

# --- at a reboot --------------------------------------------------------------

is_rebuilt() {
    lab_is_another g "$1" && lab_report "$(lab_domid g)" status
}

conf 'numa_guests = [ [ "name=g", "numa_nodes=2" ] ]'
before=$(lab_free)
guest "before a reboot" g 300 'cmdline="reboot"'
is "before a reboot: on the node of xl-numa.conf" "$on" 2
conf 'numa_guests = [ [ "name=g", "numa_nodes=3" ] ]'
ok "reboot: it is built again" lab_wait 60 is_rebuilt "$domid"
domid=$(lab_domid g)
is "reboot: on the node that xl-numa.conf has now" "$(lab_affinity "$domid")" 3
conf 'numa_policy = "single-node"' 'numa_nodes = "1"'
# xl waits for two seconds between the old domain and the new one.
ok "reboot under a policy that cannot be met: the guest's log says why" \
    lab_wait 60 grep -q \
    'domain [0-9]* (g): needs 30[0-9]* MiB; node 1 has [0-9]* MiB and lacks' \
    /var/log/xen/xl-g.log
new=$(sed -n 's/.*xl-numa: error: domain \([0-9]*\) .*/\1/p' \
    /var/log/xen/xl-g.log)
ok "its memory is free again" lab_wait 20 lab_has_free "$before"
is "nothing is left of domain $new" "$(traces g "$new")" ""
