# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Guests are built at the same moment, four and eight: each sees
# what the others are to take, so all are where they were planned; without that
# they are not. One on two nodes leaves others what it is not to take; a strict one
# waits for memory that is reserved; asynchronous ones that fail leave their reservation to the
# next. A builder that is killed, at whatever stage, leaves nothing that a later
# build trips over; nor does a full or read-only /run.
#
# No node holds more than three of the eight guests, node 1 one, so that each of
# them can be on one node. `scripts/xen-lab run tests/lab/parallel.sh --host
# tests/hosts/lab-2x2.json --host-memory 5120 20` makes 20 rounds.
# host: lab-2x2.json
# timeout: 900
# host-memory: 5120
# memory: 2500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

rounds=${1:-3}
hook=/usr/local/lib/xl-numa/libxlnuma-preload.so

# at_once [OPTION] TYPE: guests $names of $mib are built; statuses, log and plans in files.
at_once() {
    type=$1 option=
    [ $# -eq 1 ] || { option=$1 type=$2; }
    # shellcheck disable=SC2086 # words are meant
    LD_PRELOAD=$hook:$LAB_SHIM "$LAB_PARALLEL" $option "$type" "$mib" \
        "$LAB_KERNEL" $names >/tmp/lab.statuses 2>/tmp/lab.said
    planned >/tmp/lab.planned
}

# at_once_held [OPTION] TYPE: the same; none has memory before all are planned.
at_once_held() {
    rm -f /tmp/lab.held
    (export LAB_HOLD=/tmp/lab.held && at_once "$@") &
    ok "$text: all are planned" lab_wait 120 lab_are_held "$(echo "$names" | wc -w)"
    # shellcheck disable=SC2046 # words are meant
    kill -CONT $(cat /tmp/lab.held)
    wait $!
}

domids() {
    "$LAB_STOCK_XL" list | awk '$1 ~ /^m[1-8]$/ { print $2 }'
}

# "planned DOMID NODE": where each was planned, by its report.
planned() {
    lab_planned | sed 's/^/planned /'
}

# Pages of all of them that the hypervisor counts outside their planned nodes, and
# how many there are in all.
count_pages() {
    lab_dump
    awk '
        $1 == "planned" { on[$2, $3] = 1; is_ours[$2] = 1 }
        $2 == "Domain" { domid = $3 + 0 }
        $2 == "Node" && is_ours[domid] {
            all += $4
            if (!((domid, $3 + 0) in on)) off += $4
        }
        END { print off + 0, all + 0 }' /tmp/lab.planned /tmp/lab.dump
}

destroy_all() {
    # shellcheck disable=SC2046 # words are meant
    "$LAB_PARALLEL" -d $(domids) 2>/dev/null
    lab_wait 60 lab_has_free "$free"
}

# Half of what lab_load_small_2x2 leaves, and guests of half the size.
is_loaded() {
    lab_leave 0 320 && lab_leave 1 120 && lab_leave 2 270 && lab_leave 3 280
}
ok "the host is loaded" is_loaded
free=$(lab_free)

# Three nodes have room for one of these, node 1 has not; as their vCPUs are seen,
# three are on different nodes anyhow. The fourth is to go to two nodes.
mib=188 names="m1 m2 m3 m4"
text="without reservations"
at_once_held -a pvh
pages=$(count_pages)
between "$text: they are not where they were planned" \
    "${pages% *}" 4096 "${pages#* }"
destroy_all
text="with reservations"
at_once_held pvh
pages=$(count_pages)
is "$text: they are" "${pages% *}" 0
is "$text: one of them is on two nodes" \
    "$(awk '{ print $2 }' /tmp/lab.planned | sort | uniq -d | wc -l)" 1
destroy_all
mib=85 names="m1 m2 m3 m4 m5 m6 m7 m8"

begun=$(date +%s)
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    case $((round % 3)) in
    1) text="round $round, PVH in processes" && at_once pvh ;;
    2) text="round $round, PVH in threads" && at_once -t pvh ;;
    0) text="round $round, PV, held" && at_once_held pv ;;
    esac
    is "$text: all are built, and each says so in a line" \
        "$(awk '$2 == 0 { n++ } END { print n }' /tmp/lab.statuses) $(
            grep -c 'm[1-8]): node' /tmp/lab.said) $(
            wc -l </tmp/lab.said)" "8 8 8"
    is "$text: planned on the nodes 3, 1, 3 and 3 of them at most" \
        "$(awk '{ n[$3]++; all++ } END {
            print all, n[0] < 4 && n[1] < 2 && n[2] < 4 && n[3] < 4
        }' /tmp/lab.planned)" "8 1"
    pages=$(count_pages)
    is "$text: no page is anywhere else" "${pages% *}" 0
    between "$text: all pages are counted" "${pages#* }" \
        $((8 * 85 * 256 - 4096)) $((8 * 86 * 256))
    destroy_all
