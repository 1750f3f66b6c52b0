# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A guest whose device model is in a stub domain: that one is on its guest's
# nodes. Debian has no stub domain's kernel; ours does nothing, scripts say in its
# name that the device model runs, and the guest stays paused.
# host: lab-2x2.json
# host-memory: 5120
# dom0_mem: 1024
# hvm: yes
# linux: yes
# memory: 2500
# timeout: 400

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

STUB_MIB=64

# The way to the stub domain's QEMU; its first argument names the key to set.
cat >/usr/bin/vchan-socket-proxy <<'END'
#!/bin/sh
xenstore-write "${1#--state-path=}" running
exec sleep 600
END
chmod +x /usr/bin/vchan-socket-proxy

is_asked_for() {
    stub=$("$LAB_STOCK_XL" domid g-dm) && guest=$("$LAB_STOCK_XL" domid g) &&
        xenstore-ls "/local/domain/$stub/device-model/$guest"
}

# The stub domain's device model runs as soon as libxl waits for it.
say_it_runs() {
    lab_wait 60 is_asked_for &&
        xenstore-write "/local/domain/$stub/device-model/$guest/state" running
}

# write_config MIB [LINE...]
write_config() {
    mib=$1
    shift
    printf '%s\n' 'name="g"' 'type="hvm"' "memory=$mib" 'vcpus=2' \
        'vga="none"' 'vnc=0' 'tsc_mode="native"' \
        "firmware_override=\"$LAB_KERNEL\"" \
        'device_model_version="qemu-xen"' \
        'device_model_stubdomain_override=1' "stubdomain_memory=$STUB_MIB" \
        "stubdomain_kernel=\"$LAB_KERNEL\"" \
        "stubdomain_ramdisk=\"$LAB_KERNEL\"" "$@" >/tmp/g.cfg
}

# guest XL MIB [LINE...]
guest() {
    xl=$1
    shift
    write_config "$@"
    say_it_runs &
    ok "$mib MiB: built by $xl" "$xl" create -q -p /tmp/g.cfg
    wait $!
    domid=$(lab_domid g)
    stub=$(lab_domid g-dm)
    on=$(lab_affinity "$domid")
}

# is_placed TEXT: the stub domain is one, and it is where its guest is.
is_placed() {
    between "$1: the stub domain has its memory" \
        "$(lab_pages "$stub" | awk '{ n += $2 } END { print n }')" \
        $((STUB_MIB * 256)) $((STUB_MIB * 256 + 64))
    is "$1: nothing of it is off its guest's nodes, $on" \
        "$(lab_offplan "$stub" "$on")" 0.000
    is "$1: its node affinity is where its memory is" \
        "$(lab_offplan "$stub" "$(lab_affinity "$stub")")" 0.000
    is "$1: it is reported as placed" \
        "$(lab_report "$stub" status)" placed
}

# Stock xl: each of the two on the node with most memory at its time.
guest "$LAB_STOCK_XL" 400
between "stock xl: the stub domain is away from its guest, on node $on" \
    "$(lab_offplan "$stub" "$on")" 99 100
lab_destroy g
lab_wait_scrubbed

guest xl 400
is "it is on one node" "$(lab_list "$on" | wc -l)" 1
is "all of the guest is there" "$(lab_offplan "$domid" "$on")" 0.000
is_placed "400 MiB"
case $on in [01]) socket=0-3 ;; *) socket=4-7 ;; esac
is "400 MiB: its vCPU prefers that node's CPUs, and stays on the socket" \
    "$(lab_vcpus "$stub")" "$socket / $((2 * on))-$((2 * on + 1))"
is "400 MiB: which its report has" \
    "$(lab_report "$stub" hard_cpus)" $socket
lab_destroy g

# Node 3's CPUs are its guest's alone, node 2's are the nearest others.
echo 'numa_dedicated_cpus = "nodes:3"' >/etc/xen/xl-numa.conf
xl numa-placement reserve
guest xl 300 'numa_cpus="dedicated"'
is "dedicated CPUs: the guest has them" "$(lab_report "$domid" cpus) $on" "6,7 3"
is_placed "dedicated CPUs"
is "dedicated CPUs: the stub domain keeps off them, near" "$(lab_vcpus "$stub")" "4-5 / 4-5"
is "dedicated CPUs: in Pool-0" \
    "$("$LAB_STOCK_XL" list -c g-dm | awk 'NR == 2 { print $NF }')" Pool-0
lab_destroy g
lab_wait_scrubbed
xl numa-placement release

lab_leave 0 500
lab_leave 1 100
lab_leave 2 400
lab_leave 3 500
guest xl 700
is "700 MiB: the guest is on two siblings" "$on" 2-3
is "700 MiB: all of it is there" "$(lab_offplan "$domid" "$on")" 0.000
is_placed "700 MiB"
