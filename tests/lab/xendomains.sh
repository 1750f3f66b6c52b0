# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Debian's /etc/init.d/xendomains, which saves all guests when dom0 goes down and
# restores them when it comes up: each is then where its own file wants it.
# host: lab-2x2.json
# hvm: yes
# xendomains: yes
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

# `xen` is xl in PATH, as root has it. Two things are not in this dom0: the functions
# that show what is being done, and Python, by which it makes its list of guests of
# `xl list -l`.
mkdir -p /lib/init /lib/lsb /usr/lib/xen-common/bin
: >/lib/init/vars.sh
for name in begin_msg cont_msg end_msg msg; do
    echo "log_action_$name() { echo \"\$*\"; }"
done >/lib/lsb/init-functions
cat >/usr/lib/xen-common/bin/xen-init-list <<'END'
#!/bin/sh
xl list | awk 'NR > 2 { print $2, $1 }'
END
chmod +x /usr/lib/xen-common/bin/xen-init-list
lab_create_hvm x1 64 1 'numa_nodes="1"' 'numa_policy="restricted"'
lab_create_hvm x2 64 1 'numa_nodes="2"' 'numa_policy="single-node"'
is_there x1 x1 1 restricted
is_there x2 x2 2 single-node
ok "xendomains stop" /etc/init.d/xendomains stop
is "xendomains stop: no guest runs" "$("$LAB_STOCK_XL" list | wc -l)" 2
# shellcheck disable=SC2011,SC2012 # two names
is "xendomains stop: it has saved them" "$(ls /var/lib/xen/save | xargs)" "x1 x2"
ok "xendomains start" /etc/init.d/xendomains start
is_there "x1, by xendomains" x1 1 restricted
is_there "x2, by xendomains" x2 2 single-node
