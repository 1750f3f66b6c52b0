# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Domain-0 has all memory, as Debian boots without dom0_mem=: xl frees what libxl
# says that the guest needs, of which Xen takes some before there is a plan. The
# guests are placed all the same, where stock xl gives up; plan says beforehand what
# can be known; what it says is needed is what xl frees.
# host: lab-2x2.json
# dom0_mem: all
# memory: 1200
# timeout: 500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# What xl wants Domain-0 to have, and what Xen has free, in MiB.
target() {
    echo $(($(xenstore-read /local/domain/0/memory/target) / 1024))
}
free() {
    "$LAB_STOCK_XL" info | awk '$1 == "free_memory" { print $3 }'
}

# guest TYPE MIB VCPUS LINE...: its file
guest() {
    printf '%s\n' 'name="g"' "type=\"$1\"" "memory=$2" "vcpus=$3" \
        "kernel=\"$LAB_KERNEL\"" >/tmp/g.cfg
    shift 3
    printf '%s\n' "$@" >>/tmp/g.cfg
}

# Whatever Xen has free at first a guest of stock xl takes, and it stays.
LAB_XL=$LAB_STOCK_XL lab_create first pvh 64 1 2>/dev/null
guest pvh 300 1
messages=$("$LAB_STOCK_XL" create -q /tmp/g.cfg 2>&1)
is "stock xl gives up" "$(echo "$messages" | grep -c 'NUMA placement failed')" 1
is "stock xl: no node is preferred" "$(lab_affinity "$(lab_domid g)")" 0-3
lab_destroy g

# Each needs more than the one before, so that xl has to free memory for it.
while read -r type mib nr; do
    guest "$type" "$mib" "$nr"
    xl numa-placement plan /tmp/g.cfg >/tmp/plan 2>/tmp/err
    is "$type, $mib MiB, $nr vCPUs: not in what is free now" "$?" 3
    is "plan names Domain-0, dom0_mem= and autoballoon" \
        "$(grep -c '^xl numa-placement: warning: /tmp/g.cfg: Domain-0 has .*dom0_mem=.*autoballoon' /tmp/err)" 1
    needed=$(sed -n 's/^memory needed: *\([0-9]*\) MiB/\1/p' /tmp/plan)
    before=$(target) had=$(free)
    is "it is built, and no warning is said" "$(xl create -q /tmp/g.cfg 2>&1)" ""
    between "what plan says is needed is what xl frees, and had free" \
        "$((before - $(target) + had))" "$((needed - 1))" "$((needed + 1))"
    domid=$(lab_domid g)
    is "it is placed" \
        "$(lab_report "$domid" status)" placed
    is "all of it is where it was planned" \
        "$(xl numa-placement list | awk '$1 == "g" { print $7 }')" 0.0
    ok "as the hypervisor counts it" xl numa-placement verify g
    lab_destroy g
done <<'END'
pvh 320 1
pv 360 2
pvh 400 32
END

guest pvh 500 1 'numa_policy="restricted"' 'numa_nodes="1"'
is "strict, on a node that Domain-0 keeps: refused, and why" \
    "$(xl create -q /tmp/g.cfg 2>&1 | grep -c 'error.*(Domain-0 has .*dom0_mem=.*autoballoon.*not built')" 1
