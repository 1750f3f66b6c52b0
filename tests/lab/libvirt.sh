# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What libvirt builds, by its libxl driver under Debian's AppArmor profile, is placed:
# guests of each type, four at once, after a reboot, and what is restored, by the save
# helper in /usr/sbin. Nothing is left of them. libxl's own save helper is without the hook
# there, so a strict guest is not restored by it.
# host: lab-2x2.json
# libvirt: yes
# named: yes
# hvm: yes
# linux: yes
# timeout: 1800
# memory: 9500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# is_placed TEXT NAME: where its memory is and what is reported.
is_placed() {
    domid=$(lab_domid "$2")
    lab_wait 60 lab_report "$domid" status
    is "$1: it is placed, and nothing of it is off its nodes" "$(
        lab_report "$domid" status) $(
        lab_offplan "$domid" "$(lab_affinity "$domid")")" "placed 0.000"
}

# Nothing of guests, of the builds' reservations or of what was handed over.
left() {
    xenstore-list /libxl | grep -vx 0
    xl numa-placement host --json | grep '"reserved_kb": [1-9]'
    ls /run/xl-numa/guests 2>/dev/null
}

ok "libvirtd runs, with the hook" lab_start_libvirtd
is "AppArmor enforces its profile" \
    "$(cat "/proc/$(cat /tmp/lab.libvirtd)/attr/current")" \
    "libvirtd (enforce)"
ok "status says so" sh -c 'xl numa-placement status | grep "^libvirtd: .* hook "'
free=$(lab_free)

# --- each type -----------------------------------------------------------------

# Debian's profile lets libvirtd start no QEMU of Xen's.
echo '/usr/libexec/xen-qemu-system-i386 PUx,' \
    >/etc/apparmor.d/local/usr.sbin.libvirtd
apparmor_parser -r -K /etc/apparmor.d/usr.sbin.libvirtd
for type in xenpv xenpvh xenfv; do
    emulator=
    # Without <acpi/> libxl 4.20 calls QEMU with -no-acpi, which QEMU 10 does not know.
    [ $type != xenfv ] || emulator="<features><acpi/></features><devices><emulator>\
/usr/libexec/xen-qemu-system-i386</emulator></devices>"
    ok "$type: it is defined" lab_define $type $type 1500 "$emulator"
    ok "$type: and started" lab_virsh start --paused $type
    is_placed $type $type
    lab_virsh destroy $type
done

# --- at once -------------------------------------------------------------------

# No node has room for two of these.
for name in a1 a2 a3 a4; do
    lab_define $name xenpvh 1700
done
pids=
for name in a1 a2 a3 a4; do
    lab_virsh start $name &
    pids="$pids $!"
done
for pid in $pids; do
    wait "$pid"
done
for name in a1 a2 a3 a4; do
    is_placed "four at once, $name" $name
done
is "four at once: each is on a node of its own" "$(for name in a1 a2 a3 a4; do
    lab_affinity "$(lab_domid $name)"
done | sort -u | wc -l)" 4
for name in a1 a2 a3 a4; do
    lab_virsh destroy $name
done

# --- reboots -------------------------------------------------------------------

lab_define again xenpvh 700 "" "" reboot
ok "a guest that reboots is started" lab_virsh start again
first=$(lab_domid again)
ok "it reboots" lab_wait 60 lab_is_another again "$first"
"$LAB_STOCK_XL" pause again # or it does so again in five seconds
is_placed "rebooted" again
lab_virsh destroy again

lab_define g xenpv 200 "<numatune><memory mode='strict' nodeset='2'/></numatune>" \
    "<kernel>$LAB_LINUX</kernel><initrd>$LAB_LINUX_INITRD</initrd>" \
    "console=hvc0 quiet"
ok "a Linux guest is started, strictly on node 2" lab_virsh start g
ok "it runs" lab_wait_linux g
is_placed "started" g
first=$(lab_domid g)
ok "virsh reboot" lab_virsh reboot g
ok "it reboots" lab_wait 120 lab_is_another g "$first"
is_placed "virsh reboot" g
ok "it runs again" lab_wait_linux g

# --- saved and restored --------------------------------------------------------

# on_2 TEXT: it went on, on node 2.
on_2() {
    ok "$1: it goes on where it was" lab_wait_linux g $((before + 2))
    is_placed "$1" g
    is "$1: strictly on node 2" "$(lab_report "$(lab_domid g)" policy) $(
        lab_offplan "$(lab_domid g)" 2)" "strict 0.000"
}

before=$(lab_linux_seconds g)
ok "virsh save" lab_virsh save g /tmp/g.save
ok "virsh restore" lab_virsh restore /tmp/g.save
on_2 "virsh restore"
rm /tmp/g.save # dom0 has no room for two
before=$(lab_linux_seconds g)
ok "virsh managedsave" lab_virsh managedsave g
ok "virsh start" lab_virsh start g
on_2 "virsh managedsave"
ok "it is saved" lab_virsh save g /tmp/g.save
is "nothing is left of them" "$(left)" ""
ok "nor of their memory" lab_wait 60 lab_has_free "$free"

# --- migrated ------------------------------------------------------------------

# libvirtd refuses, and keeps its lock of the guest until it ends.
lab_define m xenpvh 64
ok "a guest is started" lab_virsh start m
lab_virsh migrate --live m xen:///system >/tmp/said 2>&1
is "libvirt does not migrate it to its own host" \
    "$? $(grep -o 'already active' /tmp/said)" "1 already active"
is_placed "it runs on" m
ok "libvirtd ends" lab_stop_libvirtd

# --- without our save helper ----------------------------------------------------

ok "libvirtd runs, with the hook, and libxl's own save helper" \
    lab_start_libvirtd LIBXL_SAVE_HELPER="$(readlink -f \
        /usr/lib/xen-lab/libxl-save-helper)"
ok "the guest that it finds running is destroyed" lab_virsh destroy m
lab_virsh restore /tmp/g.save >/tmp/said 2>&1
is "a strict guest is not restored then" "$?" 1
ok "libvirt's log says why" grep -q "libxl-save-helper did not read .*: not built" \
    /var/log/libvirt/libxl/libxl-driver.log
is "no domain is left of it" "$(lab_domid g)" ""
