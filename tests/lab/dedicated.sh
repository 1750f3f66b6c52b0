# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Guests with CPUs of their own: reserved and released; each vCPU is pinned to a CPU
# next to its memory; a third guest is refused; what one had the next has; reboot and
# strangers.
# host: lab-2x2.json
# version: 4.20
# timeout: 500
# memory: 1500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

conf=/etc/xen/xl-numa.conf
pool_of() { "$LAB_STOCK_XL" cpupool-list -c | awk -v name="$1" '$1 == name { print $2 }'; }
refuses() { "$@" >/tmp/lab.said 2>&1; [ $? = 3 ]; }
says() { grep -qF "$1" /tmp/lab.said; }

# --- reserved -------------------------------------------------------------------

all=$(pool_of Pool-0)
ok "nothing to reserve" xl numa-placement reserve
echo 'numa_dedicated_cpus = "nodes:2-3"' >$conf
ok "a dry run" xl numa-placement reserve --dry-run
is "it changes nothing" "$(pool_of Pool-0)" "$all"
"$LAB_STOCK_XL" vcpu-pin 0 1 5
ok "Domain-0's last CPU is not taken" refuses xl numa-placement reserve
ok "it says whose it is" says 'CPUs 5 are all that vCPU 1 of domain 0 (Domain-0) may run on'
"$LAB_STOCK_XL" vcpu-pin 0 1 all
ok "reserved" xl numa-placement reserve
is "nodes 2 and 3 are in the pool" "$(pool_of xl-numa-dedicated)" 4,5,6,7
ok "twice is as once" xl numa-placement reserve

# --- two guests -------------------------------------------------------------------

for name in d1 d2; do
    ok "$name is built" lab_create $name pv 200 2 'cmdline="spin"' 'numa_cpus="dedicated"'
done
node_of() { case $(lab_pins "$1") in "4 5 ") echo 2 ;; "6 7 ") echo 3 ;; esac; }
is "each vCPU is pinned to a CPU, those of a guest on one node" \
    "$( (node_of d1; node_of d2) | sort | tr '\n' ' ')" "2 3 "
for name in d1 d2; do
    domid=$(lab_domid $name)
    is "$name: its memory is beside them" \
        "$(lab_affinity "$domid") $(lab_offplan "$domid" "$(node_of $name)")" \
        "$(node_of $name) 0.000"
    is "$name: the report has them" \
        "$(lab_report "$domid" cpus | tr , ' ') " "$(lab_pins $name)"
done
# --- refused ----------------------------------------------------------------------

lab_create d3 pv 50 2 'numa_cpus="dedicated"' >/tmp/lab.said 2>&1
is "a third one is refused: xl's status" "$?" 3
ok "it says what is free" says '2 CPUs are needed, 2 more than are free: node 2 has 0 of 2, node 3 has 0 of 2: not built'
is "it is gone" "$(lab_domid d3)" ""
xl numa-placement plan /tmp/d3.cfg >/tmp/lab.said
is "plan says so before" "$?" 3
lab_create d3 pv 50 2 'numa_cpus="dedicated"' 'cpus="4"' >/tmp/lab.said 2>&1
is "beside cpus: status" "$?" 1
ok "with file and line" says 'd3.cfg:6: numa_cpus is "dedicated", but cpus is given'
ok "release is refused while guests are there" refuses xl numa-placement release
ok "it says who" says "has domains: d1 ($(lab_domid d1)), d2 ($(lab_domid d2))"

# --- afterwards -------------------------------------------------------------------

was=$(lab_pins d1)
lab_destroy d1
ok "its CPUs serve the next" lab_create d3 pvh 100 2 'cmdline="reboot"' 'numa_cpus="dedicated"'
is "the same ones" "$(lab_pins d3)" "$was"
first=$(lab_domid d3)
ok "it reboots" lab_wait 60 lab_is_another d3 "$first"
"$LAB_STOCK_XL" pause d3
lab_wait 30 lab_report "$(lab_domid d3)" status
is "and has CPUs of its own again" "$(lab_pins d3)" "$was"
lab_destroy d3

# --- a stranger -------------------------------------------------------------------

status() { xl numa-placement list --json | tr -d ' \n' | grep -o "\"name\":\"$1\".*" |
    grep -o '"status":"[a-z]*"' | head -n 1; }
is "d2 is placed" "$(status d2)" '"status":"placed"'
LAB_XL=$LAB_STOCK_XL lab_create s1 pvh 50 1 'pool="xl-numa-dedicated"'
is "with a stranger in the pool it is shared" "$(status d2)" '"status":"shared"'
xl numa-placement show d2 >/tmp/lab.said
ok "show says who is where" says "s1 ($(lab_domid s1)) may run on its dedicated CPUs $(lab_pins d2 | sed 's/ $//;s/ /-/')"
lab_destroy s1
is "without, it is placed" "$(status d2)" '"status":"placed"'
lab_destroy d2

# --- with nodes -------------------------------------------------------------------
# All four CPUs, so both nodes; half of 600 MiB is nearest to 256.

ok "a guest that sees its nodes" lab_create d4 pvh 600 4 'numa_cpus="dedicated"' \
    'numa_guest_nodes="auto"'
domid=$(lab_domid d4)
is "it sees two, on nodes 2 and 3" "$(lab_report "$domid" guest_nodes) $(lab_report \
    "$domid" vnode/0/node) $(lab_report "$domid" vnode/1/node)" "2 2 3"
is "each vCPU is pinned to a CPU of its node" "$(lab_report "$domid" vnode/0/vcpus) $(
    lab_report "$domid" vnode/1/vcpus) $(lab_pins d4)" "0-1 2-3 4 5 6 7 "
is "its tables are as reported" "$(lab_vnodes "$domid")" "$(lab_vnodes_reported "$domid")"
is "the first has 256 MiB on node 2" "$(lab_report "$domid" vnode/0/actual_kb)" 262144
between "the hypervisor counts them there" "$(lab_pages "$domid" |
    awk '$1 == 2 { print $2 }')" $((65536 - 64)) $((65536 + 100))
is "nothing is elsewhere" "$(lab_offplan "$domid" 2-3)" 0.000
lab_destroy d4
ok "released" xl numa-placement release
is "Pool-0 has all CPUs again" "$(pool_of Pool-0)" "$all"
rm $conf
