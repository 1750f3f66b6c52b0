# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Is it on? status says so of xl and of a daemon (a copy of Xen's xl under another
# name, which stays to reboot its guest); disable leaves guests to stock libxl at once,
# the daemon's too, and touches none that runs; enable ends that.
# host: lab-2x2.json
# memory: 1200

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

status_of() {
    lab_report "$(lab_domid "$1")" status
}

is_rebuilt() {
    lab_is_another "$1" "$2" && status_of "$1"
}

# reboots NAME: it has rebooted once more, and waits there.
reboots() {
    old=$(lab_domid "$1")
    "$LAB_STOCK_XL" unpause "$old" 2>/dev/null
    lab_wait 60 is_rebuilt "$1" "$old" && "$LAB_STOCK_XL" pause "$1"
}

ok "at first it is on" xl numa-placement status
lab_create stays pvh 400 2 'numa_policy="single-node"'
id=$(lab_domid stays)
before=$(lab_affinity "$id") vcpus=$(lab_vcpus "$id")

hook=/usr/local/lib/xl-numa/libxlnuma-preload.so
cp -L "$(find /usr/lib/xen* /usr/lib/xen-lab -name xl | head -n 1)" /tmp/libvirtd
printf '%s\n' 'name="again"' 'type="pvh"' 'memory=100' "kernel=\"$LAB_KERNEL\"" \
    'cmdline="reboot"' 'numa_nodes="3"' >/tmp/again.cfg
LD_PRELOAD=$hook /tmp/libvirtd create -F /tmp/again.cfg >/tmp/again.log 2>&1 &
daemon=$!
ok "a daemon builds a guest" lab_wait 60 status_of again
"$LAB_STOCK_XL" pause again
is "which is where its file says" "$(status_of again) $(lab_affinity "$(lab_domid again)")" \
    "placed 3"
version=$(xl numa-placement --version | sed 's/.*xl-numa \(.*\))/\1/')
is "status: the daemon has the hook" \
    "$(xl numa-placement status | sed -n 's/^libvirtd: *//p')" \
    "process $daemon, hook $version"
# As an upgrade does.
cp $hook /tmp/hook && rm $hook && cp /tmp/hook $hook
is "and still of which version when another was installed" \
    "$(xl numa-placement status | sed -n 's/^libvirtd: *//p')" \
    "process $daemon, hook $version"

ok "disable" xl numa-placement disable
out=$(xl numa-placement status)
is "status: off, and exit status 1" "$? $(echo "$out" | head -n 1)" \
    "1 placement:     off"
ok "a guest too large for its single-node policy is built" \
    lab_create large pvh 3500 2 'numa_policy="single-node"'
is "by stock libxl" "$(status_of large)" off
is "on more nodes than one" "$(lab_pages "$(lab_domid large)" |
    awk '$2 > 4096' | wc -l)" 2
ok "the daemon's guest reboots" reboots again
is "and is stock libxl's too, without a restart of the daemon" \
    "$(status_of again)" off
is "the guest that runs is where it was" \
    "$(status_of stays) $(lab_affinity "$id") $(lab_vcpus "$id")" \
    "placed $before $vcpus"

ok "enable" xl numa-placement enable
ok "status: on" xl numa-placement status
ok "the daemon's guest reboots again" reboots again
is "and is where its file says" \
    "$(status_of again) $(lab_affinity "$(lab_domid again)")" "placed 3"
is "no line of the switch is left" "$(cat /etc/xen/xl-numa.conf)" ""
