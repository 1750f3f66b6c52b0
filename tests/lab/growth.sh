# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A Linux guest grows (xl mem-set) on a node that does not have enough memory for
# that: it takes what there is, and the rest from the sibling. With stock xl the
# rest comes from the lowest node that has memory, on the other socket. Its node
# affinity is then what it was, however the process ends that follows the guest.
# `list` and `verify` say that it has grown, and claim no distance.
# host: lab-2x2.json
# linux: yes
# host-memory: 6144
# dom0_mem: 1024
# timeout: 400
# memory: 2000

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

FROM=200
TO=400

has_grown() {
    "$LAB_STOCK_XL" list "$1" | awk -v least=$(($2 - 10)) '
        NR == 2 { exit $3 < least }'
}

# status NAME: percent off the plan, expected distance and status, of list.
status() {
    xl numa-placement | awk -v name="$1" '
        $1 == name { print $(NF - 3), $(NF - 2), $NF }'
}

# build NAME: on node 3, which has 100 MiB more then.
build() {
    ok "$1: a guest is built on node 3" lab_create_linux "$1" $FROM 1 \
        maxmem=600 'numa_nodes="3"'
    domid=$(lab_domid "$1")
    ok "$1: it runs" lab_wait_linux "$1"
    is "$1: list: as built" "$(status "$1")" "0.0 10.00 placed"
    lab_leave 3 100
}

# on_each NAME: what is on each node, in MiB, into `mib0` to `mib3`.
on_each() {
    rm -f "/tmp/lab.pages.$domid"
    eval "$(lab_pages "$domid" | awk '{ print "mib" $1 "=" int($2 / 256) }')"
    # shellcheck disable=SC2154 # eval sets them
    echo "# $1: MiB on nodes 0 to 3: $mib0 $mib1 $mib2 $mib3"
}

is_watched() {
    pidof grow
}

is_left_alone() {
    ! is_watched
}

# is_put_back TEXT: the affinity, once nobody follows the guest any more.
is_put_back() {
    ok "$1: nobody follows it any more" lab_wait 60 is_left_alone
    is "$1: its node affinity is what it was" "$(lab_affinity "$domid")" 3
}

build stock
ok "stock: it is to grow" "$LAB_STOCK_XL" mem-set stock $TO
ok "stock: it has grown" lab_wait 60 has_grown stock $TO
on_each stock
between "stock: what node 3 does not have is on the other socket" \
    "$((mib0 + mib1))" 80 120
is "stock: list: no distance" "$(status stock)" "- - grown"
xl numa-placement verify stock >/tmp/out 2>/tmp/err
is "verify does not fail for it" "$?" 0
is "verify: it is resized" "$(awk '{ print $NF }' /tmp/out | sort -u)" \
    "Verdict
resized"
ok "verify says so" grep -q 'grown or shrunk .*: 1 of 1' /tmp/err
is "list --json: neither distance nor memory off the plan" "$(
    xl numa-placement list --json | tr -d ' \n' |
        sed 's/"name":/\n&/g' | grep '^"name":"stock"' |
        grep -oE '"(off_plan_kb|expected_distance|status)":[^,]*' | tr '\n' ' '
)" '"off_plan_kb":null "expected_distance":null "status":"grown" '
lab_destroy stock
lab_destroy fill3

build ours
xl mem-set ours $TO >/tmp/out 2>&1
is "ours: it is to grow" "$?" 0
ok "ours: mem-set has returned, and somebody follows it" is_watched
ok "ours: it says where the memory will come from" grep -Eq \
    '^xl-numa: info: domain [0-9]+ \(ours\): node 3 has [0-9]+ of the [0-9]+ MiB that it is to grow by: the rest comes from node 2$' \
    /tmp/out
ok "ours: it has grown" lab_wait 60 has_grown ours $TO
on_each ours
is "ours: nothing of it is on the other socket" "$((mib0 + mib1))" 0
between "ours: node 3 gave what it had" "$mib3" $((FROM + 80)) $((FROM + 110))
is_put_back ours

# Two at once, and then a process that is killed: as long as nobody sees to it the
# affinity stays, and the next one puts it back.
xl mem-set ours 440 >/dev/null 2>&1 &
xl mem-set ours 450 >/dev/null 2>&1
wait $!
ok "two at once: it has grown" lab_wait 60 has_grown ours 440
is_put_back "two at once"
xl mem-set ours 480 >/dev/null 2>&1
# shellcheck disable=SC2046 # a number
kill -9 $(pidof grow)
ok "killed: it has grown" lab_wait 60 has_grown ours 480
is "killed: its node affinity is still wide" "$(lab_affinity "$domid")" 2-3
xl mem-set ours 490 >/dev/null 2>&1
# shellcheck disable=SC2046 # a number
kill -TERM $(pidof grow)
is_put_back "killed, and told to end"

ok "ours: it shrinks" xl mem-set ours 150
has_shrunk() {
    [ "$(status ours)" = "- - shrunk" ]
}
ok "ours: list: it has shrunk" lab_wait 60 has_shrunk
on_each "all that"
is "ours: nothing of it is on the other socket" "$((mib0 + mib1))" 0
