# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A PVH Linux sees the nodes that it is on (numa_guest_nodes), on a host whose cores have
# two threads: what it says itself, Xen's trace of guest addresses, and where a process
# bound to a node gets its memory.
# host: lab-threads.json
# linux: yes
# version: 4.20
# timeout: 400
# memory: 800

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# Half of 300 MiB is nearest to 128, the end of a block of memory of Linux's.
lab_leave 0 250
lab_leave 1 250
lab_trace_pages
LAB_WORDS=bound
# The host's processor says that it is Intel's (scripts/lab/boot.sh). A PVH Linux that is
# told so dies of its first instructions: they read an MSR of Intel's (0x1a0) before it
# can take a fault, and Xen has that for guests only with Intel's VMX. So this one is told
# that it is AMD's (AuthenticAMD).
amd='cpuid=["0x0:ebx=01101000011101000111010101000001,'
amd="${amd}ecx=01000100010011010100000101100011,edx=01101001011101000110111001100101\"]"
ok "a PVH Linux of 300 MiB and 4 vCPUs is built on two nodes" \
    lab_create_pvh_linux g 300 4 'numa_guest_nodes="auto"' "$amd"
id=$(lab_domid g)
is "on nodes 0 and 1: 128 and 172 MiB" "$(for n in 0 1; do
    lab_report "$id" vnode/$n/node; lab_report "$id" vnode/$n/planned_kb; done |
    tr '\n' ' ')" "0 131072 1 176128 "
is "each vCPU has its node's CPUs, threads of two cores" \
    "$(lab_vcpus "$id" | awk '{ print $3 }' | tr '\n' ' ')" "0-3 0-3 4-7 4-7 "
lab_check_by_address "two threads a core" "$id" 2
ok "its Linux lives" lab_wait_linux_says g
is "it sees both, its vCPUs and the host's distances" "$(lab_linux_nodes g)" \
    "0:0-1:10 21;1:2-3:21 10;"
lab_check_bound "two threads a core" g "$id"
is "its tables are intact, and as reported" "$(lab_vnodes "$id")" \
    "$(lab_vnodes_reported "$id")"
is "for itself, too" "$(lab_linux_tables g)" "FACP SRAT SLIT "
