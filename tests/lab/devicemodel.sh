# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Where a guest's device model runs: with numa_emulator="near" all of QEMU's threads are
# on Domain-0's vCPU that is pinned to the guest's node, or its socket, also of a guest
# with dedicated CPUs and after a reboot; numa_emulator_vcpus is a set for all; without
# the keys they are on all. Domain-0's own pins stay.
# host: lab-2x2.json
# hvm: yes
# xen: dom0_max_vcpus=4
# timeout: 600
# memory: 2500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

conf=/etc/xen/xl-numa.conf

# Each thread of guest $1's device model: the vCPUs of Domain-0 that it may run on.
all_threads() {
    pid=$(xenstore-read "/local/domain/$(lab_domid "$1")/image/device-model-pid")
    sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$pid"/task/*/status
}

threads() { all_threads "$1" | sort -u | tr '\n' ' '; }

reported() { lab_report "$(lab_domid "$1")" emulator_vcpus; }

# is_on TEXT VCPUS: so is the device model of g, by its threads and by the report.
is_on() {
    is "$1: all of its threads" "$(threads g)" "$2 "
    is "$1: the report" "$(reported g)" "$2"
}

create() { lab_create_hvm g 100 1 "$@"; }

for vcpu in 0 1 2 3; do
    "$LAB_STOCK_XL" vcpu-pin 0 $vcpu $((2 * vcpu))-$((2 * vcpu + 1))
done
before=$(lab_pins 0)
xl numa-placement host >/tmp/lab.said
is "host: where Domain-0's vCPUs may run" \
    "$(sed -n "/^Domain-0's/,\$p" /tmp/lab.said | awk 'NR > 1 { printf "%s:%s:%s ", $1, $2, $3 }')" \
    "0:0-1:0 1:2-3:1 2:4-5:2 3:6-7:3 "

ok "without the key" create 'numa_nodes="2"'
is "its threads may run on all of Domain-0's vCPUs" "$(threads g)" "0-3 "
is "nothing is reported" "$(reported g)" ""
lab_destroy g

ok "near node 2" create 'numa_nodes="2"' 'numa_emulator="near"'
is_on "near node 2" 2
between "it has several" "$(all_threads g | wc -l)" 2 20
lab_destroy g

"$LAB_STOCK_XL" vcpu-pin 0 3 0-3
ok "near node 3, where none is pinned" create 'numa_nodes="3"' 'numa_emulator="near"'
is_on "on its socket" 2
lab_destroy g
"$LAB_STOCK_XL" vcpu-pin 0 3 6-7

echo 'numa_emulator_vcpus = "0-1"' >$conf
ok "of a shared set" create 'numa_nodes="2"'
is_on "of a shared set" 0-1
lab_destroy g
ok "near, of the set" create 'numa_nodes="1"' 'numa_emulator="near"'
is_on "near, of the set" 1
lab_destroy g

"$LAB_STOCK_XL" vcpu-pin 0 3 2-3
echo 'numa_dedicated_cpus = "5-7"' >$conf
ok "CPUs are reserved, 4 is left" xl numa-placement reserve
ok "with dedicated CPUs" create 'numa_cpus="dedicated"' 'numa_nodes="3"' \
    'numa_emulator="near"' "$(lab_hvm_reboots 0x402)"
is "it has one of node 3" "$(lab_report "$(lab_domid g)" cpus)" 6
is_on "with dedicated CPUs: near, off them" 2
is_rebuilt() { lab_is_another g "$1" && reported g; }
first=$(lab_domid g)
ok "it reboots" lab_wait 120 is_rebuilt "$first"
"$LAB_STOCK_XL" pause g
is_on "after that" 2
lab_destroy g
ok "released" xl numa-placement release
"$LAB_STOCK_XL" vcpu-pin 0 3 6-7
is "Domain-0's pins are what they were" "$(lab_pins 0)" "$before"
