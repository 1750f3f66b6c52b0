# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Turns a host snapshot into what the lab's machine is made of, one fact a
# line: note TEXT (how the lab differs from the snapshot), smp SOCKETS CORES THREADS,
# cpu NODE SOCKET CORE APIC_ID XEN_CPU THREAD, mem NODE MIB, dist NODE DISTANCE...
# Does not know QEMU or ACPI. $max_mib and $max_cpus bound the machine: above
# them every node shrinks in proportion.

def refuse($message): $message + "\n" | halt_error(1);

def whole($least; $most):
    type == "number" and . == floor and . >= $least and . <= $most;

# "0-2,5" -> [0, 1, 2, 5]
def cpu_list:
    if . == "" then []
    else split(",") | map(
        if test("^[0-9]+(-[0-9]+)?$") then split("-") | map(tonumber)
        else refuse("cpus: \"\(.)\" is not a CPU or a range") end
        | if .[0] > .[-1] or .[-1] > 16383 then
              refuse("cpus: \(.[0])-\(.[-1]) is no range of CPUs")
          else . end
        | [range(.[0]; .[-1] + 1)]) | add
    end;

def check_node($i):
    if type != "object" then refuse("nodes[\($i)]: not an object")
    elif .id | whole(0; 63) | not then
        refuse("nodes[\($i)].id: not a node number from 0 to 63")
    elif .socket | whole(0; 4095) | not then
        refuse("nodes[\($i)].socket: not a socket number")
    elif .size_kb | whole(0; 1e15) | not then
        refuse("nodes[\($i)].size_kb: not a size in KiB")
    elif .cpus | type != "string" then
        refuse("nodes[\($i)].cpus: not a string")
    else .cpus |= cpu_list end;

def check_distances($n):
    if type != "array" or length != $n or
       any(.[]; type != "array" or length != $n or
                any(.[]; whole(1; 255) | not)) then
        refuse("distances: not \($n) rows of \($n) numbers from 1 to 255")
    else . end;

def check_nodes:
    length as $n
    | if [.[].id] != [range($n)] then
          refuse("nodes: ids are not 0 to \($n - 1)")
      elif [.[].cpus[]] | length != (unique | length) then
          refuse("nodes: a CPU is on two nodes")
      elif all(.[]; .cpus == []) then refuse("nodes: no node has CPUs")
      else . end;

def check_host:
    if type != "object" or .format != "xlnuma-host" then
        refuse("format: not \"xlnuma-host\"")
    elif .version != 1 and .version != 2 then refuse("version: not 1 or 2")
    elif .nodes | type != "array" or length == 0 then
        refuse("nodes: not a list of nodes")
    else .
        | .nodes |= (to_entries | map(.key as $i | .value | check_node($i))
                     | sort_by(.id) | check_nodes)
        | (.nodes | length) as $n | .distances |= check_distances($n)
    end;

# Whole MiB, in proportion when all nodes together exceed $max_mib.
def scale_memory:
    ([.nodes[].size_kb] | add / 1024) as $total
    | if $total < 512 then refuse("size_kb: less than 512 MiB in all")
      elif $total <= $max_mib then
          .nodes[] |= (.mib = (.size_kb / 1024 | floor))
      else .notes += ["memory scaled from \($total | floor) to \($max_mib) MiB"]
        | .nodes[] |= (.mib = if .size_kb == 0 then 0 else
              [64, (.size_kb / 1024 * $max_mib / $total | floor)] | max end)
      end;

def scale_cpus:
    ([.nodes[].cpus[]] | length) as $total
    | if $total <= $max_cpus then .
      else .nodes[].cpus |=
              .[:[1, (length * $max_cpus / $total | floor)] | max]
        | ([.nodes[].cpus[]] | length) as $left
        | .notes += ["CPUs scaled from \($total) to \($left)"]
      end;

# The threads of each core, where all nodes say so by their numbers of cores.
def threads:
    [.nodes[] | select(.cpus != []) | (.cpus | length) / (.cores // infinite)]
    | unique | if length == 1 and (.[0] | whole(2; 8)) then .[0] else 1 end;

# A node's CPUs, those of a core one after the other.
def by_core: ([(.core_cpus // [])[] | cpu_list] | add) // .cpus;

# Gives each CPU its place: the sockets that have CPUs follow each other, and a
# socket's CPUs keep their order; so Xen counts them. With several threads a core
# they go by node and core. It would take sockets of one core each for one socket:
# they could hold two.
def place_cpus:
    threads as $threads
    | [.nodes[] | . as $node | (if $threads > 1 then by_core else .cpus end)[] |
        {cpu: ., node: $node.id, socket: $node.socket}]
    | group_by(.socket)
    | ([2, (.[] | length / $threads)] | max) as $cores
    | ($cores | log2 | ceil | exp2) as $stride
    | ($threads | log2 | ceil | exp2) as $step
    | {sockets: length, $cores, $threads, cpus: [to_entries[] | .key as $s | .value
        | if $threads == 1 then sort_by(.cpu) else . end | to_entries[]
        | (.key / $threads | floor) as $core | (.key % $threads) as $thread
        | .value + {place: $s, $core, $thread,
                    apic: (($s * $stride + $core) * $step + $thread)}]}
    | .cpus |= (to_entries | map(.value + {xen: .key}))
    | if any(.cpus[]; .apic > 253) then
          refuse("cpus: more than the lab's machine can hold in sockets")
      else . end;

# CPU-less nodes name a processor that does not exist, APIC id 254: Xen numbers
# nodes in the order in which the table names them.
def lines:
    place_cpus as $m
    | (.notes[] | "note \(.)"),
      (if any($m.cpus[]; .place != .socket) then
          "note sockets are numbered anew" else empty end),
      (if any($m.cpus[]; .xen != .cpu) then
          "note CPUs are numbered anew, socket by socket" else empty end),
      "smp \($m.sockets) \($m.cores) \($m.threads)",
      (.nodes[] | .id as $id
        | if .cpus == [] then "cpu \($id) - - 254 - -"
          else $m.cpus[] | select(.node == $id)
            | "cpu \($id) \(.place) \(.core) \(.apic) \(.xen) \(.thread)" end),
      (.nodes[] | "mem \(.id) \(.mib)"),
      (.distances | to_entries[] | "dist \(.key) \(.value | join(" "))");

check_host | .notes = [] | scale_memory | scale_cpus | lines
