# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# HVM guests, with a device model: one that no node can hold goes to the two
# nodes of one socket, half on each, and so does what QEMU itself allocates; one
# that reboots is placed afresh. And what libxl starts for a guest, the device
# model and hotplug scripts, has nothing of the hook.
# memory: 6500
# host: lab-2x2.json
# hvm: yes
# timeout: 900

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

MIB=4300

pages_of() {
    lab_pages "$1" | awk '{ n += $2 } END { print n }'
}

# What the report says of a guest: pages put on its nodes.
reported_pages() {
    for node in 2 3; do
        lab_report "$1" "node/$node/actual_kb"
    done | awk '{ n += $1 / 4 } END { print n }'
}

# of_the_hook PID: what a process has of it, environment and files.
of_the_hook() {
    {
        tr '\0' '\n' <"/proc/$1/environ"
        cat "/proc/$1/maps"
    } | grep -i -e LD_PRELOAD -e numa
}

# Processes that are that program and have the hook.
hooked() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/exe") in
        */"$1") of_the_hook "${process#/proc/}" >/dev/null && echo "$process" ;;
        esac
    done
}

# big_guest WHEN [LINE...]
big_guest() {
    when=$1
    shift
    ok "$when: a guest of $MIB MiB is built" lab_create_hvm big $MIB 2 \
        'firmware_override="hvmloader"' "$@"
    domid=$(lab_domid big)
    "$LAB_STOCK_XL" pause "$domid" # its firmware may spin
    is "$when: its device model runs" "$(xenstore-read \
        "/local/domain/0/device-model/$domid/state")" running
    is "$when: its device model has nothing of the hook" "$(of_the_hook "$(
        xenstore-read "/local/domain/$domid/image/device-model-pid")")" ""
    ok "$when: the xl that waits for its end does" \
        test -n "$(hooked xl)"
    is "$when: xl list -n says nodes 2-3" "$(lab_affinity "$domid")" 2-3
    is "$when: the soft affinity of every vCPU is 4-7, and the hard one" \
        "$(lab_vcpus "$domid")" "4-7 / 4-7
4-7 / 4-7"
    is "$when: nothing of it is elsewhere" "$(lab_offplan "$domid" 2-3)" 0.000
    between "$when: node 2 has 45 to 55 % of it" "$(lab_share_on "$domid" 2)" 45 55
    is "$when: the mean distance is 10.50" "$(lab_distance "$domid" 2-3)" 10.50
    is "$when: it is reported as placed" \
        "$(lab_report "$domid" status)" placed
}

# 16 MiB of the guest's memory are video memory, which QEMU populates, and not
# by way of us: Xen puts these pages on the node affinity's nodes one by one.
video_memory() {
    big_guest "re-created with graphics" 'vga="stdvga"' 'videoram=16'
    between "it has all of its memory" "$(pages_of "$domid")" \
        $((MIB * 256 - 64)) $((MIB * 256 + 64))
    between "16 MiB of it are QEMU's doing" \
        $(($(pages_of "$domid") - $(reported_pages "$domid"))) 4096 4160
    lab_destroy big
}

# Stock xl, for what this is good for: the issue is real for HVM too.
stock_goes_astray() {
    lab_wait_scrubbed
    LAB_XL=$LAB_STOCK_XL lab_create_hvm big $MIB 2 2>/dev/null
    domid=$(lab_domid big)
    planned=$(lab_affinity "$domid")
    between "stock xl leaves a part of it off its own nodes ($planned)" \
        "$(lab_offplan "$domid" "$planned")" 20 80
    between "stock xl's mean distance is far from 10.5" \
        "$(lab_distance "$domid" "$planned")" 14 22
    lab_destroy big
}

reboots() {
    lab_create_hvm again 64 2 "$(lab_hvm_reboots 0x402)" 2>/dev/null
    first=$(lab_domid again)
    node=$(lab_affinity "$first")
    # While it runs another comes to its node: busier now than the others.
    lab_create filler pvh 100 1 "numa_nodes=\"$node\"" 2>/dev/null
    ok "it reboots" lab_wait 60 lab_is_another again "$first"
    new=$(lab_domid again)
    ok "it is reported" \
        lab_wait 30 lab_report "$new" status
    "$LAB_STOCK_XL" pause "$new" # or it does so again
    is "rebooted, it is on another node than $node" \
        "$([ "$(lab_affinity "$new")" != "$node" ] && echo yes)" yes
    is "rebooted, all of it is there" \
        "$(lab_offplan "$new" "$(lab_affinity "$new")")" 0.000
}

# A hotplug script that tells what it was given, and what is mapped in a program
# that it starts: it is for busybox itself, which has no libraries.
hotplug_script() {
    cat <<'END'
#!/bin/sh
out=/tmp/hotplug.$1.new
tr '\0' '\n' </proc/$$/environ | sort >"$out"
xenstore-watch /tool >/dev/null &
until grep -q libxenstore /proc/$!/maps; do
    usleep 10000
done
awk 'NF == 6 && $6 ~ /^\// { print $6 }' /proc/$!/maps | sort -u >>"$out"
kill $!
mv "$out" "/tmp/hotplug.$1"
END
}

# hotplug XL: a guest with a disk, whose script is that one; what it found. (The
# launcher passes by Debian's wrapper, so there are fewer shells above it.)
hotplug() {
    rm -f /tmp/hotplug.add
    LAB_XL=$1 lab_create disk pvh 32 1 \
        'disk=["vdev=xvda,access=r,script=/tmp/hotplug,target=none"]' ||
        return 1
    sed -e "s:/$(lab_domid disk)/:/DOMID/:" -e '/^LAB_XL=/d' \
        -e '/^SHLVL=/d' /tmp/hotplug.add
    lab_destroy disk
}

stock_beside() { LD_PRELOAD=$LAB_SHIM "$LAB_STOCK_XL" "$@"; }
ours_beside() { LD_PRELOAD=$LAB_SHIM xl "$@"; }

hotplug_finds_nothing() {
    hotplug_script >/tmp/hotplug
    chmod 755 /tmp/hotplug
    alone=$(hotplug "$LAB_STOCK_XL") beside=$(hotplug stock_beside)
    is "stock xl runs a disk's hotplug script" \
        "$(echo "$alone" | grep -c -e ^XENBUS_PATH=backend/vbd/DOMID/51712 \
            -e /libxenstore.so)" 2
    is "which has a preload of the user's, in its environment and mapped" \
        "$(echo "$beside" | grep -x -e "LD_PRELOAD=$LAB_SHIM" -e "$LAB_SHIM")" "LD_PRELOAD=$LAB_SHIM
$LAB_SHIM"
    is "with us it finds the same, and nothing of us" "$(hotplug xl)" "$alone"
    is "with a preload of the user's too" "$(hotplug ours_beside)" "$beside"
}

# No node has room, and nodes 0 and 3 look best to stock xl.
lab_leave 0 2650
lab_leave 1 1010
lab_leave 2 2250
big_guest fresh
lab_destroy big
video_memory
stock_goes_astray
reboots
hotplug_finds_nothing
