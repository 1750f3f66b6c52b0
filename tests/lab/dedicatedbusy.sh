# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What dedicated CPUs are worth: with every shared CPU and Domain-0 busy, each vCPU of
# two such guests has at least 98 % of its CPU, by Xen's own time; a third guest is
# refused; what one had, the next has. Beside it pins alone, as one sets them by hand.
#
# Domain-0 is pinned to CPUs 0 and 1, and no other guest is busy there: under QEMU's
# emulation programs of a Domain-0 that has to wait for its CPUs die now and then.
# host: lab-2x2.json
# timeout: 600
# memory: 1500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

conf=/etc/xen/xl-numa.conf

# One thread emulates all CPUs: guests are built paused, and all is busy only while it
# is measured.

# share: of each vCPU of all guests "PERCENT NAME VCPU", for 4 s.
share() {
    "$LAB_STOCK_XL" list | awk 'NR > 2 { print $2, $1 }' >/tmp/lab.names
    loops=
    for _ in 1 2; do
        while :; do :; done &
        loops="$loops $!"
    done
    # shellcheck disable=SC2046 # words are meant
    "$LAB_VCPUS" 4 $(cut -d ' ' -f 1 /tmp/lab.names) | awk '
        NR == FNR { name[$1] = $2; next }
        $3 == "all" { printf "%.1f %s %d\n", 100 * $4 / $5, name[$1], $2 }' \
        /tmp/lab.names -
    # shellcheck disable=SC2086 # words are meant
    kill $loops
}

least() { sort -n /tmp/lab.shares | head -n 1; }
most() { sort -rn /tmp/lab.shares | head -n 1; }

# dedicated NAME MIB: a guest of two busy vCPUs with a CPU each.
dedicated() {
    LAB_XL=lab_ours_paused lab_create "$1" pv "$2" 2 'cmdline="spin"' 'numa_cpus="dedicated"'
}

# load CPUS NAME...: guests of two busy vCPUs that may run on these CPUs.
load() {
    cpus=$1
    shift
    for name; do
        LAB_XL=lab_stock_paused lab_create "$name" pv 16 2 'cmdline="spin"' "cpus=\"$cpus\""
    done
}

"$LAB_STOCK_XL" vcpu-pin 0 0 0
"$LAB_STOCK_XL" vcpu-pin 0 1 1

# --- pins alone -----------------------------------------------------------------

for name in p1 p2; do
    case $name in p1) pins='["4","5"]' ;; p2) pins='["6","7"]' ;; esac
    LAB_XL=lab_stock_paused lab_create $name pv 16 2 'cmdline="spin"' "cpus=$pins"
done
load 2-7 o1 o2 o3
share >/tmp/lab.all
sed 's/^/# pinned: /' /tmp/lab.all
grep ' p' /tmp/lab.all >/tmp/lab.shares
between "pinned by hand: the vCPU that has least" "$(least)" 20 90
for name in p1 p2 o1 o2 o3; do
    lab_destroy $name
done

# --- dedicated --------------------------------------------------------------------

echo 'numa_dedicated_cpus = "4-7"' >$conf
ok "reserved" xl numa-placement reserve
load 2-3 o1 o2
for name in d1 d2; do
    ok "$name is built" dedicated $name 200
done
share >/tmp/lab.all
sed 's/^/# dedicated: /' /tmp/lab.all
grep ' d' /tmp/lab.all >/tmp/lab.shares
is "four vCPUs were measured" "$(wc -l </tmp/lab.shares)" 4
between "dedicated: the vCPU that has least, in percent" "$(least)" 98 101
grep ' o' /tmp/lab.all >/tmp/lab.shares
between "the shared CPUs are busy: of the others' vCPUs the one that has most" \
    "$(most)" 40 60
lab_create d3 pv 50 1 'numa_cpus="dedicated"' >/tmp/lab.said 2>&1
is "a third is refused: xl's status" "$?" 3
lab_destroy d1
ok "d1 is gone: a third is built" dedicated d3 50
share >/tmp/lab.all
sed 's/^/# then: /' /tmp/lab.all
grep ' d' /tmp/lab.all >/tmp/lab.shares
between "the vCPU that has least then, in percent" "$(least)" 98 101
