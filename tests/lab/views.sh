# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The host and its guests as an administrator sees them: host, its picture,
# metrics and watch say what stock xl says of the nodes and the hypervisor's count
# of the guests' pages, the same from a snapshot. (list, show, verify: asked.sh)
# host: lab-2x2.json
# memory: 1000
# timeout: 400

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# metric FAMILY LABELS: its value; labels as they are written, without braces.
metric() {
    awk -v sample="$1${2:+{$2\}}" '$1 == sample { print $2 }' /tmp/xen.prom
}

# Pages of guest $1 on node $2 by the hypervisor's count.
pages() {
    lab_pages "$(lab_domid "$1")" | awk -v node="$2" '$1 == node { print $2 }'
}

# How many parts of guest $1 the picture has, and columns in all.
drawn() {
    awk -v RS='|' -v name="$1" '
        index($0, name) == 1 { n++; all += length($0) + 1 }
        END { print n + 0, all + 0 }' /tmp/draw
}

lab_load_2x2
ok "two guests more: one on two nodes" sh -c ". $LAB_LIB
    lab_create db1 pvh 4300 2 && lab_create web pv 600 1"
id=$(lab_domid db1)
db1="name=\"db1\",uuid=\"$("$LAB_STOCK_XL" list -l "$id" | sed -n 's/.*"uuid": "\(.*\)".*/\1/p' | head -n 1)\""
xl numa-placement snapshot -o /tmp/host.json
xl numa-placement host >/tmp/host
xl numa-placement metrics -o /tmp/xen.prom
is "host: sizes and free memory are what stock xl says" \
    "$(awk 'NR > 1 && !NF { exit } NR > 1 { print $1, $4 }' /tmp/host)" \
    "$(lab_nodes | awk '{ print $1, $3 }')"
is "host: the sizes are the machine's, without the hole below 4 GiB" \
    "$(awk 'NR > 1 && !NF { exit }
        NR > 1 { printf "%s ", ($3 >= 3071 && $3 <= 3072) }' /tmp/host)" "1 1 1 1 "
is "host: the distances, too" \
    "$(awk '$1 == "Distance" { inside = 1; next } inside {
        if (!NF) exit; print $2, $3, $4, $5 }' /tmp/host)" "$(lab_nodes | cut -d' ' -f4-)"
is "host: guests on nodes 2 and 3, where load2 and load3 count by affinity" \
    "$(awk 'NR > 1 && !NF { exit } NR > 1 { printf "%s ", $8 }' /tmp/host)" \
    "$(for node in 0 1 2 3; do
        nr=0
        for name in load1 load2 load3 db1 web; do
            nodes=$(lab_affinity "$(lab_domid $name)")
            [ "$nodes" != 0-3 ] || continue
            lab_list "$nodes" | grep -qx $node && nr=$((nr + 1))
        done
        printf '%s ' $nr
    done)"

for node in 2 3; do
    between "metrics: bytes of db1 on node $node are its pages there" \
        "$(metric xlnuma_guest_node_bytes "$db1,node=\"$node\"")" \
        $((($(pages db1 $node) - 64) * 4096)) $(($(pages db1 $node) * 4096))
done
is "metrics: nothing of it is off the plan" \
    "$(metric xlnuma_guest_off_plan_bytes "$db1")" 0
is "metrics: its expected distance is what the pages' places make" \
    "$(metric xlnuma_guest_expected_distance "$db1")" \
    "$(lab_distance "$id" 2-3)"
is "metrics: all guests" "$(metric xlnuma_host_guests '')" 5
is "metrics: memory of all nodes is theirs" \
    "$(awk '/^xlnuma_node_free_bytes/ { n += $2 } END { printf "%.0f", n }' \
        /tmp/xen.prom)" "$(metric xlnuma_host_free_bytes '')"

xl numa-placement host --draw >/tmp/draw
cat /tmp/draw
is "draw: web is on one node, db1 on two" \
    "$(drawn web | cut -d' ' -f1) $(drawn db1 | cut -d' ' -f1)" "1 2"
