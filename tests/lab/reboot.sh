# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A guest that reboots is placed afresh, and nothing of ours stays in its stored
# configuration.
# host: lab-2x2.json
# host-memory: 5120
# memory: 2500
# timeout: 600

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# The configuration that libxl keeps for a domain.
stored_config() {
    cat /var/lib/xen/userdata-d."$1".*.libxl-json
}

lab_load_small_2x2
LAB_XL=$LAB_STOCK_XL lab_create stock pvh 100 2
LAB_XL=xl lab_create ours pvh 100 2
is "libxl keeps the same configuration of a guest as without us" \
    "$(stored_config "$(lab_domid ours)" | grep -Ev '"(uuid|name|domid)"')" \
    "$(stored_config "$(lab_domid stock)" | grep -Ev '"(uuid|name|domid)"')"
lab_destroy_all stock ours

for type in pv pvh; do
    lab_create db1 $type 300 2 'cmdline="reboot"' 'numa_policy="restricted"'
    first=$(lab_placed db1)
    node=${first#* } first=${first% *}
    is "$type: at first it is on one node" "$(lab_offplan "$first" "$node")" \
        0.000
    # While it runs two others come to its node: busier now than the others.
    lab_create filler1 pvh 60 1 "numa_nodes=\"$node\"" 2>/dev/null
    lab_create filler2 pvh 60 1 "numa_nodes=\"$node\"" 2>/dev/null
    ok "$type: it reboots" lab_wait 60 lab_is_another db1 "$first"
    new=$(lab_domid db1)
    "$LAB_STOCK_XL" pause "$new" # or it does so again in five seconds
    lab_wait 30 lab_report "$new" status
    on=$(lab_affinity "$new")
    is "$type: it goes to another node, $on" "$([ "$on" != "$node" ] && echo yes)" yes
    is "$type: all of it is there" "$(lab_offplan "$new" "$on")" 0.000
    case $on in [01]) socket=0-3 ;; *) socket=4-7 ;; esac
    is "$type: its vCPUs are kept on that socket" \
        "$(lab_vcpus "$new" | awk '{ print $1 }' | sort -u)" $socket
    is "$type: the guest's own policy still holds" \
        "$(lab_report "$new" policy)" restricted
    lab_destroy_all db1 filler1 filler2
done
