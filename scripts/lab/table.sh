# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# xen-lab table's part in dom0: rows of docs/placement-table.md for one host and one
# state of its memory. For each kind of guest the same guest is built by stock xl
# and by xl-numa, both told the same nodes. Judges nothing: the numbers are the
# hypervisor's. Arguments: HOST MIB NODES STATE, the guest's size and its nodes.
#
# Another state is a pair of functions, begin_NAME and end_NAME, and its name in
# xen-lab's LAB_STATES; another kind of guest a case in build().

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

KINDS="pv pvh"

host=$1 mib=$2 nodes=$3 state=$4
first=$(lab_list "$nodes" | head -n 1)

begin_clean() { :; }
end_clean() { :; }

begin_dirty() {
    # shellcheck disable=SC2046 # a list of numbers
    lab_soil $(lab_list "$nodes")
}
end_dirty() {
    lab_unsoil
}

begin_fragmented() {
    for node in $(lab_list "$nodes"); do
        lab_fragment "$node" 2m
    done
}
end_fragmented() {
    for node in $(lab_list "$nodes"); do
        lab_destroy "frag$node"
    done
}

begin_stolen() { :; }
end_stolen() { :; }

# build KIND LINE LINE: a guest with these lines in its file, by $LAB_XL.
build() {
    if [ "$state" != stolen ]; then
        lab_create g "$1" "$mib" 2 "$2" "$3"
        return
    fi
    # While it is planned another takes the first node but for an eighth.
    lab_hold g "$1" "$mib" 2 "$2" "$3"
    lab_take thief "$first" \
        $(($(lab_free | cut -d' ' -f$((first + 1))) - mib / 8))
    lab_release
}

# run_vcpus: leaves $run of the guest, whose vCPUs are busy, once the scheduler has
# settled.
run_vcpus() {
    sleep 3
    run=$(lab_off_socket 3 "$domid" |
        awk '{ all += $3; off += $3 * $4 } END { printf "%.1f", off / all }')
}

# measure KIND LINE: leaves $off and $distance; and of the vCPUs, which are busy
# where memory is clean, $run and $ran_distance.
measure() {
    [ "$state" = dirty ] || lab_wait_scrubbed
    off=failed distance=- run=- ran_distance=-
    case $state in clean) cmdline=spin ;; *) cmdline= ;; esac
    if build "$@" "cmdline=\"$cmdline\""; then
        domid=$(lab_domid g)
        [ "$state" != clean ] || run_vcpus
        # They would take the time of the CPUs that count the pages.
        "$LAB_STOCK_XL" pause g
        off=$(lab_offplan "$domid" "$nodes")
        distance=$(lab_distance "$domid" "$(lab_affinity "$domid")")
        [ "$state" != clean ] || ran_distance=$(lab_distance_run "$domid")
        lab_destroy g
    fi
    [ "$state" != stolen ] || lab_destroy thief
}

"begin_$state" || exit 1
for kind in $KINDS; do
    LAB_XL=lab_stock measure "$kind" "cpus_soft=\"nodes:$nodes\""
    stock_off=$off stock_distance=$distance
    stock_run=$run stock_ran_distance=$ran_distance
    LAB_XL=lab_ours measure "$kind" "numa_nodes=\"$nodes\""
    echo "| $host | $state | $kind | $stock_off | $off |" \
        "$stock_distance | $distance | $stock_run | $run |" \
        "$stock_ran_distance | $ran_distance |"
done
