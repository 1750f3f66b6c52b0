# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The whole of xl, ours and libxl's, under Electric Fence while it builds on eight
# nodes: each allocation ends at a page that nobody may touch, and so is what was
# freed. A write or read beyond what was allocated, by whomever, is xl's end. That
# the fence stands is shown first.
#
# valgrind cannot do it: that of Debian 12 (3.19) does not know the versions of Xen
# 4.17's control calls, and answers them with ENOSYS itself (docs/reliability.md).
# host: lab-8n.json
# timeout: 600
# named: yes

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# Zero bytes are a valid size; what is asked for is a multiple of 8 or rounded up.
fenced() {
    env XL_NUMA_QUIET=1 EF_DISABLE_BANNER=1 EF_ALLOW_MALLOC_0=1 EF_PROTECT_FREE=1 \
        EF_ALIGNMENT=8 LAB_MISUSE="${LAB_MISUSE:-}" \
        LD_PRELOAD="libefence.so.0:$hook:$LAB_SHIM" "$LAB_STOCK_XL" "$@"
}

# is_built TEXT NR_NODES: guest g, which has just been built, is there.
is_built() {
    is "$1: it is built, and nothing is said" "$status $(cat /tmp/lab.said)" "0 "
    domid=$(lab_domid g)
    nodes=$(lab_affinity "$domid")
    is "$1: on $2 nodes" "$(lab_list "$nodes" | wc -l)" "$2"
    is "$1: no page is elsewhere" "$(lab_pages_off "$domid" "$nodes")" 0
}

build() {
    lab_create g "$@" >/tmp/lab.said 2>&1
    status=$?
}

is_rebuilt() {
    lab_is_another g "$1" && lab_report "$(lab_domid g)" version
}

# xl's ends are meant: no core dumps of them.
echo core >/proc/sys/kernel/core_pattern
LAB_XL=fenced hook=/usr/local/lib/xl-numa/libxlnuma-preload.so

for misuse in beyond freed; do
    LAB_MISUSE=$misuse
    build pv 100 1
    is "memory is misused, $misuse: xl's end" "$status" 139
    lab_destroy g
    hook_before=$hook hook=
    build pv 100 1
    is "the same without the hook: the fence is not the hook's" "$status" 139
    lab_destroy g
    hook=$hook_before
done
LAB_MISUSE=

for round in 1 2; do
    for type in pv pvh; do
        build $type 700 1
        is_built "$type, 700 MiB, $round" 1
        lab_destroy g
        build $type 1500 2
        is_built "$type, 1500 MiB, $round" 2
        lab_destroy g
    done
done
build pvh 3200 2 'numa_memory="pack"' 'cpus_soft="0-15"'
is "affinities of the user's: built" "$status" 0
lab_destroy g

build pvh 9000 1 'numa_policy="single-node"'
is "a policy that cannot be met: refused" "$status" 3
build pv 700 1 'vfb=["vnc=1"]'
is "a device that cannot be had: undone" "$status" 3
build pvh 700 1 'numa_policy="wrong"'
is "a wrong key: refused" "$status" 1

build pv 700 1 'cmdline="reboot"'
first=$(lab_domid g)
ok "it reboots" lab_wait 120 is_rebuilt "$first"
first=$(lab_domid g)
ok "and once more" lab_wait 120 is_rebuilt "$first"
lab_destroy g
