# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What xl-numa costs: xl create with stock xl and with ours by turns, in one boot
# of a lab whose clock counts instructions. Prints the medians of the times,
# their ratio, and the hypercalls of one build. scripts/bench create runs it.
# Arguments: [-n TIMES] [ROW...]; a row of `rows`, all if none is given.

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

times=7
wrapper=$(readlink /usr/sbin/xl)

# NAME XL MEMORY TYPE MIB. With XL "binary", Xen's own xl is /usr/sbin/xl, as a Xen
# from source has it; with "wrapper" Debian's shell script is, which starts it.
rows() {
    cat <<'ROWS'
64-MiB-PVH binary clean pvh 64
64-MiB-PV binary clean pv 64
2000-MiB-PVH binary clean pvh 2000
2000-MiB-PV binary clean pv 2000
4300-MiB-PVH binary clean pvh 4300
64-MiB-PVH-Debian wrapper clean pvh 64
64-MiB-PV-Debian wrapper clean pv 64
2000-MiB-PVH-Debian wrapper clean pvh 2000
2000-MiB-PV-Debian wrapper clean pv 2000
4300-MiB-PVH-Debian wrapper clean pvh 4300
2000-MiB-PVH-dirty binary dirty pvh 2000
ROWS
}

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

use_xl() {
    case $1 in
    binary) ln -sf /usr/lib/xen-lab/xl /usr/sbin/xl ;;
    wrapper) ln -sf "$wrapper" /usr/sbin/xl ;;
    esac
}

# bench NAME XL MEMORY TYPE MIB
bench() {
    use_xl "$2"
    printf '%s\n' 'name="g"' "type=\"$4\"" "memory=$5" 'vcpus=2' \
        "kernel=\"$LAB_KERNEL\"" >/tmp/g.cfg
    # First of all: Xen gives memory faster that no guest had before.
    [ "$3" = dirty ] || lab_wait_scrubbed
    stock_calls=$(calls lab_stock /tmp/g.cfg)
    lab_destroy g
    [ "$3" = dirty ] || lab_wait_scrubbed
    our_calls=$(calls lab_ours /tmp/g.cfg)
    lab_destroy g
    : >/tmp/stock
    : >/tmp/ours
    i=0
    while [ $i -lt "$times" ]; do
        for who in stock ours; do
            [ "$3" = dirty ] || lab_wait_scrubbed
            if [ $who = stock ]; then xl=$LAB_STOCK_XL; else xl=xl; fi
            timed /tmp/g.cfg "$xl" >>/tmp/$who
            lab_destroy g
        done
        i=$((i + 1))
    done
    echo "$1 $(median /tmp/stock) $(median /tmp/ours)" \
        "$stock_calls $our_calls" | awk '{
        printf "%-28s %9.1f %9.1f %6.3f %7d %7d\n", $1, $2 / 1000, $3 / 1000,
            $3 / $2, $4, $5 }'
}

if [ "${1:-}" = -n ]; then
    times=$2
    shift 2
fi
for name; do
    rows | grep -q "^$name " || {
        printf '%s\n' "no row $name; rows:" "$(rows | cut -d ' ' -f 1)" >&2
        exit 2
    }
done
printf '%-28s %9s %9s %6s %7s %7s\n' "" stock xl-numa ratio stock xl-numa
printf '%-28s %9s %9s %6s %15s\n' "xl create of a guest" ms ms "" hypercalls
lab_load_2x2
# shellcheck disable=SC2086 # five words
rows | while read -r row; do
    case " ${*:-${row%% *}} " in
    *" ${row%% *} "*) bench $row </dev/null ;;
    esac
done
