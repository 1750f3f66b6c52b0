# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the user set is obeyed and untouched: cpus, cpus_soft, vnuma, pool,
# numa_nodes; and numa_policy="none" gives what stock xl gives.
# host: lab-2x2.json
# host-memory: 5120
# memory: 2500
# timeout: 400

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# guest TEXT LINE...: a PVH guest of 400 MiB.
guest() {
    text=$1
    shift
    ok "$text: built" lab_create g pvh 400 2 "$@"
    domid=$(lab_domid g)
}

# What a build leaves that a user can see.
picture() {
    lab_vcpus "$1"
    lab_affinity "$1"
    lab_pages "$1"
}

# none TEXT LINE...: with our xl and numa_policy="none" as with stock xl. The
# memory is scrubbed between the two, or stock xl would not be like itself.
none() {
    text=$1
    shift
    LAB_XL=$LAB_STOCK_XL lab_create g pvh 400 2 "$@"
    stock=$(picture "$(lab_domid g)")
    lab_destroy g
    lab_wait_scrubbed
    guest "$text" 'numa_policy="none"' "$@"
    is "$text: as stock xl does it" "$(picture "$domid")" "$stock"
    is "$text: reported as off" \
        "$(lab_report "$domid" status)" off
    lab_destroy g
    lab_wait_scrubbed
}

lab_load_small_2x2

none "policy none"
none "policy none with cpus" 'cpus="6-7"'

guest "cpus" 'cpus="6-7"'
is "cpus: the hard affinity is the user's, the soft one within it" \
    "$(lab_vcpus "$domid")" "6-7 / 6-7
6-7 / 6-7"
is "cpus: its memory is at its CPUs" "$(lab_offplan "$domid" 3)" 0.000
lab_destroy g

guest "cpus of two sockets" 'cpus="3-5"'
is "cpus of two sockets: of the user's hard affinity the memory's socket" \
    "$(lab_vcpus "$domid")" "4-5 / 4-5
4-5 / 4-5"
is "cpus of two sockets: its memory is there" "$(lab_offplan "$domid" 2)" 0.000
lab_destroy g

guest "cpus of two sockets, numa_affinity soft" 'cpus="3-5"' \
    'numa_affinity="soft"'
is "cpus of two sockets, numa_affinity soft: the user's hard affinity" \
    "$(lab_vcpus "$domid")" "3-5 / 4-5
3-5 / 4-5"
lab_destroy g

guest "cpus as a list" 'cpus=["5", "4"]'
is "cpus as a list: each vCPU's affinity is the user's" \
    "$(lab_vcpus "$domid")" "5 / all
4 / all"
is "cpus as a list: its memory is at its CPUs" "$(lab_offplan "$domid" 2)" 0.000
lab_destroy g

guest "cpus_soft" 'cpus_soft="4-5"'
is "cpus_soft: the affinities are the user's" "$(lab_vcpus "$domid")" \
    "all / 4-5
all / 4-5"
is "cpus_soft: its memory is at its CPUs" "$(lab_offplan "$domid" 2)" 0.000
lab_destroy g

guest "numa_nodes" 'numa_nodes="0"'
is "numa_nodes: the node is the user's" "$(lab_affinity "$domid")" 0
is "numa_nodes: its memory is there" "$(lab_offplan "$domid" 0)" 0.000
lab_destroy g

"$LAB_STOCK_XL" cpupool-cpu-remove Pool-0 6-7
"$LAB_STOCK_XL" cpupool-create 'name="east"' 'cpus=["6", "7"]' >/dev/null
guest "pool" 'pool="east"'
is "pool: the guest is in the user's pool" \
    "$("$LAB_STOCK_XL" list -c g | awk 'NR == 2 { print $NF }')" east
is "pool: its memory is at the pool's CPUs" "$(lab_offplan "$domid" 3)" 0.000
is "pool: its affinities are the pool's CPUs" "$(lab_vcpus "$domid")" \
    "6-7 / 6-7
6-7 / 6-7"
lab_destroy g
"$LAB_STOCK_XL" cpupool-destroy east
"$LAB_STOCK_XL" cpupool-cpu-add Pool-0 6-7

# libxl takes vnuma for HVM guests alone, and these want a device model. The
# guest stays paused, so one that only says that it runs will do.
cat >/tmp/device-model <<'END'
#!/bin/sh
while [ "$1" != -d ]; do
    shift
done
xenstore-write "/local/domain/0/device-model/$2/state" running
exec sleep 100
END
chmod +x /tmp/device-model
cat >/tmp/v.cfg <<'END'
name="v"
type="hvm"
memory=400
vcpus=2
vga="none"
vnc=0
device_model_version="qemu-xen-traditional"
device_model_override="/tmp/device-model"
vnuma=[["pnode=3","size=200","vcpus=0","vdistances=10,20"],
       ["pnode=2","size=200","vcpus=1","vdistances=20,10"]]
END
ok "vnuma: built" xl create -q -p /tmp/v.cfg
domid=$(lab_domid v)
is "vnuma: each vCPU is on its virtual node's node" "$(lab_vcpus "$domid")" \
    "all / 6-7
all / 4-5"
between "vnuma: half of its memory is on node 2" \
    "$(lab_pages "$domid" | awk '$1 == 2 { print $2 }')" 50900 51400
between "vnuma: half of its memory is on node 3" \
    "$(lab_pages "$domid" | awk '$1 == 3 { print $2 }')" 50900 51400
is "vnuma: it is left alone" \
    "$(lab_report "$domid" reason)" "vnuma is given"
