# SPDX-License-Identifier: LGPL-2.1-or-later
# A host with four guests, for list-hosts.case: sizes are parts of its nodes'.
# `first` and `last` are the nodes with most memory, the lowest and the highest.
def mib(kb): kb / 1024 | floor * 1024;
([.nodes[].size_kb] | max) as $size
| [.nodes[] | select(.size_kb == $size) | .id] as $large
| $large[0] as $first | $large[-1] as $last
| mib($size / 4) as $quarter | mib($size / 8) as $eighth
| (if $first == $last then "\($first)" else "\($first),\($last)" end) as $both
| .guests = [
    {name: "db1", id: 1, memory_kb: $quarter, vcpus: 4, node_affinity: "\($first)",
     node_list: "\($first)", policy: "restricted", memory: "pack", status: "placed",
     expected_distance: 10, nodes: [
       {id: $first, planned_kb: $quarter, actual_kb: $quarter}]},
    {name: "a-guest-with-a-name-of-forty-characters-", id: 2, vcpus: 16,
     memory_kb: ($quarter + $eighth), node_affinity: $both, node_list: $both,
     policy: "best-effort", memory: "spread", status: "degraded",
     expected_distance: 12.34, nodes: ([
       {id: $first, planned_kb: ($quarter + $eighth), actual_kb: $quarter},
       {id: $last, planned_kb: 0, actual_kb: $eighth}]
       | if $first == $last then
           [.[0] + {actual_kb: ($quarter + $eighth)}] else . end)},
    {name: "grows", id: 3, memory_kb: $eighth, vcpus: 2, node_affinity: "\($last)",
     node_list: "\($last)", policy: "best-effort", memory: "spread",
     status: "planned", expected_distance: 10, nodes: [
       {id: $last, planned_kb: $quarter}]},
    {name: "stock", id: 40, memory_kb: $eighth, vcpus: 1,
     node_affinity: ([.nodes[].id] | map(tostring) | join(","))}]
