# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Eight guests with a dedicated CPU each are built at once, without xl's lock: where
# eight CPUs are reserved all are built, where six are six, and no two have the same
# one, by Xen's own hard affinities.
# host: lab-8n.json
# timeout: 400
# host-memory: 4096
# memory: 2500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

conf=/etc/xen/xl-numa.conf
names="m1 m2 m3 m4 m5 m6 m7 m8"

# at_once [OPTION]: they are built; statuses and log in files.
at_once() {
    # shellcheck disable=SC2086 # words are meant
    LD_PRELOAD=/usr/local/lib/xl-numa/libxlnuma-preload.so:$LAB_SHIM \
        "$LAB_PARALLEL" "$@" pvh 32 "$LAB_KERNEL" $names >/tmp/lab.statuses 2>/tmp/lab.said
}

# at_once_held: the same; none has memory before all have their CPUs.
at_once_held() {
    rm -f /tmp/lab.held
    (export LAB_HOLD=/tmp/lab.held && at_once) &
    ok "$text: all are planned" lab_wait 120 lab_are_held 8
    # shellcheck disable=SC2046 # words are meant
    kill -CONT $(cat /tmp/lab.held)
    wait $!
}

# reserve CPUS: for all guests of these names.
reserve() {
    printf '%s\n' "numa_dedicated_cpus = \"$1\"" \
        'numa_guests = [ [ "name=m*", "numa_cpus=dedicated" ] ]' >$conf
    ok "CPUs $1 are reserved" xl numa-placement reserve
}

# Lines "NAME DOMID CPUS" of the guests that were built.
pins() {
    "$LAB_STOCK_XL" vcpu-list | awk '
        NR == FNR { if ($2 == 0) built[$1] = 1; next }
        $1 in built { print $1, $2, $(NF - 2) }' /tmp/lab.statuses -
}

are_gone() { [ "$("$LAB_STOCK_XL" list | wc -l)" = 2 ]; }

# built NR CPUS: so many of them are, on these CPUs; then they are destroyed. (One xl for
# all, as each start takes some tenths of a second.)
built() {
    is "$text: $1 are built" "$(awk '$2 == 0' /tmp/lab.statuses | wc -l)" "$1"
    pins >/tmp/lab.pins
    is "$text: no two have the same CPU" "$(awk '{ print $3 }' /tmp/lab.pins | sort -n |
        tr '\n' ' ')" "$2 "
    # shellcheck disable=SC2046 # words are meant
    "$LAB_PARALLEL" -d $(awk '{ print $2 }' /tmp/lab.pins) 2>/dev/null
    lab_wait 60 are_gone
}

reserve 8-15
text="eight at once"
at_once
built 8 "8 9 10 11 12 13 14 15"
text="eight at once, in threads"
at_once -t
built 8 "8 9 10 11 12 13 14 15"
text="eight at once, held"
at_once_held
built 8 "8 9 10 11 12 13 14 15"
ok "released" xl numa-placement release

reserve 8-13
for option in "" -t; do
    text="eight where six have room${option:+, in threads}"
    at_once ${option:+"$option"}
    is "$text: two are told why" \
        "$(grep -c 'numa_cpus is "dedicated": 1 CPU is needed, 1 more than are free' \
            /tmp/lab.said)" 2
    built 6 "8 9 10 11 12 13"
done
ok "released" xl numa-placement release
