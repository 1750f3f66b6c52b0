# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Another domain takes a planned node's memory after the plan, before the guest
# has any: smaller extents there come first, then the plan's other nodes, then
# the nearest node outside, never an arbitrary one; affinities and report follow
# what the hypervisor counts. And the reverse: memory that becomes free changes
# nothing. Outside node 3 the nearest is 2; in Xen's own order 0 would be next.
# host: lab-2x2.json
# timeout: 900
# host-memory: 5120
# memory: 2300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# The key's value in the report, as it was when the guest was built (built); fails if it
# has none.
report() {
    awk -v key="$1=" 'index($0, key) == 1 {
        print substr($0, length(key) + 1)
        found = 1
    } END { exit !found }' /tmp/report
}

pages_on() {
    lab_pages_on "$domid" "$1"
}

# Nodes with at least 4096 of the guest's pages, as Xen's list of single nodes.
nodes_with_memory() {
    lab_pages "$domid" | awk '$2 >= 4096 { printf "%s%s", sep, $1; sep = "," }'
}

# The CPUs of the nodes of the list $1: two a node on this host.
cpus_of() {
    lab_list "$1" | awk '{ print 2 * $1; print 2 * $1 + 1 }' | tr '\n' ,
}

# plan_on NODES TYPE MIB [PLANNED]: of these nodes; all of them if not given.
plan_on() {
    ok "$text: its build begins" lab_hold g "$2" "$3" 2 "numa_nodes=\"$1\""
    domid=$(lab_placed g)
    is "$text: it is planned on ${4:-$1}" "${domid#* }" "${4:-$1}"
    domid=${domid% *}
}

built() {
    ok "$text: it is built" lab_release
    xenstore-read -R "/libxl/$domid/numa-placement" >/tmp/report
}

# begin TEXT NODE LEFT TYPE MIB NODES: the guest is planned on NODES; then NODE
# is left with LEFT MiB; then it is built.
begin() {
    text=$1
    free=$(lab_free | cut -d' ' -f$(($2 + 1)))
    plan_on "$6" "$4" "$5"
    ok "$text: node $2 loses its memory" lab_take thief "$2" $((free - $3))
    built
}

end() {
    lab_destroy_all g thief
}

# The CPUs of the one socket that these nodes are on, "all" if there are two.
socket_of() {
    lab_list "$1" | awk '
        { if ($1 > 1) second = 1; else first = 1 }
        END { print(first && second ? "all" : first ? "0-3" : "4-7") }'
}

# Affinities, report and list say what the hypervisor counts.
follows() {
    nodes=$(nodes_with_memory) on=$(lab_affinity "$domid") vcpus=$(lab_vcpus "$domid")
    is "$text: node affinity follows" "$(lab_list "$on")" "$(lab_list "$nodes")"
    is "$text: soft affinity follows" \
        "$(echo "$vcpus" | awk '{ print $3 }' | sort -u |
            while read -r cpus; do lab_list "$cpus" | tr '\n' ,; done)" \
        "$(cpus_of "$nodes")"
    is "$text: hard affinity follows, and is gone where both sockets have it" \
        "$(echo "$vcpus" | awk '{ print $1 }' | sort -u)" \
        "$(socket_of "$nodes")"
    is "$text: and the report has it" "$(report hard_cpus || echo all)" \
        "$(socket_of "$nodes")"
    is "$text: the report's nodes follow" "$(lab_list "$(report nodes)")" \
        "$(lab_list "$nodes")"
    for node in $(lab_list "$nodes"); do
        # Xen's own pages for the guest count there too: a few.
        between "$text: the report has node $node's memory" \
            "$(report "node/$node/actual_kb")" \
            $(($(pages_on "$node") * 4 - 400)) $(($(pages_on "$node") * 4))
    done
}

degraded() {
    is "$text: it is reported as degraded" "$(report status)" degraded
    between "$text: one warning" "$(wc -l </tmp/lab.said)" 1 1
    ok "$text: the reason says what was planned" \
        sh -c "echo '$(report reason)' |
            grep -q 'planned on nodes $1, but .* elsewhere'"
    ok "$text: the list shows it" \
        sh -c "xl numa-placement list | grep -Eq '^g +$domid .* degraded\$'"
    follows
}

# What is not needed is taken for good: what is destroyed has to be scrubbed. Each node
# has 350 MiB.
for node in 0 1 2 3; do
    lab_leave $node 350
done

# --- one planned node ----------------------------------------------------------

for type in pv pvh; do
    begin "$type, one node, a part gone" 3 150 $type 300 3
    between "$text: what was left is taken" "$(pages_on 3)" \
        $((140 * 256)) $((151 * 256))
    is "$text: nothing is on nodes 0 and 1" \
        "$(pages_on 0) $(pages_on 1)" "0 0"
    degraded 3
    is "$text: that is nodes 2-3" "$on" 2-3
    end
done

begin "one node, all of it gone" 3 3 pvh 200 3
is "$text: it is on node 2" "$(nodes_with_memory)" 2
degraded 3
end

# --- two planned nodes ---------------------------------------------------------

# Of 440 MiB node 3 takes 350 at most. Xen's tables for the guest are on the
# nodes too.
begin "two nodes, a part of one gone" 2 140 pvh 440 2-3
between "$text: what was left is taken" "$(pages_on 2)" \
    $((125 * 256)) $((140 * 256))
is "$text: the rest is on the other" "$(lab_offplan "$domid" 3,2)" 0.000
is "$text: that is as planned" "$(report status)" placed
follows
end

begin "two nodes, one of them gone" 3 3 pvh 500 2-3
is "$text: the other has what it can, the rest is outside" \
    "$(nodes_with_memory)" 0,2
degraded 2-3
end

# --- a strict policy -----------------------------------------------------------

text="strict, its node taken"
ok "$text: its build begins" \
    lab_hold g pvh 300 2 'numa_nodes="3"' 'numa_policy="single-node"'
lab_take thief 3 $(($(lab_free | cut -d' ' -f4) - 150))
before=$(lab_free | cut -d' ' -f4)
lab_release
is "$text: its build fails as any that fails in libxl" "$?" 3
ok "$text: and says which node" \
    grep -q 'node 3 ran out of memory while it was built: not built' \
    /tmp/lab.said
is "$text: no domain is left" "$(lab_domid g)" ""
between "$text: nor is any of the node's memory taken" \
    "$(lab_free | cut -d' ' -f4)" $((before - 2)) $((before + 2))
lab_destroy thief

# --- smaller extents first -----------------------------------------------------

text="no large extent left"
plan_on 3 pvh 280
ok "$text: node 3 is fragmented" lab_fragment 3 2m
built
is "$text: all of it is on node 3" "$(lab_offplan "$domid" 3)" 0.000
is "$text: that is as planned" "$(report status)" placed
follows
lab_destroy_all g frag3

# --- the reverse ---------------------------------------------------------------

text="memory comes back"
for node in 1 2 3; do
    lab_take "filler$node" $node \
        $(($(lab_free | cut -d' ' -f$((node + 1))) - 80))
done
plan_on all pvh 300 0
lab_destroy_all filler1 filler2 filler3
built
is "$text: all of it is on node 0" "$(lab_offplan "$domid" 0)" 0.000
is "$text: that is as planned" "$(report status)" placed
follows
