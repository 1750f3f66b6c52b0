# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What an administrator asks, with several guests: list, show and verify say what
# the hypervisor counts and what stock xl shows, of guests that stock xl built too;
# several guests are planned as they are then built; and a guest that gave memory
# back is one that verify finds.
# host: lab-2x2.json
# memory: 900
# version: 4.20
# timeout: 600

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

long=a-guest-whose-name-has-forty-characters1

# row NAME COLUMN: of the list; a long name is on a line of its own.
row() {
    xl numa-placement list | awk -v name="$1" -v column="$2" '
        waits { print $(column - 1); exit }
        $1 == name && NF == 1 { waits = 1 }
        $1 == name && NF > 1 { print $column; exit }'
}

# MiB of the guest on each node that has some, by the hypervisor: "2:2152,3:2148"
counted() {
    lab_pages "$(lab_domid "$1")" | awk '$2 >= 256 {
        printf "%s%d:%d", sep, $1, $2 / 256; sep = ","
    }'
}

# The same as verify counts it, after the lines of the heading: /tmp/verify.
verified() {
    awk -v name="$1" '$1 == name {
        printf "%s%d:%d", sep, $3, $5; sep = ","
    }' /tmp/verify
}

# vcpu DOMAIN COLUMN: of vCPU 0 as show prints it; "off" is the last column.
vcpu() {
    xl numa-placement show "$1" | awk -v column="$2" '
        /^vCPU /{ inside = 1; next }
        inside && $1 == 0 { print column == "off" ? $NF : $column }'
}

lab_load_2x2
printf '%s\n' 'name="db1"' 'type="pvh"' 'memory=4300' 'vcpus=2' \
    "kernel=\"$LAB_KERNEL\"" >/tmp/db1.cfg
printf '%s\n' "name=\"$long\"" 'type="pv"' 'memory=900' \
    "kernel=\"$LAB_KERNEL\"" >/tmp/long.cfg
xl numa-placement plan --json /tmp/db1.cfg /tmp/long.cfg | tr -d ' \n' |
    sed 's/"alternatives"/\n&/g' |
    sed -n 's/.*"nodes":\[{"id".*"soft_cpus":"\([^"]*\)".*/\1/p' >/tmp/planned
ok "two guests are built" sh -c "xl create -q /tmp/db1.cfg &&
    xl create -q /tmp/long.cfg"
is "plan: both go where they were planned together" \
    "$(for name in db1 $long; do
        lab_vcpus "$name" | sed -n '1s,.* / *,,p'
    done)" "$(cat /tmp/planned)"
ok "a guest that spins, and one that gives memory back" sh -c ". $LAB_LIB
    lab_create spinner pv 64 1 'cmdline=\"spin\"' &&
    lab_create robbed pv 200 1 'cmdline=\"fragment2m\"' &&
    lab_wait_blocked robbed"

xl numa-placement list >/tmp/list
is "list: the domains that xl has, in its order" \
    "$(awk 'NR > 1 && ($1 !~ /^[0-9]+$/) { print $1 }' /tmp/list)" \
    "$("$LAB_STOCK_XL" list | awk 'NR > 1 { print $1 }')"
is "list: no line is longer than 80" \
    "$(COLUMNS=80 xl numa-placement list | grep -c '.\{81\}')" 0
is "list: without a terminal a guest is one line" "$(wc -l </tmp/list)" \
    "$("$LAB_STOCK_XL" list | wc -l)"
is "list: Domain-0 has the memory and vCPUs that xl says" \
    "$(awk '$1 == "Domain-0" { print $2, $3, $4, $NF }' /tmp/list)" \
    "$("$LAB_STOCK_XL" list | awk '$1 == "Domain-0" { print $2, $3, $4, "-" }')"
is "list: the memory of db1 is where the hypervisor has it" "$(row db1 6)" \
    "$(counted db1)"
is "list: nothing of it is off the plan" "$(row db1 7)" 0.0
is "list: a long name" "$(row $long 6)" "$(counted $long)"
is "list: of a guest of stock xl the nodes that Xen prefers" \
    "$(row load1 5)" "($(lab_affinity load1))"
is "list: and nothing else" "$(row load1 6) $(row load1 7) $(row load1 10)" "- - -"

is "show: by name and by id" "$(xl numa-placement show db1 --seconds 0 | head -n 15)" \
    "$(xl numa-placement show "$(lab_domid db1)" --seconds 0 | head -n 15)"
is "show: the memory on each node" "$(xl numa-placement show db1 --seconds 0 |
    awk 'NF == 3 && $1 ~ /^[0-9]+$/ { printf "%s%d:%d", sep, $1, $3; sep = "," }')" \
    "$(counted db1)"
