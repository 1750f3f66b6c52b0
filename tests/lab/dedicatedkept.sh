# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Dedicated CPUs last: through xl save and restore, xl migrate, and xl vcpu-set up to
# maxvcpus each vCPU is pinned to a CPU that no other has, and has all of its time when
# the guest has taken it.
# host: lab-2x2.json
# linux: yes
# hvm: yes
# timeout: 700
# memory: 1400
# host-memory: 5120
# dom0_mem: 1024

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

conf=/etc/xen/xl-numa.conf
online() { "$LAB_STOCK_XL" vcpu-list "$1" | awk 'NR > 1 && $5 !~ /p/ { n++ } END { print n + 0 }'; }
status() { lab_report "$(lab_domid "$1")" status; }

# is_dedicated TEXT NAME VCPUS: it is in the pool, and has so many CPUs, each one vCPU.
is_dedicated() {
    is "$1: each vCPU has a CPU of the pool" "$(lab_pins "$2" | tr ' ' '\n' | sort -u |
        grep -c '^[4-7]$') of $(lab_pins "$2" | wc -w)" "$3 of $3"
    is "$1: which the report has" "$(lab_report "$(lab_domid "$2")" cpus | tr , ' ') " \
        "$(lab_pins "$2")"
    is "$1: status" "$(status "$2")" placed
}

echo 'numa_dedicated_cpus = "4-7"' >$conf
ok "reserved" xl numa-placement reserve

# has_online NAME NR: the guest has so many vCPUs online.
has_online() { [ "$(online "$1")" = "$2" ]; }

# shares NAME: percent of its time that each vCPU of the paused guest has, for 3 s, one a
# line.
shares() {
    "$LAB_VCPUS" 3 "$(lab_domid "$1")" |
        awk '$3 == "all" { printf "%.1f\n", 100 * $4 / $5 }'
}

# It takes vCPUs that it is given, and keeps all of them busy.
lab_make_linux_initrd
ok "a Linux guest is built" lab_create_linux g 160 1 'maxvcpus=3' 'numa_cpus="dedicated"' \
    'ramdisk="/tmp/linux-initrd"' 'extra="console=hvc0 quiet hotplug"'
is_dedicated "before" g 3
ok "it runs" lab_wait_linux g
is "one vCPU is online" "$(online g)" 1
ok "vcpu-set" xl vcpu-set g 3
ok "the guest takes them" lab_wait 60 has_online g 3
# One thread emulates all CPUs: what stands still leaves it to dom0.
"$LAB_STOCK_XL" pause g
shares g >/tmp/lab.shares
sed 's/^/# hot-plugged: /' /tmp/lab.shares
is "each vCPU runs on the CPU that it is pinned to" "$("$LAB_STOCK_XL" vcpu-list g |
    awk 'NR > 1 { printf "%s ", $4 }')" "$(lab_pins g)"
is "three vCPUs were measured" "$(wc -l </tmp/lab.shares)" 3
between "the one that has least, in percent" "$(sort -n /tmp/lab.shares | head -n 1)" 95 101
is_dedicated "with maxvcpus" g 3
was=$(lab_pins g)
"$LAB_STOCK_XL" unpause g
ok "saved" xl save g /tmp/g.save
lab_wait 60 lab_is_gone g
# Another takes a CPU of it meanwhile: three are left.
ok "another comes" lab_create o pv 16 1 'numa_cpus="dedicated"'
ok "restored" xl restore /tmp/g.save
"$LAB_STOCK_XL" pause g
is_dedicated "restored" g 3
is "on the three that are left" "$( (lab_pins g; lab_pins o) | tr ' ' '\n' | sort -u | grep -c .)" 4
echo "# before: $was, restored: $(lab_pins g)"
lab_destroy g
lab_destroy o

ok "an HVM guest is built" lab_create_hvm h 40 2 'numa_cpus="dedicated"'
first=$(lab_domid h) was=$(lab_pins h)
ok "it migrates" xl migrate -s "" h "xl migrate-receive"
is "it is another domain" "$([ "$(lab_domid h)" != "$first" ] && echo yes)" yes
is_dedicated "migrated" h 2
is "on the others, as the first was still there" \
    "$(printf '%s%s' "$was" "$(lab_pins h)" | tr ' ' '\n' | sort -u | grep -c .)" 4
lab_destroy h
lab_wait 60 lab_is_gone "$first"
ok "released" xl numa-placement release
