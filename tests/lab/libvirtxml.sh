# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What libvirt's XML of a guest says of its placement is obeyed, by the hypervisor's own
# count and affinities, or refused with a reason that virsh shows. A hook script that was
# there before is run as before.
# host: lab-2x2.json
# host-memory: 6144
# libvirt: yes
# timeout: 400
# memory: 4500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

OURS='urn:xl-numa:placement:1'

# start MIB [XML]: a guest of that XML is.
start() {
    LAB_THEN="start g" lab_define g xenpvh "$@"
}

# starts TEXT MIB XML: it is; its number is in $domid.
starts() {
    ok "$1: it is started" start "$2" "$3"
    domid=$(lab_domid g)
    lab_wait 30 lab_report "$domid" status
}

ends() {
    lab_virsh destroy g
    is "$1: nothing of it is left" "$(ls /run/xl-numa/guests)" ""
}

# refuses TEXT MIB XML REASON: it is not, and virsh shows the reason.
refuses() {
    start "$2" "$3" >/tmp/said 2>&1
    is "$1: it is not started" "$? $(lab_domid g)" "1 "
    is "$1: virsh shows why" "$(grep -o 'xl-numa: .*' /tmp/said)" \
        "xl-numa: guest \"g\": $4"
}

# Another hook script, of the administrator's own.
mkdir -p /etc/libvirt/hooks
cat >/etc/libvirt/hooks/libxl <<'END'
#!/bin/sh
echo "$1 $2" >>/tmp/own
END
chmod 755 /etc/libvirt/hooks/libxl
ok "libvirtd runs, with the hook" lab_start_libvirtd

text="numatune strict"
starts "$text" 150 "<numatune><memory mode='strict' nodeset='2'/></numatune>"
is "$text: on that node" "$(lab_affinity "$domid") $(lab_offplan "$domid" 2)" \
    "2 0.000"
is "$text: the policy is strict" "$(lab_report "$domid" policy)" strict
is "$text: it was handed over" "$(sort /run/xl-numa/guests/*)" "numa_nodes=2
numa_policy=strict"
is "the other script runs, too" "$(head -n 1 /tmp/own)" "g prepare"
ends "$text"

# Each node has 1536 MiB.
text="numatune interleave"
starts "$text" 1750 \
    "<numatune><memory mode='interleave' nodeset='1,2'/></numatune>"
is "$text: on those nodes" "$(lab_affinity "$domid") $(lab_offplan "$domid" 1-2)" \
    "1-2 0.000"
# An extent of 1 GiB, which stays whole, and 726 MiB.
between "$text: on both" \
    "$(lab_pages "$domid" | awk '$1 == 1 { print $2 / 256 }')" 715 1034
ends "$text"

text="numatune preferred"
starts "$text" 150 "<numatune><memory mode='preferred' nodeset='3'/></numatune>"
is "$text: on that node" "$(lab_affinity "$domid") $(lab_offplan "$domid" 3)" \
    "3 0.000"
ends "$text"
starts "$text, that has no room" 1750 \
    "<numatune><memory mode='preferred' nodeset='3'/></numatune>"
is "$text, that has no room: it is libxl's" "$(lab_report "$domid" status)" unplaced
ok "$text, that has no room: libvirt's log says so" \
    grep -q 'xl-numa: .*(g): ' /var/log/libvirt/libxl/libxl-driver.log
ends "$text, that has no room"

# CPUs 4-7 are those of nodes 2 and 3, one socket.
text="vcpu cpuset"
LAB_VCPU="<vcpu cpuset='6-7'>2</vcpu>"
starts "$text" 150 ""
is "$text: on these CPUs" "$(lab_vcpus "$domid" | awk '{ print $1 }' | sort -u)" 6-7
is "$text: with its memory there" \
    "$(lab_affinity "$domid") $(lab_offplan "$domid" 3)" "3 0.000"
ends "$text"
starts "$text and vcpupin" 150 \
    "<cputune><vcpupin vcpu='1' cpuset='4'/></cputune>"
is "$text and vcpupin: each as it says" \
    "$(lab_vcpus "$domid" | awk '{ print $1 }')" "6-7
4"
is "$text and vcpupin: memory is near" "$(lab_offplan "$domid" 2-3)" 0.000
ends "$text and vcpupin"
LAB_VCPU=