# The nodes have 3072 MiB each, but for what the firmware keeps of node 0.
between "draw: db1 has as many columns as pages" "$(drawn db1 | cut -d' ' -f2)" \
    $(((4300 * 74) / 3072 - 2)) $(((4300 * 74) / 3072 + 2))
is "draw: Domain-0 and those of stock xl are not known where" \
    "$(grep -o 'Not known where: Domain-0 ([0-9]* MiB), load1' /tmp/draw)" \
    "Not known where: Domain-0 ($("$LAB_STOCK_XL" list 0 |
        awk 'NR == 2 { print $3 }') MiB), load1"
is "draw: no line is longer than 80" "$(grep -c '.\{81\}' /tmp/draw)" 0
xl numa-placement host --svg /tmp/host.svg
is "svg: it is there, and has db1 twice" \
    "$(tail -n 1 /tmp/host.svg) $(grep -c '<title>db1: 2[0-9]* MiB' /tmp/host.svg)" \
    "</svg> 2"
# Where Domain-0's vCPUs may run is in no snapshot; it comes last.
in_a_snapshot() {
    sed -e "/^Domain-0's vCPUs/,\$d" -e '/"dom0_vcpus"/,/^  \]/d' | tr -d '0-9. ,'
}
for view in "host" "host --draw" "host --json"; do
    # shellcheck disable=SC2086 # words
    is "$view: the same from a snapshot, but for Xen's own few pages and the load" \
        "$(xl numa-placement $view --host /tmp/host.json | in_a_snapshot)" \
        "$(xl numa-placement $view | in_a_snapshot)"
done

# MiB by node of all that has a report, by the hypervisor's count, and their sum.
xl numa-placement list --memory >/tmp/memory
for name in db1 web; do
    is "list --memory: $name by node" \
        "$(awk -v name=$name '$1 == name { print $2, $3, $4, $5 }' /tmp/memory)" \
        "$(lab_pages "$(lab_domid $name)" | awk '{ printf "%s%d", sep, $2 / 256; sep = " " }')"
done
is "list --memory: their sums" \
    "$(awk '$1 == "Total" { print $2, $3, $4, $5 }' /tmp/memory)" \
    "$(awk '$1 == "db1" || $1 == "web" { for (i = 2; i < 6; i++) n[i] += $i }
        END { print n[2], n[3], n[4], n[5] }' /tmp/memory)"
is "list --memory: and all that the domains have" \
    "$(awk '$1 == "Total" { print $6 }' /tmp/memory)" \
    "$(xl numa-placement list -n -o mib | awk '{ n += $1 } END { print n }')"
"$LAB_STOCK_XL" vcpu-pin web 0 3
xl numa-placement host --cpus >/tmp/cpus
is "host --cpus: socket and node of each CPU are what stock xl says" \
    "$(awk 'NR > 1 { print $1, $4, $5 }' /tmp/cpus)" \
    "$("$LAB_STOCK_XL" info -n | awk '/^cpu_topology/ { inside = 1; next }
        /^device topology|^numa_info/ { inside = 0 }
        inside && $1 ~ /^[0-9]+:$/ { print $1 + 0, $3, $4 }')"
is "host --cpus: the vCPU that stock xl pinned, and no other" \
    "$(awk 'NR > 1 && $7 != "-" { print $1, $6, $7 }' /tmp/cpus)" "3 Pool-0 web:0"

# A guest's console is a terminal.
tty=$(xenstore-read "/local/domain/$(lab_domid web)/console/tty")
stty -F "$tty" -g >/tmp/before
# shellcheck disable=SC2094 # it is a terminal
xl numa-placement watch -n 60 <"$tty" >"$tty" 2>/tmp/err &
watch=$!
is_watching() {
    stty -F "$tty" -a | grep -q -e '-icanon.*-echo' -e '-echo.*-icanon'
}
ok "watch: takes the terminal" lab_wait 20 is_watching
kill -TERM $watch
wait $watch 2>/dev/null
is "watch: is ended by a signal" "$?" 143
is "watch: and the terminal is as it was" "$(stty -F "$tty" -g)" "$(cat /tmp/before)"
is "watch: it had nothing to say" "$(cat /tmp/err)" ""
xl numa-placement watch </dev/null >/tmp/out 2>&1
is "watch: not without a terminal" "$?" 1
