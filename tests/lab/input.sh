# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Bad input and bad luck at xl's own command line: one clear line, nothing built;
# without the library, stock behaviour and one warning. And the subcommand on a
# live host: plan says what create then does.
# host: lab-2x2.json
# memory: 800
# timeout: 300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# refuses TEXT LINE WORDS: a guest with this line is refused with these words.
refuses() {
    messages=$(lab_create g pvh 100 1 "$2" 2>&1)
    is "$1: xl create fails" "$?" 1
    is "$1: one line of ours says where and what" \
        "$(echo "$messages" | grep -cF "$3")" 1
    is "$1: no domain is there" "$(lab_domid g)" ""
}

# left_to_libxl TEXT: a guest is built as stock xl would, with one warning.
left_to_libxl() {
    messages=$(lab_create g pvh 100 1 2>&1)
    is "$1: the guest is built" "$?" 0
    is "$1: one warning" "$(echo "$messages" | grep -c 'xl-numa: warning: .*stock placement\|xl: warning: .*stock placement')" 1
    is "$1: and nothing else" "$(echo "$messages" | wc -l)" 1
    lab_destroy g
}

refuses "a wrong policy" 'numa_policy="nearest"' \
    '/tmp/g.cfg:6: numa_policy is "nearest", not best-effort'
refuses "a wrong memory policy" 'numa_memory="striped"' \
    '/tmp/g.cfg:6: numa_memory is "striped", not spread or pack'
refuses "a wrong list of nodes" 'numa_nodes="0-x"' \
    '/tmp/g.cfg:6: numa_nodes is "0-x"'
refuses "a list for a policy" 'numa_policy=["none"]' \
    '/tmp/g.cfg:6: numa_policy is a list'

lab_load_2x2
lab_create g pvh 4300 2 'numa_policy="single-node"' 2>/tmp/err
is "single-node that no node can hold: xl create fails as libxl's builds fail" \
    "$?" 3
ok "single-node: the message says what is missing" \
    grep -q 'needs 4322 MiB on one node; node 0 lacks ' /tmp/err
is "single-node: no domain is there" "$(lab_domid g)" ""

lib=/usr/local/lib/xl-numa
mv $lib/libxlnuma.so.0 $lib/away
left_to_libxl "without the library"
mv $lib/away $lib/libxlnuma.so.0
mv $lib/libxlnuma-preload.so $lib/away
left_to_libxl "without the hook"
mv $lib/away $lib/libxlnuma-preload.so

xl info >/tmp/ours
"$LAB_STOCK_XL" info >/tmp/stock
is "other subcommands are stock xl's" \
    "$(grep -v free_memory /tmp/ours)" "$(grep -v free_memory /tmp/stock)"
xl nonsense >/tmp/out 2>/tmp/err
is "an unknown subcommand is stock xl's to refuse" "$?" 1

# --- xl numa-placement ----------------------------------------------------------

printf '%s\n' 'name="db1"' 'type="pvh"' 'memory=4300' 'vcpus=2' \
    "kernel=\"$LAB_KERNEL\"" >/tmp/db1.cfg
before=$("$LAB_STOCK_XL" list)
xl numa-placement plan --json /tmp/db1.cfg >/tmp/plan.json
is "plan: exit status" "$?" 0
is "plan: changes nothing" \
    "$("$LAB_STOCK_XL" list | awk '{ print $1, $2, $3 }')" \
    "$(echo "$before" | awk '{ print $1, $2, $3 }')"
xl numa-placement snapshot >/tmp/host.json
xl numa-placement plan --json --host /tmp/host.json /tmp/db1.cfg >/tmp/dry.json
is "plan: the same from a snapshot of this host" "$(cat /tmp/dry.json)" \
    "$(cat /tmp/plan.json)"
ok "create: the guest is built" xl create -q /tmp/db1.cfg
domid=$(lab_domid db1)
is "create: as planned" \
    "$(tr -d ' \n' </tmp/plan.json | sed 's/.*"soft_cpus":"\([^"]*\)".*/\1/')" \
    "$(lab_report "$domid" soft_cpus)"
is "create: the memory that was planned" \
    "$(tr -d ' \n' </tmp/plan.json |
        sed 's/.*"id":2,"memory_kb":\([0-9]*\).*/\1/')" \
    "$(lab_report "$domid" node/2/planned_kb)"
xl numa-placement >/tmp/list
is "list: exit status" "$?" 0
ok "list: the guest with its nodes, memory, distance and status" \
    grep -Eq '^db1 +'"$domid"' +4300 +1 +2-3 +.*10\.50? +best-effort +placed' \
    /tmp/list
ok "list: a guest of stock xl is there too" grep -Eq '^load1 ' /tmp/list
ok "list: as JSON, the extents among it" sh -c "
    xl numa-placement list --json | tr -d ' \n' |
    grep -q '\"extents\":{\"0\":[0-9]*,\"9\":[0-9]*,\"18\":[1-9]'"
ok "list: as JSON" sh -c "xl numa-placement list --json | tr -d ' \n' |
    grep -q '\"format\":\"xlnuma-guests\",\"version\":1'"
xl numa-placement plan /tmp/db1.cfg memory=90000 >/tmp/out
is "plan: a guest that nothing can hold: exit status 3" "$?" 3
xl numa-placement nonsense 2>/tmp/err
is "numa-placement: an unknown subcommand: exit status 2" "$?" 2
is "numa-placement: one line, and where help is" "$(wc -l </tmp/err)" 1
