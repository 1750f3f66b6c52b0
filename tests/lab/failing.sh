# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What tests/hook/every-call shows without Xen, a sample of it with Xen: one call of
# the hook's fails (tests/hook/faults.c), xenstored's quotas are 1, the root is
# read-only. The guest is built, where it was planned or
# where stock xl puts it, with all its memory and one warning; a strict policy's is
# not built, and nothing of it is left. A full /run is in parallel.sh.
# host: lab-2x2.json
# host-memory: 5120
# memory: 1800
# timeout: 900

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# No node holds it: ours goes to nodes 2-3, stock xl's elsewhere.
MIB=500

# The hook in stock xl; call $fault fails.
failing() {
    : >/tmp/lab.table
    env LD_AUDIT="$LAB_FAULTS" FAULT_FILE=/tmp/lab.table FAULT="$fault" \
        LD_PRELOAD=/usr/local/lib/xl-numa/libxlnuma-preload.so "$LAB_STOCK_XL" "$@"
}

# create [LINE...]: what xl says is in /tmp/lab.said, but for the line of a success.
create() {
    lab_create g pvh $MIB 2 "$@" 2>&1 | grep -v 'xl-numa: info' >/tmp/lab.said
    listed=$("$LAB_STOCK_XL" list -n g 2>/dev/null | awk 'NR == 2 { print $2, $3, $NF }')
    domid=${listed%% *}
}

# built TEXT AFFINITY [WARNING]: by create, and that is all that was said.
built() {
    is "$1: it is on nodes $2" "${listed##* }" "$2"
    is "$1: with all of its memory" "$(echo "$listed" | cut -d' ' -f2)" $MIB
    if [ $# -gt 2 ]; then
        is "$1: one warning" "$(grep -c "warning: .*$3" /tmp/lab.said) $(
            wc -l </tmp/lab.said)" "1 1"
    else
        is "$1: nothing is said" "$(cat /tmp/lab.said)" ""
    fi
}

has_report() {
    xenstore-exists "/libxl/$domid/numa-placement"
}

all_is_planned() {
    is "$1: all of it is where it was planned" "$(lab_offplan "$domid" 2-3)" \
        0.000
}

# Half of what lab_load_small_2x2 leaves.
is_loaded() {
    lab_leave 0 320 && lab_leave 1 120 && lab_leave 2 270 && lab_leave 3 280
}
ok "the host is loaded" is_loaded
free=$(lab_free)
LAB_XL=$LAB_STOCK_XL
create
stock=${listed##* }
stock_vcpus=$(lab_vcpus "$domid")
lab_destroy g
LAB_XL=failing fault=
create
built "nothing fails" 2-3
lab_destroy g

# --- one call fails -------------------------------------------------------------

# left FAULT WARNING: it is placed as stock xl places it.
left() {
    fault=$1
    create
    built "$1" "$stock" "$2"
    is "$1: and its vCPUs too" "$(lab_vcpus "$domid")" "$stock_vcpus"
    lab_destroy g
}

left xc_domain_getinfolist:1 "Xen does not tell of it: .*left to libxl"
left libxl_set_vcpuaffinity_all:1 "vCPU affinity .*left to libxl"
left calloc:2 "out of memory: .*left to libxl"
left dladdr:1 "stock placement"

fault=xc_domain_populate_physmap:2
create
built "$fault" 2-3 "Cannot allocate memory: the rest .*left to libxl"
is "$fault: the report says so" \
    "$(lab_report "$domid" status)" degraded
lab_destroy g

fault=xs_write:1
create
built "$fault" 2-3 "No space left on device: the domain is built"
all_is_planned "$fault"
ok "$fault: there is no report" eval '! has_report'
lab_destroy g

fault=xc_domain_populate_physmap:2
create 'numa_policy="restricted"'
is "$fault, restricted: it is not built" "$domid" ""
is "$fault, restricted: one error of ours" \
    "$(grep 'xl-numa' /tmp/lab.said | grep -c 'error: .*not built, as numa_policy')" 1
ok "$fault, restricted: all memory is free again" lab_wait 60 lab_has_free \
    "$free"
is "$fault, restricted: nothing of it is in xenstore" \
    "$(xenstore-list /libxl | sort -n | tail -n 1)" "$(lab_domid fill3)"

# --- xenstored ------------------------------------------------------------------

# Dom0 is subject to no quota but the length of a path, and each path that libxl
# writes in a build is longer than ours.
LAB_XL=failing fault=
for quota in nodes watches transactions outstanding transaction-nodes memory \
    node-size; do
    xenstore-control quota set $quota 1 >/dev/null
done
create
built "no quota for anybody" 2-3
ok "no quota for anybody: there is a report" has_report
lab_destroy g

# --- a read-only root -----------------------------------------------------------

root=/tmp/lab.root
mkdir $root
mount --bind / $root
for dir in dev proc run sys tmp var; do
    mount --rbind /$dir $root/$dir
done
mount -o remount,bind,ro $root
in_root() { chroot $root /usr/local/sbin/xl "$@"; }
LAB_XL=in_root
ok "the root is read-only" eval "! chroot $root touch /etc/file 2>/dev/null"
create
built "a read-only root" 2-3
lab_destroy g

# xl itself needs folders of /run.
for dir in lock xen; do
    mount --bind /run/$dir $root/run/$dir
done
rm -rf /run/xl-numa
mount -o remount,bind,ro $root/run
create
built "a read-only /run too" 2-3 "/run/xl-numa: Read-only file system: guests"
lab_destroy g
