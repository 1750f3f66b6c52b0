# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Busy vCPUs run on the socket where their guest's memory is; stock xl's do not, as
# credit2 balances by hard affinity alone. By Xen's own time of each vCPU and the CPU
# that it is on.
# host: lab-2x2.json
# timeout: 600
# memory: 1500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

SECONDS_EACH=3

# build NAMES CMDLINE
build() {
    for name in $1; do
        lab_create "$name" pv 64 2 "cmdline=\"$2\"" || return 1
    done
}

destroy() {
    for name in $1; do
        lab_destroy "$name"
    done
}

# measure TEXT NR LEAST MOST DOMID...: NR vCPUs are busy, and of its time the one
# that is most on a wrong socket is there for LEAST to MOST percent.
measure() {
    text=$1 nr=$2 least=$3 most=$4
    shift 4
    lab_off_socket $SECONDS_EACH "$@" >/tmp/vcpus
    sed 's/^/# domain, vCPU, busy %, of that off the socket %: /' /tmp/vcpus
    is "$text: $nr vCPUs are busy" \
        "$(awk '$3 >= 30' /tmp/vcpus | wc -l)" "$nr"
    between "$text: of the time of one, off the socket" \
        "$(awk '$3 >= 30 && $4 > off { off = $4 } END { print off + 0 }' \
            /tmp/vcpus)" "$least" "$most"
}

domids() {
    for name in $1; do
        lab_domid "$name"
    done
}

# run TEXT LEAST MOST: guests $names, two busy vCPUs each, by $LAB_XL.
run() {
    busy=$(($(echo "$names" | wc -w) * 2))
    ok "$1: built" build "$names" "$cmdline"
    sleep 1
    # shellcheck disable=SC2046 # a list of numbers
    measure "$1" $busy "$2" "$3" $(domids "$names")
    destroy "$names"
}

# check TEXT NAMES CMDLINE: which of the vCPUs is on the wrong socket is chance.
check() {
    names=$2 cmdline=$3
    LAB_XL=$LAB_STOCK_XL run "$1, stock xl" 45 100
    run "$1" 0 1
}

check "two busy vCPUs" g spin
check "three guests of two" "g h i" spin
check "two that sleep and wake" g nap