text="metadata"
starts "$text" 1750 "<metadata><numa:placement xmlns:numa='$OURS'
    numa_memory='pack' numa_nodes='2-3'/></metadata>"
is "$text: on those nodes" "$(lab_affinity "$domid") $(lab_offplan "$domid" 2-3)" \
    "2-3 0.000"
is "$text: one of them first" "$(lab_report "$domid" memory)" pack
ends "$text"
lab_define g xenpvh 150
ok "virsh metadata" lab_virsh metadata g $OURS --key numa \
    --set '<placement numa_nodes="1"/>' --config
ok "virsh metadata: it is started" lab_virsh start g
is "virsh metadata: on that node" "$(lab_offplan "$(lab_domid g)" 1)" 0.000
ends "virsh metadata"

refuses "an unknown key" 150 \
    "<metadata><n:placement xmlns:n='$OURS' numa_polcy='none'/></metadata>" \
    '<metadata>: unknown key "numa_polcy": did you mean numa_policy?'
refuses "a node that is not there" 150 \
    "<numatune><memory mode='strict' nodeset='7'/></numatune>" \
    'numa_nodes: none of the nodes is there: this host has 0-3'
LAB_VCPU="<vcpu cpuset='40-41'>2</vcpu>"
refuses "CPUs that are not there" 150 "" \
    '<vcpu>: none of the CPUs of cpuset is online: this host has 0-7'
LAB_VCPU=

# What virsh says of the host: sizes of nodes are those of Xen, spans of addresses with
# the hole below 4 GiB (2 GiB in this machine, on node 1), which `host` takes off.
lab_virsh capabilities >/tmp/capabilities
is "virsh capabilities has the sizes of xl info -n" "$(
    sed -n "s/.*<memory unit='KiB'>\([0-9]*\)<.*/\1/p" /tmp/capabilities |
        awk '{ printf "%d ", $1 / 1024 }')" \
    "$(lab_nodes | awk '{ printf "%d ", $2 }')"
ours=$(xl numa-placement host --json | sed -n 's/.*"size_kb": \([0-9]*\).*/\1/p')
for node in 0 1 2 3; do
    [ $node = 1 ] && hole=2048 || hole=0
    mib=$(lab_nodes | awk -v node=$node -v hole="$hole" '$1 == node { print $2 - hole }')
    between "host has node $node without a hole of $hole MiB" \
        $(($(echo "$ours" | sed -n "$((node + 1))p") / 1024)) $((mib - 1)) "$mib"
done
is "virsh capabilities has the distances and CPUs of xl info -n" "$(
    awk -F"'" '/<sibling / { d = d $4 " " } /<cpu id=/ { c = c $2 " " }
        END { print d c }' /tmp/capabilities)" "$(
    lab_nodes | awk '{ printf "%s %s %s %s ", $4, $5, $6, $7 }')$(
    for node in 0 1 2 3; do
        lab_cpus_of $node
    done | tr '\n' ' ')"
is "virsh nodeinfo has as many CPUs and nodes" "$(lab_virsh nodeinfo |
    awk '/^CPU\(s\)|^NUMA cell/ { print $NF }' | tr '\n' ' ')" "8 4 "
ours=$(xl numa-placement host --json | sed -n 's/.*"free_kb": \([0-9]*\).*/\1/p')
lab_virsh "freecell 0; freecell 1; freecell 2; freecell 3" | awk 'NF { print $(NF - 1) }' \
    >/tmp/freecell
for node in 0 1 2 3; do
    kb=$(echo "$ours" | sed -n "$((node + 1))p")
    between "virsh freecell $node is what host has" \
        "$(sed -n "$((node + 1))p" /tmp/freecell)" \
        $((kb - 2048)) $((kb + 2048))
done

start 1750 "<numatune><memory mode='strict' nodeset='1'/></numatune>" >/tmp/said 2>&1
is "a strict guest that does not fit is not started" "$? $(lab_domid g)" "1 "
ok "libvirt's log says why" grep -q \
    'xl-numa: .*(g): .*: not built, as numa_policy="strict" demands' \
    /var/log/libvirt/libxl/libxl-driver.log
is "nothing of it is left" "$(ls /run/xl-numa/guests)" ""
