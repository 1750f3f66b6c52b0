# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What a guest's own file says of its placement goes where the guest goes: through
# save and restore, also under another name. A file that is given again, or by
# config-update, takes precedence; nodes that the host does not have are one warning.
# (migrate.sh has a migration, xendomains.sh Debian's script.)
# host: lab-2x2.json
# hvm: yes
# linux: yes
# host-memory: 5120
# dom0_mem: 1024
# timeout: 400
# memory: 1300

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
lab_destroy h

# A file that xl config-update gets is that of the next reboot, five seconds after the
# guest's start.
create_paused() {
    shift
    xl create -p "$@"
}

# shellcheck disable=SC2034 # lab_create_hvm() has it
LAB_XL=create_paused
ok "a guest that will reboot is built" lab_create_hvm u 64 1 \
    "$(lab_hvm_reboots 0x402)" "$NODES" "$POLICY"
LAB_XL=
is_kept "before config-update" u 1 restricted
first=$domid
sed 's/^numa_policy=/numa_polcy=/' /tmp/u.cfg >/tmp/wrong.cfg
xl config-update u /tmp/wrong.cfg >/tmp/out 2>&1
is "config-update refuses a wrong key" "$? $(
    grep -c '/tmp/wrong.cfg:[0-9]*: unknown key "numa_polcy": did you mean' /tmp/out
)" "1 1"
sed -e 's/^numa_nodes=.*/numa_nodes="2"/' -e /numa_policy/d /tmp/u.cfg >/tmp/new.cfg
ok "config-update takes another file" xl config-update u /tmp/new.cfg
"$LAB_STOCK_XL" unpause u
ok "it reboots" lab_wait 60 lab_is_another u "$first"
"$LAB_STOCK_XL" pause u
lab_wait 30 lab_report "$(lab_domid u)" status
is_kept "after its reboot" u 2 best-effort
lab_destroy u
