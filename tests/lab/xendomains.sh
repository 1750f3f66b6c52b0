# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# xl-numa as Debian's package installs it, /usr/sbin/xl diverted, and Debian's
# /etc/init.d/xendomains in the environment that sysvinit gives it: it starts the guests
# of /etc/xen/auto, saves them when dom0 goes down, and restores them when it comes up.
# Each is where its own file wants it, each time.
# host: lab-2x2.json
# hvm: yes
# xendomains: yes
# packages: yes
# timeout: 300
# memory: 900

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# is_there TEXT NAME NODE POLICY: where it is and what holds for it.
is_there() {
    domid=$(lab_domid "$2")
    is "$1: it is on node $3" "$(lab_offplan "$domid" "$3")" 0.000
    is "$1: its policy is $4" "$(lab_report "$domid" policy)" "$4"
}

xendomains() {
    env -i PATH=/sbin:/usr/sbin:/bin:/usr/bin /etc/init.d/xendomains "$1"
}

is "xl on PATH is the package's" "$(command -v xl)" /usr/sbin/xl
is "it has diverted Xen's own" "$(readlink /usr/sbin/xl.xen-utils-common)" \
    ../lib/xen-common/bin/xen-utils-wrapper
ok "status: placement is on" xl numa-placement status

# `xen` is xl in PATH. Two things are not in this dom0: the functions that show what is
# being done, and Python, by which it makes its list of guests of `xl list -l`, and gets
# a file's guest's name.
mkdir -p /lib/init /lib/lsb /usr/lib/xen-common/bin /etc/xen/auto
: >/lib/init/vars.sh
for name in begin_msg cont_msg end_msg msg; do
    echo "log_action_$name() { echo \"\$*\"; }"
done >/lib/lsb/init-functions
cat >/usr/lib/xen-common/bin/xen-init-list <<'END'
#!/bin/sh
xl list | awk 'NR > 2 { print $2, $1 }'
END
cat >/usr/lib/xen-common/bin/xen-init-name <<'END'
#!/bin/sh
sed -n 's/^name="\(.*\)"/\1/p' "$1"
END
chmod +x /usr/lib/xen-common/bin/xen-init-*
# Nodes that stock xl does not choose for them: it took 1 and 2.
LAB_XL=: lab_create_hvm x1 64 1 'numa_nodes="3"' 'numa_policy="restricted"'
LAB_XL=: lab_create_hvm x2 64 1 'numa_nodes="0"' 'numa_policy="single-node"'
ln -s /tmp/x1.cfg /tmp/x2.cfg /etc/xen/auto/
ok "xendomains start" xendomains start
is_there "x1, started" x1 3 restricted
is_there "x2, started" x2 0 single-node
first=$(lab_domid x1)
ok "xendomains stop" xendomains stop
is "xendomains stop: no guest runs" "$("$LAB_STOCK_XL" list | wc -l)" 2
# shellcheck disable=SC2011,SC2012 # two names
is "xendomains stop: it has saved them" "$(ls /var/lib/xen/save | xargs)" "x1 x2"
ok "xendomains start, again" xendomains start
is_there "x1, restored" x1 3 restricted
is_there "x2, restored" x2 0 single-node
is "they are others now" "$(($(lab_domid x1) > first))" 1
