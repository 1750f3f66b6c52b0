# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Lists of CPUs are what xl makes of them: the table below is compared with the
# real xl here, and with ours in tests/unit/test_cpus.c; and plan takes what xl
# create takes, and nothing else. Only one guest is really built at a time.
# host: lab-2x2.json
# memory: 800
# timeout: 300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# "LIST": the CPUs of lab-2x2 (0 to 7, two a node) that it is; "-": refused.
cat >/tmp/lists <<'END'
"3": 3
"0-1,4-5": 0,1,4,5
"0-1, 4-5": 0,1,4,5
" 3": 3
"	3": 3
"0- 1": 0,1
"+1": 1
"-0": 0
"07": 7
"0-3,^1": 0,2,3
"0-3,^ 1": 0,2,3
"^1,0-3": 0,1,2,3
"all": 0,1,2,3,4,5,6,7
"all,^3": 0,1,2,4,5,6,7
"^3,all": 0,1,2,3,4,5,6,7
"nodes:0": 0,1
"node:1": 2,3
"nodes: 1": 2,3
"nodes:0-1,^1": 0,2,3
"all,^nodes:0-2": 6,7
"nodes:all": 0,1,2,3,4,5,6,7
"node:all": 0,1,2,3,4,5,6,7
"0,,1": 0,1
",0,": 0
"7-9": 7
"nodes:3-5": 6,7
"4294967296": 0
"4294967295-4294967297": 0,1
"nodes:4294967297": 2,3
"": none
",": none
"^3": none
"8": none
"-2": none
"nodes:9": none
"18446744073709551614": none
"-1": -
"18446744073709551615": -
"99999999999999999999": -
"0--1": -
"0 ": -
"0-1 ,4": -
"0 1": -
"0 - 1": -
" ^3": -
"^^3": -
" all": -
"^all": -
"^nodes:all": -
" nodes:1": -
"node:nodes:1": -
"nodes:": -
"5-2": -
"1-": -
"-": -
"0-1-2": -
"0x1": -
"1.5": -
"a": -
"0;1": -
END

# guest LISTS VCPUS [KEY]: a guest's file with these lists.
guest() {
    printf '%s\n' 'name="g"' 'type="pvh"' 'memory=64' "vcpus=$2" \
        "kernel=\"$LAB_KERNEL\"" "${3:-cpus}=[$1]" >/tmp/g.cfg
}

sed -n '/": -$/!s/": .*/"/p' /tmp/lists >/tmp/taken
sed -n 's/": -$/"/p' /tmp/lists >/tmp/refused
guest "$(paste -sd, /tmp/taken)" "$(wc -l </tmp/taken)" cpus_soft
{
    "$LAB_STOCK_XL" -N create /tmp/g.cfg 2>/dev/null | tr -d ' \n'
    echo
} | sed 's/.*"vcpu_soft_affinity":\[\[//; s/\]\].*//; s/\],\[/\n/g' |
    sed 's/^$/none/' >/tmp/xl
is "stock xl: each list is the CPUs of the table" "$(cat /tmp/xl)" \
    "$(sed -n '/": -$/!s/.*": //p' /tmp/lists)"

while read -r list; do
    guest "$list" 1
    is "stock xl refuses $list" "$("$LAB_STOCK_XL" -N create /tmp/g.cfg \
        >/dev/null 2>&1; echo $?)" 1
    is "plan refuses $list" \
        "$(xl numa-placement plan /tmp/g.cfg >/dev/null 2>/tmp/err; echo $?
        grep -c '^xl numa-placement: /tmp/g.cfg:6: cpus: ' /tmp/err)" "1
1"
done </tmp/refused

# built LISTS KEY: exit statuses of stock xl's create and of plan, two vCPUs
built() {
    guest "$1" 2 "$2"
    "$LAB_STOCK_XL" create -q /tmp/g.cfg >/dev/null 2>&1
    echo $(($? != 0))
    xl numa-placement plan /tmp/g.cfg >/dev/null 2>&1
    echo $(($? != 0))
    lab_destroy g 2>/dev/null
}
for lists in '"0","8"' '"0",""'; do
    is "cpus=[$lists]: a vCPU without a CPU is neither built nor planned" \
        "$(built "$lists" cpus)" "1
1"
    is "cpus_soft=[$lists]: a vCPU that prefers no CPU is both" \
        "$(built "$lists" cpus_soft)" "0
0"
done
guest '"0","8"' 2 cpus_soft
echo 'cpus="6-7"' >>/tmp/g.cfg
ok "a soft affinity that the hard one excludes: built" xl create -q /tmp/g.cfg
is "its memory is at the CPUs of the hard one" \
    "$(lab_offplan "$(lab_domid g)" 3)" 0.000
