# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What `balance --watch` costs on a host whose guests have room: processor time of
# the process, hypercalls included, in a lab whose clock counts instructions.
# scripts/bench balance runs it. Arguments: how many guests there are. Exit status 1
# if a round takes 1 ms.

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

nr=${1:-100}
rounds=10

# Nanoseconds that the process ran so far.
ran_ns() {
    cut -d' ' -f1 "/proc/$1/schedstat"
}

i=0
while [ $i -lt "$nr" ]; do
    i=$((i + 1))
    printf '%s\n' "name=\"g$i\"" 'type="pv"' 'memory=4' 'vcpus=1' \
        "kernel=\"$LAB_KERNEL\"" >/tmp/g.cfg
    xl create -qe /tmp/g.cfg || exit 1
done
xl numa-placement balance --watch &
balancer=$!
sleep 7 # it reads how the guests were built
begin=$(ran_ns $balancer)
sleep $((2 * rounds))
end=$(ran_ns $balancer)
kill -TERM $balancer
echo "$begin $end $rounds $nr" | awk '{
    us = ($2 - $1) / 1000 / $3
    printf "a round of `balance --watch`, %d guests: %.0f us\n", $4, us
    exit us >= 1000
}'
