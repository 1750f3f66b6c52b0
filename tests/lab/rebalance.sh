# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# `rebalance`: guests that stock xl built on two sockets are moved to one node, an HVM
# guest with a disk live, a PV guest by file; once, and no guest that is best where it
# is. By the hypervisor's dump. Uptime, console, disk and monitor work afterwards.
# host: lab-2x2.json
# hvm: yes
# linux: yes
# timeout: 900
# memory: 2500
# host-memory: 5120
# dom0_mem: 1024

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

rebalance() {
    /usr/local/libexec/xl-numa/xl-numa-placement rebalance "$@" 2>/tmp/said
    sed 's/^/# /' /tmp/said >&2
}

# What was said, without numbers that are the lab's.
line() {
    echo "$1" | sed 's/ -> 10.00, [0-9.]* s down/ -> 10.00, N s down/;
        s/nodes [0-9,-]* /nodes N /; s/distance 15\.[0-9]*/distance 15/'
}

# is_near GUEST: all of it is on node 2.
is_near() {
    id=$(lab_placed "$1")
    is "$1: its node affinity is node 2" "${id#* }" 2
    id=${id% *}
    is "$1: and so is all of its memory" "$(lab_offplan "$id" 2)" 0.000
    is "$1: its distance is 10" "$(lab_distance "$id" 2)" 10.00
}

# uptime GUEST: in seconds.
uptime_of() {
    "$LAB_STOCK_XL" uptime "$1" | awk 'NR == 2 {
        split($NF, t, ":"); print t[1] * 3600 + t[2] * 60 + t[3] }'
}

# has_disk DOMID: its device model has the disk open.
has_disk() {
    for process in /proc/[0-9]*; do
        tr '\0' ' ' <"$process/cmdline" | grep -q "xen-domid $1 " || continue
        for file in "$process"/fd/*; do
            [ "$(readlink "$file")" != /tmp/disk ] || return 0
        done
    done 2>/dev/null
    return 1
}

# What one guest or the other needs is a guest's of its own, which is destroyed then: all
# that is has to be scrubbed. 300 MiB fit node 2, and on two nodes of 190.
lab_leave 0 190
lab_leave 1 12
lab_leave 2 340
lab_leave 3 190
lab_leave 0 70 more0
lab_leave 2 12 more2
lab_leave 3 70 more3
truncate -s 1M /tmp/disk
export LAB_XL="$LAB_STOCK_XL"
ok "stock xl builds an HVM guest" \
    lab_create_hvm g 96 2 'disk=["format=raw,vdev=xvda,access=w,backendtype=qdisk,target=/tmp/disk"]'
lab_destroy more2
id=$(lab_placed g)
is "it is on two sockets" "${id#* }" 0,3
id=${id% *}
between "its distance is that" "$(lab_distance "$id" 0,3)" 15.4 15.8
before=$(uptime_of g)
free=$(lab_free)
is "dry, nothing is moved" "$(rebalance --dry-run | awk 'NR == 2 {
    print $2, $6 }') $(lab_domid g)" "g 2 $id"
said=$(rebalance)
echo "# $said"
is "it is moved" "$(line "$said")" "g: nodes N -> 2, distance 15 -> 10.00, N s down"
is_near g
moved=$id
is "it is one domain" \
    "$("$LAB_STOCK_XL" list | awk '$1 ~ /^g/ { print $1, $2, $5 }')" "g $moved -b----"
between "xl uptime goes on" "$(uptime_of g)" "$before" 600
between "its old memory is free" \
    "$(echo "$free $(lab_free)" | awk '{ print $5 + $8 - $1 - $4 }')" 60 104
ok "it has its disk" has_disk "$moved"
is "its block device is connected to its device model" \
    "$(xenstore-read "/local/domain/0/backend/qdisk/$moved/51712/params")" \
    "aio:/tmp/disk"
is "it has a monitor" "$(ps | awk '/migrate-receive/ && !/awk/' | wc -l)" 1
for time in second third; do
    is "a $time run moves nothing" "$(rebalance | head -n 1)" \
        "nothing to move: mean distance 10.00, and no guest that can be moved gains 3 or more"
    is "it is the same domain" "$(lab_domid g)" "$moved"
done
is "nor does one that writes JSON" "$(rebalance --json | tr -d ' \n' |
    sed 's/.*\("dry_run":[a-z]*\).*\("moves":[^]]*.\).*/\1 \2/')" \
    '"dry_run":false "moves":[]'

lab_destroy_all g more0 more3
lab_leave 2 12 more2
ok "stock xl builds a PV guest" lab_create_linux p 300 2
lab_destroy more2
ok "it runs" lab_wait_linux p
id=$(lab_placed p)
is "it is on two sockets" "${id#* }" 0,3
id=${id% *}
is "a PV guest is not moved live" \
    "$(rebalance p | awk '$1 == "p" { $2 = "N"; print }')" \
    "p N it is PV: it can be moved by file alone (--by-file)"
is "it is where it was" "$(lab_domid p)" "$id"
seconds=$(lab_linux_seconds p)
before=$(uptime_of p)
mv /usr/local/sbin/xl /usr/local/sbin/xl.real
said=$(rebalance --by-file /tmp p)
echo "# $said"
is "without the launcher it is saved, and no domain" \
    "$(echo /tmp/*-*.moving | wc -w) $(lab_domid p)" "1 "
ok "it is there" test -s /tmp/*-*.moving
mv /usr/local/sbin/xl.real /usr/local/sbin/xl
said=$(rebalance --by-file /tmp p)
echo "# $said"
is "the next run restores it" \
    "$(sed 's/(domain [0-9]*)/(domain N)/' /tmp/said | head -n 1)" \
    "xl numa-placement: p: its move was cut off earlier: it is moved (domain N)"
is_near p
ok "it counts on" lab_wait_linux p "$seconds"
between "xl uptime goes on" "$(uptime_of p)" "$before" 900
is "the file is gone" "$(ls /tmp/*.moving 2>/dev/null)" ""