is "show: the spinning vCPU runs" "$(vcpu spinner 2)" running
# Soft affinity is a wish: the scheduler may run it elsewhere for a while.
"$LAB_STOCK_XL" vcpu-pin spinner 0 \
    "$(lab_cpus_of "$(lab_affinity spinner)" | head -n 1)"
is "show: pinned to its node it runs there" "$(vcpu spinner off)" 0.0
away=$(lab_cpus_of "$((3 - $(lab_affinity spinner)))" | head -n 1)
"$LAB_STOCK_XL" vcpu-pin spinner 0 "$away"
is "show: pinned elsewhere it is there" "$(vcpu spinner 3)" "$away"
is "show: and runs off its nodes all the time" "$(vcpu spinner off)" 100.0
is "show: its affinities" "$(vcpu spinner 5) / $(vcpu spinner 6)" \
    "$(lab_vcpus spinner)"

xl numa-placement verify db1 $long load1 >/tmp/verify 2>/tmp/err
is "verify: where all is as reported: exit status" "$?" 0
for name in db1 load1; do
    is "verify: the pages of $name as stock xl's dump has them" \
        "$(verified $name)" "$(counted $name)"
done
is "verify: the verdicts" "$(awk 'NR > 1 && NF > 1 { print $NF }' /tmp/verify |
    uniq | tr '\n' ' ')" "same unreported "
ok "verify: says before what it costs, and then what it did" sh -c '
    sed -n 1p /tmp/err | grep -q "Xen walks the [0-9]* GiB in use" &&
    sed -n 2p /tmp/err | grep -q "the walk took [0-9.]* ms"'
echo "# $(sed -n 2p /tmp/err)"
xl numa-placement verify robbed >/tmp/verify 2>/tmp/err
is "verify: a guest that gave memory back: exit status" "$?" 0
is "verify: what it still has" "$(verified robbed)" "$(counted robbed)"
is "verify: the verdict" "$(awk 'NR == 2 { print $NF }' /tmp/verify)" resized
is "list: its status" \
    "$(xl numa-placement list | awk '$1 == "robbed" { print $NF }')" shrunk
xl numa-placement verify >/tmp/verify 2>/dev/null
is "verify: all guests: exit status" "$?" 0
is "verify: and only that one is resized" \
    "$(awk '$NF == "resized" { print $1 }' /tmp/verify)" robbed

# Domain-0: Xen's dump has it as it has others. lab_pages asks for a dump of its own.
dom0=$(lab_pages 0 | awk '$2 { printf "%s%d:%d", sep, $1, $2 / 256; sep = "," }')
is "verify: Domain-0 by node" "$(verified Domain-0)" "$dom0"
xl numa-placement list >/tmp/list
is "list: Domain-0 where it was counted" "$(row Domain-0 6) $(row Domain-0 10)" \
    "$dom0 counted"
is "show: its vCPUs, by their number" "$(xl numa-placement show 0 --seconds 0 |
    awk '/^vCPU /{ inside = 1; next } inside && NF > 3 { n++ } END { print n }')" \
    "$("$LAB_STOCK_XL" vcpu-list 0 | sed 1d | wc -l)"
is "show: where its memory is" "$(xl numa-placement show Domain-0 --seconds 0 |
    awk 'NF == 3 && $1 ~ /^[0-9]+$/ && $2 == "-" {
        printf "%s%d:%d", sep, $1, $3; sep = "," }')" "$dom0"
xl numa-placement metrics >/tmp/prom
is "metrics: Domain-0 by node is all that Xen gives it" \
    "$(awk '/^xlnuma_dom0_node_bytes/ { n += $2 } END { print n / 4096 }' /tmp/prom)" \
    "$(lab_pages 0 | awk '{ n += $2 } END { print n }')"

xl numa-placement snapshot -o /tmp/host.json
xl numa-placement list >/tmp/list
is "snapshot: its guests are those of the host" \
    "$(xl numa-placement list --host /tmp/host.json)" "$(cat /tmp/list)"
is "snapshot: the spinning vCPU has its affinity there" \
    "$(xl numa-placement show spinner --host /tmp/host.json |
        awk '/^vCPU  /{ getline; print $5 }')" \
    "$(xl vcpu-list spinner | awk 'NR == 2 { print $7 }')"
xl numa-placement snapshot --anonymous >/tmp/anonymous.json
is "snapshot: without names there are none" \
    "$(grep -c -e db1 -e load1 -e spinner -e robbed -e $long /tmp/anonymous.json)" 0
