# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What xl-numa costs: xl create with stock xl and with ours by turns, in one boot
# of a lab whose clock counts instructions. Prints the medians of the times,
# their ratio, and the hypercalls of one build. scripts/bench create runs it.
# Arguments: how often each is measured.

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

times=${1:-7}

now_ns() {
    awk '/^now at/ { print $3; exit }' /proc/timer_list
}

# timed CONFIG XL...: microseconds that the build takes.
timed() {
    config=$1
    shift
    start=$(now_ns)
    "$@" create -q "$config" || exit 1
    end=$(now_ns)
    echo $(((end - start) / 1000))
}

median() {
    sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

calls() {
    rm -f /tmp/calls
    LAB_CALLS=/tmp/calls "$1" create -qe "$2" || exit 1
    cat /tmp/calls
}

# bench HEADING STATE TYPE MIB [LINE...]
bench() {
    heading=$1 state=$2
    printf '%s\n' 'name="g"' "type=\"$3\"" "memory=$4" 'vcpus=2' \
        "kernel=\"$LAB_KERNEL\"" >/tmp/g.cfg
    shift 4
    [ $# = 0 ] || printf '%s\n' "$@" >>/tmp/g.cfg
    : >/tmp/stock
    : >/tmp/ours
    i=0
    while [ $i -lt "$times" ]; do
        for who in stock ours; do
            [ "$state" = dirty ] || lab_wait_scrubbed
            if [ $who = stock ]; then xl=$LAB_STOCK_XL; else xl=xl; fi
            timed /tmp/g.cfg "$xl" >>/tmp/$who
            lab_destroy g
        done
        i=$((i + 1))
    done
    stock_calls=$(calls lab_stock /tmp/g.cfg)
    lab_destroy g
    our_calls=$(calls lab_ours /tmp/g.cfg)
    lab_destroy g
    echo "$heading $(median /tmp/stock) $(median /tmp/ours)" \
        "$stock_calls $our_calls" | awk '{
        printf "%-28s %9.1f %9.1f %6.3f %7d %7d\n", $1, $2 / 1000, $3 / 1000,
            $3 / $2, $4, $5 }'
}

printf '%-28s %9s %9s %6s %7s %7s\n' "" stock xl-numa ratio stock xl-numa
printf '%-28s %9s %9s %6s %15s\n' "xl create of a guest" ms ms "" hypercalls
lab_load_2x2
bench 64-MiB-PVH clean pvh 64
bench 64-MiB-PV clean pv 64
bench 2000-MiB-PVH clean pvh 2000
bench 2000-MiB-PV clean pv 2000
bench 4300-MiB-PVH clean pvh 4300
bench 2000-MiB-PVH-dirty dirty pvh 2000
