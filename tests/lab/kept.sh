# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What a guest's own file says of its placement goes where the guest goes: through
# save and restore, also under another name. A file that is given again takes
# precedence; nodes that the host does not have are one warning. (xendomains saves
# and restores with the same two subcommands; migrate.sh has a migration.)
# host: lab-2x2.json
# hvm: yes
# timeout: 300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

SAVED=/tmp/g.save

# Without these keys it would go to the node with the least memory free, node 3.
NODES='numa_nodes="1"'
POLICY='numa_policy="restricted"'

# is_kept TEXT NAME NODE POLICY: where it is and what holds for it.
is_kept() {
    domid=$(lab_domid "$2")
    is "$1: it is on node $3" "$(lab_offplan "$domid" "$3")" 0.000
    is "$1: its vCPU is there" "$(lab_vcpus "$domid" | sed 's,.*/ ,,')" \
        "$((2 * $3))-$((2 * $3 + 1))"
    is "$1: its policy is $4" \
        "$(lab_report "$domid" policy)" "$4"
}

save() {
    rm -f $SAVED
    "$LAB_STOCK_XL" save "$1" $SAVED && lab_wait 30 lab_is_gone "$1"
}

ok "a guest is built" lab_create_hvm g 64 1 "$NODES" "$POLICY"
is_kept built g 1 restricted
is "libxl's configuration has what its file says, as given" "$(
    "$LAB_STOCK_XL" list -l g |
        tr -d ' \n' | grep -o '"platformdata":{[^}]*}'
)" '"platformdata":{"numa_policy":"restricted","numa_nodes":"1"}'
is "the guest can read it and cannot change it" "$(
    xenstore-ls -p "/local/domain/$(lab_domid g)/platform" |
        awk '/numa_nodes/ { print $NF }'
)" "(n0,r$(lab_domid g))"

rename_and_save() {
    "$LAB_STOCK_XL" rename g h && save h
}
ok "it is renamed and saved" rename_and_save
ok "it is restored" xl restore $SAVED
is_kept restored h 1 restricted

ok "it is saved again" save h
sed -e 's/^name=.*/name="h"/' -e 's/^numa_nodes=.*/numa_nodes="2"/' \
    -e /numa_policy/d /tmp/g.cfg >/tmp/h.cfg
ok "it is restored with a file" xl restore /tmp/h.cfg $SAVED
is_kept "with a file" h 2 best-effort
lab_destroy h

# Of another host: the same number of digits, so the file stays as it is.
at=$(head -c 65536 $SAVED | strings -t d | awk '/"numa_nodes": "1"/ {
    match($0, /^ *[0-9]+ /)
    print $1 + index($0, "\": \"1\"") - RLENGTH + 3
    exit
}')
printf 9 | dd of=$SAVED bs=1 seek="$at" conv=notrunc 2>/dev/null
least=$(lab_free |
    awk '{ m = 1; for (i = 2; i <= NF; i++) if ($i < $m) m = i; print m - 1 }')
xl restore $SAVED >/tmp/out 2>&1
is "nodes that this host does not have: the guest is there" "$?" 0
is "one warning says so" "$(grep -c 'xl-numa: warning' /tmp/out) $(
    grep -c '(h): numa_nodes, .* "9", .* nodes 0-3: .* ignored' /tmp/out)" "1 1"
is_kept "nodes of another host" h "$least" restricted
lab_destroy h

ok "stock xl restores it too" "$LAB_STOCK_XL" restore $SAVED