done
[ "$rounds" -eq 0 ] ||
    echo "# $rounds rounds took $(($(date +%s) - begun)) s"

# --- killed ---------------------------------------------------------------------

# Of 188 MiB a node holds one; where a reservation were left, there would be no room.
LAB_XL=lab_ours
ok "a guest is built when nothing was" lab_create g pvh 188 2
node=$(lab_affinity g)
lab_destroy g

# built TEXT: the next guest is built as if nothing had been.
built() {
    ok "$1: the next guest is built" lab_create g pvh 188 2
    domid=$(lab_placed g)
    is "$1: where it would have been" "${domid#* }" "$node"
    domid=${domid% *}
    is "$1: with all of its memory" "$(lab_offplan "$domid" "$node")" 0.000
    "$LAB_PARALLEL" -d "$domid"
}

for call in xc_numainfo xc_domain_node_setaffinity xc_domain_setmaxmem \
    xc_domain_populate_physmap xs_introduce_domain; do
    LAB_KILL=$call
    lab_create victim pvh 188 2 >/tmp/lab.said 2>&1
    is "killed at $call" "$?" 137
    LAB_KILL=
    "$LAB_PARALLEL" -d "$("$LAB_STOCK_XL" list | awk 'END { print $2 }')" \
        2>/dev/null
    lab_wait 60 lab_has_free "$free"
    built "killed at $call"
done

# --- what others are to take --------------------------------------------------------

# 400 MiB need 406 with 2 vCPUs, 203 on each of nodes 2 and 3. Node 3 has 280.
text="a guest on two nodes"
ok "$text: its build begins" lab_hold g pvh 400 2 'numa_nodes="2-3"'
ok "$text: a strict guest has what it is not to take of one" \
    lab_create small pvh 68 2 'numa_nodes="3"' 'numa_policy="single-node"'
is "$text: there" "$(lab_offplan "$(lab_domid small)" 3)" 0.000
ok "$text: it is built" lab_release
domid=$(lab_domid g)
is "$text: where it was planned" \
    "$(lab_report "$domid" status) $(
        lab_offplan "$domid" 2,3)" "placed 0.000"
lab_destroy_all g small

says_waiting() { grep -q 'waiting for them, 10 s at most' /tmp/lab.waiter; }
text="a strict guest beside a build that stops"
ok "$text: that begins" lab_hold victim pvh 188 2 'numa_nodes="2"'
lab_create g pvh 188 2 'numa_nodes="2"' 'numa_policy="single-node"' \
    >/tmp/lab.waiter 2>&1 &
waiter=$!
ok "$text: it waits, and says so" lab_wait 30 says_waiting
victim=$(cat /tmp/lab.held)
kill -KILL "$victim"
wait "$waiter"
is "$text: that ends, and it is built" "$?" 0
domid=$(lab_domid g)
is "$text: there" "$(lab_affinity "$domid") $(lab_offplan "$domid" 2)" "2 0.000"
lab_destroy_all g victim
lab_wait 60 lab_has_free "$free"

text="asynchronous builds that fail"
rm -f /run/xl-numa/reservations
LD_PRELOAD=$hook:$LAB_SHIM "$LAB_PARALLEL" -f pvh 75 /nowhere f1 f2 f3 f4 f5 f6 \
    >/tmp/lab.statuses 2>/tmp/lab.said
is "$text: each fails, and its configuration is as it was" \
    "$(grep -c '^f[1-6] -[0-9]* True 0$' /tmp/lab.statuses)" 6
between "$text: what one reserves the next one has: one slot, at 1024" \
    "$(wc -c </run/xl-numa/reservations)" 1025 2048
lab_wait 60 lab_has_free "$free"

# --- /run -----------------------------------------------------------------------

built_all_the_same() {
    lab_create g pvh 188 2 >/tmp/lab.said 2>&1
    is "$1: it is built, with one warning and where it is" \
        "$? $(grep -c "warning.*$2: guests that are built" /tmp/lab.said) $(
            wc -l </tmp/lab.said) $(lab_affinity g)" "0 1 2 $node"
    lab_destroy g
}
rm -rf /run/xl-numa
mkdir -m 700 /run/xl-numa
mount -t tmpfs -o size=4k,mode=700 tmpfs /run/xl-numa
head -c 4096 /dev/zero >/run/xl-numa/full
built_all_the_same "a full /run" "writing its reservation: No space left on device"
rm -f /run/xl-numa/*
mount -o remount,ro /run/xl-numa
built_all_the_same "a read-only /run" "reservations: Read-only file system"
umount /run/xl-numa
