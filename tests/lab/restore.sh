# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A saved guest is restored: it goes on running where it was, and its memory,
# which libxl-save-helper populates, is on the nodes that were planned for it now.
# Under a strict policy it is, or there is no guest.
# host: lab-2x2.json
# linux: yes
# memory: 2200
# timeout: 600
# host-memory: 6144
# dom0_mem: 1024

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# dom0 holds the file in its memory.
MIB=300
SAVED=/tmp/g.save

status_of() {
    lab_report "$1" status
}

# all_there TEXT DOMID: its memory is on one node and complete; Xen's own pages
# for it may count too.
all_there() {
    is "$1: it is on one node" "$(lab_list "$(lab_affinity "$2")" | wc -l)" 1
    is "$1: all of its memory is there" \
        "$(lab_offplan "$2" "$(lab_affinity "$2")")" 0.000
    between "$1: it has its memory" \
        "$(lab_pages "$2" | awk '{ n += $2 } END { print n }')" \
        $((MIB * 256)) $((MIB * 256 + 100))
}

ok "a Linux guest is built" lab_create_linux g $MIB 2
first=$(lab_domid g)
ok "it runs" lab_wait_linux g
is "it is reported as placed" "$(status_of "$first")" placed
all_there "built" "$first"

before=$(lab_linux_seconds g)
ok "it is saved" xl save g $SAVED
ok "it is gone" lab_is_gone g
echo 'numa_guests = [ [ "name=g", "numa_policy=single-node" ] ]' \
    >/etc/xen/xl-numa.conf
ok "it is restored, under a strict policy" xl restore $SAVED
second=$(lab_domid g)
is "it is another domain" "$([ "$second" != "$first" ] && echo yes)" yes
# A guest that had started again would count from 1.
ok "it goes on where it was" lab_wait_linux g $((before + 3))
between "and has not started again" "$(lab_linux_seconds g)" $((before + 4)) \
    $((before + 100))
is "it is reported as placed" "$(status_of "$second")" placed
all_there "restored" "$second"

ok "it is saved again" xl save g $SAVED
lab_wait 30 lab_is_gone g
free=$(lab_free)
: >/tmp/lab.table
env LD_AUDIT="$LAB_FAULTS" FAULT_FILE=/tmp/lab.table FAULT=xs_read:1 \
    LD_PRELOAD=/usr/local/lib/xl-numa/libxlnuma-preload.so \
    "$LAB_STOCK_XL" restore $SAVED >/tmp/out 2>&1
is "when libxl-save-helper cannot read the plan xl restore fails" "$?" 1
is "with one error of ours, and a warning that says why" \
    "$(grep -c 'error: .*(g): libxl-save-helper did not read .*: not built' \
        /tmp/out) $(grep -c 'warning: .* from xenstore: ' /tmp/out) $(
        grep -c xl-numa: /tmp/out)" "1 1 2"
is "no domain is left of it" "$(lab_domid g)" ""
ok "and no memory is taken" lab_wait 30 lab_has_free "$free"

# The host has changed when it comes back: no node can hold it, two can.
lab_leave 0 210
lab_leave 1 60
lab_leave 2 185
lab_leave 3 210
free=$(lab_free)
xl restore $SAVED >/tmp/out 2>&1
is "when no node can hold it xl restore fails" "$?" 1
ok "and says what each node lacks" \
    grep -q '(g): needs 3[0-9]* MiB on one node; node [03] lacks' /tmp/out
is "no domain is left of it" "$(lab_domid g)" ""
ok "and no memory is taken" lab_wait 10 lab_has_free "$free"
rm /etc/xen/xl-numa.conf
ok "it is restored where no node can hold it" xl restore $SAVED
domid=$(lab_domid g)
is "xl list -n says nodes 2-3" "$(lab_affinity "$domid")" 2-3
is "the soft affinity of every vCPU is theirs, the hard one their socket's" "$(lab_vcpus "$domid")" \
    "4-7 / 4-7
4-7 / 4-7"
is "which the report has" \
    "$(lab_report "$domid" hard_cpus)" 4-7
is "nothing of it is elsewhere" "$(lab_offplan "$domid" 2-3)" 0.000
between "node 2 has half of it" \
    "$(lab_pages "$domid" | awk '$1 == 2 { print $2 }')" \
    $((MIB * 256 * 45 / 100)) $((MIB * 256 * 55 / 100))
is "it is reported as placed there" "$(status_of "$domid")" placed
between "the report has what the hypervisor counts on node 3" "$(
    lab_report "$domid" node/3/actual_kb)" \
    "$(lab_pages "$domid" | awk '$1 == 3 { print 4 * $2 - 400 }')" \
    "$(lab_pages "$domid" | awk '$1 == 3 { print 4 * $2 }')"

# Stock xl, in the same holes: nodes 0 and 3 have the most memory.
lab_destroy g
ok "stock xl restores it too" "$LAB_STOCK_XL" restore $SAVED
domid=$(lab_domid g)
between "its mean distance is far from 10.5" \
    "$(lab_distance "$domid" "$(lab_affinity "$domid")")" 14 22
