# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Dedicated CPUs last: through xl save and restore, xl migrate, and xl vcpu-set up to
# maxvcpus each vCPU is pinned to a CPU that no other has. Eight guests that are built
# at once where six have room: six are built, on six CPUs.
# host: lab-2x2.json
# linux: yes
# hvm: yes
# timeout: 700
# memory: 2500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

conf=/etc/xen/xl-numa.conf
hook=/usr/local/lib/xl-numa/libxlnuma-preload.so
pins() { "$LAB_STOCK_XL" vcpu-list "$1" | awk 'NR > 1 { printf "%s ", $(NF - 2) }'; }
online() { "$LAB_STOCK_XL" vcpu-list "$1" | awk 'NR > 1 && $5 !~ /p/ { n++ } END { print n + 0 }'; }
status() { lab_report "$(lab_domid "$1")" status; }

# is_dedicated TEXT NAME VCPUS: it is in the pool, and has so many CPUs, each one vCPU.
is_dedicated() {
    is "$1: each vCPU has a CPU of the pool" "$(pins "$2" | tr ' ' '\n' | sort -u |
        grep -c '^[4-7]$') of $(pins "$2" | wc -w)" "$3 of $3"
    is "$1: which the report has" "$(lab_report "$(lab_domid "$2")" cpus | tr , ' ') " \
        "$(pins "$2")"
    is "$1: status" "$(status "$2")" placed
}

echo 'numa_dedicated_cpus = "4-7"' >$conf
ok "reserved" xl numa-placement reserve

ok "a Linux guest is built" lab_create_linux g 160 1 'maxvcpus=3' 'numa_cpus="dedicated"'
is_dedicated "before" g 3
ok "it runs" lab_wait_linux g
is "one vCPU is online" "$(online g)" 1
# The guest has nothing that takes its new vCPUs (udev): they are pinned all the same.
ok "vcpu-set" xl vcpu-set g 3
is_dedicated "with maxvcpus" g 3
was=$(pins g)
ok "saved" xl save g /tmp/g.save
lab_wait 60 lab_is_gone g
# Another takes a CPU of it meanwhile: three are left.
ok "another comes" lab_create o pv 16 1 'numa_cpus="dedicated"'
ok "restored" xl restore /tmp/g.save
is_dedicated "restored" g 3
is "on the three that are left" "$( (pins g; pins o) | tr ' ' '\n' | sort -u | grep -c .)" 4
echo "# before: $was, restored: $(pins g)"
lab_destroy g
lab_destroy o

ok "an HVM guest is built" lab_create_hvm h 100 2 'numa_cpus="dedicated"'
first=$(lab_domid h) was=$(pins h)
ok "it migrates" xl migrate -s "" h "xl migrate-receive"
is "it is another domain" "$([ "$(lab_domid h)" != "$first" ] && echo yes)" yes
is_dedicated "migrated" h 2
is "on the others, as the first was still there" \
    "$(printf '%s%s' "$was" "$(pins h)" | tr ' ' '\n' | sort -u | grep -c .)" 4
lab_destroy h
lab_wait 60 lab_is_gone "$first"
ok "released" xl numa-placement release

# --- eight at once ----------------------------------------------------------------

printf '%s\n' 'numa_dedicated_cpus = "2-7"' \
    'numa_guests = [ [ "name=m*", "numa_cpus=dedicated" ] ]' >$conf
ok "six CPUs are reserved" xl numa-placement reserve
for option in "" -t; do
    text="eight at once${option:+, in threads}"
    # shellcheck disable=SC2086 # a word or none
    LD_PRELOAD=$hook "$LAB_PARALLEL" $option pvh 100 "$LAB_KERNEL" \
        m1 m2 m3 m4 m5 m6 m7 m8 >/tmp/lab.statuses 2>/tmp/lab.said
    is "$text: six are built" "$(awk '$2 == 0' /tmp/lab.statuses | wc -l)" 6
    is "$text: the others are told why" \
        "$(grep -c 'numa_cpus is "dedicated": 1 CPU is needed, 1 more than are free' \
            /tmp/lab.said)" 2
    names=$(awk '$2 == 0 { print $1 }' /tmp/lab.statuses)
    is "$text: no two have the same CPU" "$(for name in $names; do pins "$name"; done |
        tr ' ' '\n' | grep . | sort | tr '\n' ' ')" "2 3 4 5 6 7 "
    # shellcheck disable=SC2046 # words are meant
    "$LAB_PARALLEL" -d $(for name in $names; do lab_domid "$name"; done) 2>/dev/null
    for name in $names; do
        lab_wait 60 lab_is_gone "$name"
    done
done
ok "released" xl numa-placement release
