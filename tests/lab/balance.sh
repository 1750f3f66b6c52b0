# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A guest follows the load: `balance --watch` lets it run on the other socket while
# its own has a third of what it wants, and no longer. A guest that its user pinned
# is left alone. Xen's own time of each vCPU tells what the guest has, and where.
# host: lab-2x2-4cpu.json
# timeout: 300
# memory: 1500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

# spinner CPU NAME: one vCPU that is always busy there; not ours.
spinner() {
    LAB_XL=$LAB_STOCK_XL lab_create "$2" pv 16 1 'cmdline="spin"' "cpus=\"$1\""
}

# score SECONDS: leaves the guest's $score: the share that it had of one CPU x 10 /
# the distance to node 2, where its memory is.
score() {
    "$LAB_VCPUS" "$1" "$id" >/tmp/vcpus
    score=$(awk '
        $3 == "all" { wanted += $5; next }
        { had += $4 * 10 / ($3 == 2 ? 10 : $3 == 3 ? 11 : 21) }
        END { printf "%.2f", had / wanted }' /tmp/vcpus)
}

hard() {
    lab_vcpus "$1" | awk '{ print $1 }' | sort -u | tr '\n' ' '
}

has_hard() {
    [ "$(hard "$1")" = "$2 " ]
}

# within SECONDS TEXT HARD: the guest's hard affinity becomes that.
within() {
    begin=$(date +%s)
    lab_wait 20 has_hard "$id" "$3"
    between "$2" $(($(date +%s) - begin)) 0 "$1"
}

state() {
    xenstore-ls "/libxl/$1/numa-placement-balance" 2>/dev/null
}

balance() {
    xl numa-placement balance --watch >>/tmp/moves 2>>/tmp/said &
    balancer=$!
}

"$LAB_STOCK_XL" vcpu-pin 0 all 0-1 # what looks is in nobody's way
ok "a guest of one busy vCPU on node 2" \
    lab_create g pv 64 1 'cmdline="spin"' 'numa_nodes="2"'
id=$(lab_domid g)
is "may run on its socket" "$(hard "$id")" "2-3 "
balance
sleep 1
score 3
between "A: alone, its score" "$score" 0.95 1.01

ok "another guest of xl-numa's" \
    lab_create pinned pv 16 1 'cmdline="spin"' 'numa_nodes="2"'
pinned=$(lab_domid pinned)
ok "that its user pins to CPU 2" "$LAB_STOCK_XL" vcpu-pin pinned all 2
sleep 1
score 3
between "B: its node is busy, and it runs on the next one, 10 / 11" "$score" \
    0.85 0.95
is "two balancers: the second is refused" \
    "$(xl numa-placement balance 2>&1 | sed 's/[0-9]\+/N/')" \
    "xl numa-placement: another process balances this host (N): only one can; --dry-run changes nothing, and --reset is possible meanwhile"

ok "CPU 3 is busy" spinner 3 s3
sleep 1
score 3
between "C: its socket has two thirds for it, more than the other's 10 / 21" \
    "$score" 0.60 1
is "it stays there" "$(hard "$id")$(state "$id")" "2-3 "

for cpu in 2 3; do
    ok "CPU $cpu is wanted twice" spinner "$cpu" "t$cpu"
done
within 10 "D: it may use all CPUs within 10 s" all
sleep 1
score 3
between "D: it has at least its fair share, of one of five vCPUs on two CPUs" \
    "$score" 0.40 0.55
is "its state is in xenstore" "$(state "$id")" 'hard_cpus = "0-3"'
is "its soft affinity is its build's" "$(lab_vcpus "$id")" "all / 2"

ok "the balancer is killed" kill -KILL "$balancer"
is "the guest runs on" "$(hard "$id")" "all "
for name in t2 t3 s3; do
    lab_destroy $name
done
balance
within 10 "E: there is room again: the next balancer narrows it within 10 s" 2-3
is "the pinned guest is where it was" "$(hard "$pinned")" "2 "
is "and noted as its user's" "$(state "$pinned")" 'owner = "user"'
ok "until it is reset, while the balancer runs" \
    xl numa-placement balance --reset pinned
is "then it has its build's affinities" \
    "$(lab_vcpus "$pinned")$(state "$pinned")" "2-3 / 2"
lab_destroy pinned
sleep 1
score 3
between "E: its score" "$score" 0.95 1.01
is "nothing is left in xenstore" "$(state "$id")" ""
is "two moves in all" \
    "$(sed 's/ (.*: from CPUs / /; s/, expected.*//' /tmp/moves)" "g 2-3 to 0-3
g 0-3 to 2-3"
ok "the balancer is told to stop" kill -TERM "$balancer"
lab_wait 20 test ! -e "/proc/$balancer"
is "and does" "$?" 0
cat /tmp/moves /tmp/said | sed 's/^/# /'
