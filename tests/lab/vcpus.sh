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

SECONDS_EACH=2

# build NAMES TYPE CMDLINE: paused. One thread emulates all CPUs: vCPUs are busy only
# while it is measured, and up to a reboot.
build() {
    for name in $1; do
        lab_create "$name" "$2" 64 2 "cmdline=\"$3\"" || return 1
    done
}

destroy() {
    for name in $1; do
        lab_destroy "$name"
    done
}

# measure DOMID...: looks for a while where these run; of its time the busy vCPU that
# is most on a wrong socket is there for $off percent.
measure() {
    lab_off_socket $SECONDS_EACH "$@" >/tmp/vcpus
    sed 's/^/# domain, vCPU, busy %, of that off the socket %: /' /tmp/vcpus
    off=$(awk '$3 >= 30 && $4 > off { off = $4 } END { print off + 0 }' /tmp/vcpus)
}

domids() {
    for name in $1; do
        lab_domid "$name"
    done
}

# Is there another guest g than domain $1, and built? Until then xl keeps it paused.
is_rebuilt() {
    id=$(lab_domid g) && [ "$id" != "$1" ] &&
        "$LAB_STOCK_XL" list "$id" | awk 'NR == 2 { exit $(NF - 1) ~ /p/ }'
}

# An NMI, for which the tiny PVH guest has no handler, is its triple fault: for Xen
# a reboot. All vCPUs are busy before and after.
reboot() {
    first=$(lab_domid g)
    "$LAB_STOCK_XL" unpause "$first" && "$LAB_STOCK_XL" trigger "$first" nmi 0 &&
        lab_wait 60 is_rebuilt "$first" && "$LAB_STOCK_XL" pause g
}

# run TEXT: guests $names, two busy vCPUs each, by $LAB_XL; leaves $off.
run() {
    ok "$1: built" build "$names" $type "$cmdline"
    [ -z "$reboots" ] || ok "$1: rebooted" reboot
    # shellcheck disable=SC2046 # a list of numbers
    measure $(domids "$names")
    is "$1: all vCPUs are busy" "$(awk '$3 >= 30' /tmp/vcpus | wc -l)" \
        $(($(echo "$names" | wc -w) * 2))
    destroy "$names"
}

# check TEXT NAMES CMDLINE: which vCPU is on the wrong socket with stock xl is chance,
# and now and then none is: then it is tried again.
check() {
    names=$2 cmdline=$3
    for try in 1 2 3 4 5 6; do
        LAB_XL=lab_stock_paused run "$1, stock xl, $try"
        [ "${off%.*}" -lt 45 ] || break
    done
    between "$1, stock xl: of the time of one, off the socket" "$off" 45 100
    LAB_XL=lab_ours_paused run "$1"
    between "$1: of the time of one, off the socket" "$off" 0 1
}

type=pv reboots=
check "two busy vCPUs" g spin
check "three guests of two" "g h i" spin
check "two that sleep and wake" g nap

type=pvh reboots=yes
check "two busy vCPUs, after a reboot" g spin
