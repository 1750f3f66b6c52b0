# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Guests that `rebalance` leaves alone, each with its reason: one for each fact that a
# guest's configuration, xenstore or Xen has of it.
# host: lab-2x2.json
# host-memory: 5120
# hvm: yes
# pci: yes
# timeout: 600
# memory: 2000
# named: yes

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

rebalance() {
    /usr/local/libexec/xl-numa/xl-numa-placement rebalance --dry-run >/tmp/lab.said 2>&1
}

# stays NAME WHY: the table has it, in these words.
stays() {
    is "$1 stays" "$(sed -n "s/^$1  *[0-9]*  //p" /tmp/lab.said)" "$2"
}

# built NAME TYPE MIB [LINE...]: a guest of one vCPU.
built() {
    name=$1 type=$2 mib=$3
    shift 3
    if [ "$type" = hvm ]; then
        ok "$name is built" lab_create_hvm "$name" "$mib" 1 "$@"
    else
        ok "$name is built" lab_create "$name" "$type" "$mib" 1 "$@"
    fi
}

# --- by xl-numa's keys ------------------------------------------------------------

echo 'numa_dedicated_cpus = "7"' >/etc/xen/xl-numa.conf
ok "a CPU is reserved" xl numa-placement reserve
built plain pvh 50
built off pvh 50 'numa_move="off"'
built dedicated pvh 50 'numa_cpus="dedicated"'
built strict pvh 50 'numa_policy="strict"'
built sees pvh 300 'numa_guest_nodes="2"'
built left pvh 50 'numa_policy="none"'

# --- by the guest's file ----------------------------------------------------------

ok "the device can be given to a guest" "$LAB_STOCK_XL" pci-assignable-add "$LAB_PCI"
built device pv 50 "pci=[\"$LAB_PCI\"]"
built nomigrate pvh 50 'nomigrate=1'
ifconfig lo 127.0.0.1 up
built port hvm 32 'vnc=1' 'vncunused=0' 'vncdisplay=7' 'vnclisten="127.0.0.1"'
built pv pv 50

# Dom0 has no driver for network devices: its part is to say that it waits for the guest.
printf '#!/bin/sh\n' >/tmp/vif-nothing
chmod 755 /tmp/vif-nothing
backend=/local/domain/0/backend/vif
{
    lab_wait 60 xenstore-list $backend
    xenstore-write "$backend/$(xenstore-list $backend)/0/state" 2
} &
built vifname pvh 50 'vif=["vifname=web0,script=/tmp/vif-nothing"]'

# As in stubdom.sh: a stub domain that does nothing, said to run. As if its QEMU were the
# traditional one xl then asks xenstore alone whether that runs, and unpauses the guest.
cat >/usr/bin/vchan-socket-proxy <<'END'
#!/bin/sh
xenstore-write "${1#--state-path=}" running
exec sleep 600
END
chmod 755 /usr/bin/vchan-socket-proxy
create_paused() {
    shift
    xl create -p "$@"
}
is_asked_for() {
    stub=$("$LAB_STOCK_XL" domid stub-dm) && guest=$("$LAB_STOCK_XL" domid stub) &&
        xenstore-ls "/local/domain/$stub/device-model/$guest"
}
{
    lab_wait 60 is_asked_for &&
        xenstore-write "/local/domain/$stub/device-model/$guest/state" running
} &
# shellcheck disable=SC2034 # lab_create_hvm() has it
LAB_XL=create_paused
built stub hvm 50 'device_model_version="qemu-xen"' 'device_model_stubdomain_override=1' \
    'stubdomain_memory=64' "stubdomain_kernel=\"$LAB_KERNEL\"" \
    "stubdomain_ramdisk=\"$LAB_KERNEL\""
LAB_XL=
xenstore-write "/libxl/$(lab_domid stub)/dm-version" qemu_xen_traditional
ok "it is unpaused" "$LAB_STOCK_XL" unpause stub

# --- by what has become of it ------------------------------------------------------

built paused pvh 50
"$LAB_STOCK_XL" pause paused
built ending pvh 50 'cmdline="reboot"' 'on_reboot="preserve"'
built ondemand pvh 50 'maxmem=100'
built ballooned pv 128 'cmdline="fragment2m"'
lab_wait_blocked ballooned
built libvirts pvh 50
file=$(echo /var/lib/xen/userdata-d."$(lab_domid libvirts)".*.libxl-json)
echo '<domain/>' >"${file%libxl-json}libvirt-xml"
is_over() { "$LAB_STOCK_XL" list ending | awk 'NR == 2 { exit $(NF - 1) !~ /s/ }'; }
ok "one is shut down" lab_wait 60 is_over
built large pvh 2000
ok "one is being built" lab_hold held pvh 50 1

# --- why ----------------------------------------------------------------------------

ok "rebalance" rebalance
sed 's/^/# /' /tmp/lab.said
stays off "numa_move is off"
stays dedicated "it has dedicated CPUs"
stays strict "its numa_policy is strict"
stays sees "it sees several nodes, whose distances it was told"
stays left "its placement is left to libxl"
stays device "it has PCI devices"
stays nomigrate "nomigrate is set"
stays port "its VNC or SPICE port is fixed"
stays pv "it is PV: it can be moved by file alone (--by-file)"
stays vifname "vifname is set, a name that a copy cannot have, too"
stays stub "it has a stub domain"
stays paused "it is paused"
stays ending "it is shutting down"
stays ondemand "it is populated on demand"
stays ballooned "it has less memory than its target"
stays libvirts "it is libvirt's, which watches over its own domain"
stays large "a copy beside it needs more memory than is free, so Domain-0 would have to shrink (or --by-file)"
stays held "its configuration cannot be read: is it being built?"
stays plain ""
ok "none is moved" grep -q '^nothing to move: ' /tmp/lab.said
ok "the one is built on" lab_release
