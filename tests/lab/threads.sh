# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Whole cores, on a host whose cores have two threads: Xen sees them, numa_threads
# "require" has both threads of each core, "isolate" leaves one of them empty, and no
# other guest gets a thread of either.
# host: lab-threads.json
# timeout: 400
# memory: 1500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

conf=/etc/xen/xl-numa.conf
says() { grep -qF "$1" /tmp/lab.said; }
soft() { "$LAB_STOCK_XL" vcpu-list "$1" | awk 'NR > 1 { printf "%s ", $NF }'; }

# dedicated NAME VCPUS THREADS: what xl says is in /tmp/lab.said.
dedicated() {
    lab_create "$1" pv 50 "$2" 'cmdline="spin"' 'numa_cpus="dedicated"' \
        "numa_threads=\"$3\"" >/tmp/lab.said 2>&1
}

# refused TEXT NAME VCPUS THREADS WORDS
refused() {
    dedicated "$2" "$3" "$4"
    is "$1: xl's status" "$?" 3
    ok "$1: why" says "$5"
}

is "Xen sees two threads of each core" \
    "$("$LAB_STOCK_XL" info -n | awk '/^ *[0-9]+:/ && NF == 4 && $4 ~ /^[01]$/ {
        n[$4 " " $3 " " $2]++ } END { for (core in n) print n[core] }' |
        sort | uniq -c | tr -s ' ')" " 4 2"
is "so do we" "$(xl numa-placement snapshot | tr -d ' \n' | grep -o '"core_cpus":[^]]*]' |
    tr '\n' ' ')" '"core_cpus":["0-1","2-3"] "core_cpus":["4-5","6-7"] '

echo 'numa_dedicated_cpus = "nodes:1"' >$conf
ok "node 1 is reserved" xl numa-placement reserve

ok "require: it is built" dedicated whole 2 require
is "require: both threads of a core" "$(lab_pins whole)" "4 5 "
refused "require: one core is not enough for three" other 3 require \
    '3 CPUs in whole cores are needed, 1 more than are free: node 1 has 2 of 4'
ok "isolate: it is built" dedicated alone 1 isolate
is "isolate: a thread of the other core, whose sibling is kept empty" \
    "$(lab_pins alone)/ $(soft alone)" "6 / 6-7 "
refused "prefer: that sibling is nobody's" other 1 prefer \
    '1 CPU is needed, 1 more than are free: node 1 has 0 of 4'
xl numa-placement host >/tmp/lab.said
ok "host says whose it is" grep -q '^ *1 .*alone:6-7' /tmp/lab.said
lab_destroy alone

ok "prefer: one thread is enough for one" dedicated half 1 prefer
is "prefer: of the free core" "$(lab_pins half)" "6 "
refused "require: the core that is left is not whole" other 2 require \
    '2 CPUs in whole cores are needed, 2 more than are free: node 1 has 0 of 4'
refused "isolate: nor is it one's own" other 1 isolate \
    '1 whole core is needed, 1 more than are free: node 1 has 0 of 2'
ok "prefer: the sibling serves another" dedicated other 1 prefer
is "prefer: it is the sibling" "$(lab_pins other)" "7 "
for name in whole half other; do
    lab_destroy $name
done
ok "isolate: two cores for two vCPUs" dedicated apart 2 isolate
is "isolate: one each" "$(lab_pins apart)/ $(soft apart)" "4 6 / 4-5 6-7 "
lab_destroy apart
ok "released" xl numa-placement release
