# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# `rebalance` where each stage of a move fails once: whatever is killed, one copy of the
# guest is left, the one that ran last, under its name and with its uptime, and the host
# has its memory again: after the command, or after its next run.
# host: lab-2x2.json
# timeout: 1500
# memory: 4800
# named: yes

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

LAUNCHER=/usr/local/sbin/xl
CONF=/etc/xen/xl-numa.conf

# The tiny PVH guest cannot suspend itself: the shim has Xen do it, in the sender.
rebalance() {
    LD_PRELOAD=$LAB_SHIM LAB_SUSPEND=${SUSPEND-1} LAB_KILL=${SENDER-} \
        /usr/local/libexec/xl-numa/xl-numa-placement rebalance \
        --gain "${GAIN-3}" g >/tmp/moved 2>&1
}

# receiver LINE...: its xl is this script, until the next fails or moves.
receiver() {
    [ -e $LAUNCHER.real ] || mv $LAUNCHER $LAUNCHER.real
    printf '%s\n' '#!/bin/sh' 'unset LAB_KILL LAB_SUSPEND LD_PRELOAD' \
        "$@" >$LAUNCHER
    chmod 755 $LAUNCHER
}

receiver_again() {
    [ ! -e $LAUNCHER.real ] || mv -f $LAUNCHER.real $LAUNCHER
}

# killed_at CALL: the receiver is, in this call.
killed_at() {
    receiver "export LAB_KILL=$1 LD_PRELOAD=$LAB_SHIM" \
        "exec $LAUNCHER.real migrate-receive"
}

# beside LINE...: the receiver has this done first.
beside() {
    receiver ". $LAB_LIB" "{ $*; } </dev/null >/dev/null 2>&1" \
        "exec $LAUNCHER.real migrate-receive"
}

# slow: half of the stream arrives, the rest five seconds later.
slow() {
    receiver "{ dd bs=4096 count=8000; sleep 5; cat; } 2>/dev/null |" \
        "$LAUNCHER.real migrate-receive"
}

process() {
    ps | awk -v what="$1" 'index($0, what) && !/awk/ { print $1 }'
}

# kill_amid WHAT...: these processes, when the copy has begun.
kill_amid() {
    lab_wait 60 "$LAB_STOCK_XL" domid g--incoming
    sleep 1
    for victim; do
        # shellcheck disable=SC2046 # numbers
        kill -9 $(process "$victim")
    done
}

# The guests' names, but for the fillers'.
guests() {
    "$LAB_STOCK_XL" list | awk 'NR > 1 && !/^(Domain-0|fill)/ { print $1 }'
}

seconds() {
    "$LAB_STOCK_XL" list g | awk 'NR == 2 { print $NF }'
}

runs_on() {
    awk -v then="$1" -v now="$(seconds)" 'BEGIN { exit !(now > then) }'
}

all_free() {
    lab_free | awk '{ for (i = 1; i <= NF; i++) n += $i } END { print n }'
}

has_all_free() {
    echo "$free $(all_free)" | awk '{ exit !($1 - $2 < 4 && $2 - $1 < 4) }'
}

# whole TEXT: one copy is left, and runs.
whole() {
    sed 's/^/# /' /tmp/moved
    is "$1: one guest is left, under its name" "$(guests)" g
    ran=$(seconds)
    ok "$1: it runs" lab_wait 20 runs_on "$ran"
    ok "$1: the host has as much memory free as before" lab_wait 30 has_all_free
    ok "$1: xl uptime knows it" "$LAB_STOCK_XL" uptime g
    is "$1: xenstore has one guest of its name" \
        "$(xenstore-ls -f /vm | grep -c 'name = "g')" 1
    is "$1: no journal is left" "$(ls /run/xl-numa/move 2>/dev/null)" ""
    id=$(lab_domid g)
}

# fails TEXT: the move fails, and the guest is where it was. What the receiver had
# done beside it is undone.
fails() {
    was=$(lab_domid g)
    rebalance
    is "$1: it fails" $? 1
    for filler in fill2 fillup0 fillup1 fillup2 fillup3; do
        [ -z "$(lab_domid $filler)" ] || lab_destroy $filler
    done
    whole "$1"
    is "$1: it is the same domain" "$id" "$was"
    receiver_again
}

# cut_off TEXT MOVED: the command is killed. Another run, that moves nothing, finds the
# guest moved, or not.
cut_off() {
    was=$(lab_domid g)
    rebalance
    GAIN=245
    ok "$1: another run finishes it" rebalance
    GAIN=3
    whole "$1"
    is "$1: is it another domain?" "$([ "$id" = "$was" ] || echo moved)" "$2"
    receiver_again
}

# moves TEXT
moves() {
    was=$(lab_domid g)
    rebalance
    is "$1: it is done" $? 0
    whole "$1"
    is "$1: it is on node 2" "$(lab_affinity "$id")" 2
    receiver_again
}

# far: the guest is on two sockets, and node 2 has room for it.
far() {
    [ -z "$(lab_domid g)" ] || lab_destroy g
    lab_leave 2 2
    LAB_XL=$LAB_STOCK_XL lab_create g pvh 64 1 'cmdline="spin"'
    lab_destroy fill2
    is "the guest is on two sockets" "$(lab_affinity "$(lab_domid g)")" 0,3
    free=$(all_free)
}

lab_leave 0 60
lab_leave 1 2
lab_leave 3 60
far

receiver 'exit 1'
fails "no receiver"
receiver 'yes garbage | head -c 2000' 'cat >/dev/null'
fails "a receiver that says garbage"
receiver "head -c 30000000 | $LAUNCHER.real migrate-receive"
fails "the stream is cut"
# shellcheck disable=SC2016 # for the receiver
beside 'for n in 0 1 2 3; do lab_take_all "fillup$n" $n; done'
fails "no memory for the copy any more"
beside "lab_leave 2 50; echo 'numa_policy = \"single-node\"' >$CONF"
fails "a strict policy is not met any more"
rm $CONF
killed_at xs_introduce_domain
fails "the receiver is killed when it has the memory"
SENDER=libxl_domain_rename
fails "the sender is killed before GO"
SENDER=
slow
kill_amid "migrate -s" &
fails "the sender is killed amid the copy"
killed_at libxl_domain_rename
fails "the receiver is killed after GO, before it renames"
killed_at libxl_domain_unpause
fails "the receiver is killed after it renamed"
SUSPEND=
fails "the guest ignores that it is to suspend"
SUSPEND=1
slow
kill_amid "placement rebalance" "migrate -s" &
cut_off "the command and the sender are killed amid the copy" ""
slow
kill_amid "placement rebalance" &
cut_off "the command is killed amid the copy" moved
far
killed_at libxl_domain_unpaused
moves "the receiver is killed after it unpaused"
far
moves "nothing fails"
