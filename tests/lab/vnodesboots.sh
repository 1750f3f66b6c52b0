# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Nodes that a guest sees do not kill it: PVH Linux guests of 300 MiB to 5 GiB boot
# four at a time, half of them with two or four nodes, half with one, and as many of
# each live. Those with nodes have their tables intact afterwards, for them and for dom0.
# `scripts/xen-lab run --linux --timeout 9000 tests/lab/vnodesboots.sh 10` boots 10 of
# each.
# named: yes
# host: lab-2x2.json
# linux: yes
# memory: 13000
# timeout: 9000

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

boots=${1:-40}
with=0
without=0
intact=0

# intact NAME: its tables, as it found them and as they are in its memory now.
intact() {
    [ "$(lab_linux_tables "$1")$(lab_vnodes "$(lab_domid "$1")")" = \
        "FACP SRAT SLIT $(lab_vnodes_reported "$(lab_domid "$1")")" ]
}

# count NAME NODES: does it live; and has it its tables? What is destroyed stays so: a
# second look is for the programs in dom0, which the emulator has die now and then.
count() {
    if ! lab_wait_linux_says "$1" 400; then
        echo "# $1 ($2): $(grep -h 'Kernel panic\|BUG: ' \
            "/var/log/xen/guest-$1.log" | head -n 1)"
    elif [ "$2" = off ]; then
        without=$((without + 1))
    else
        with=$((with + 1))
        if intact "$1" || intact "$1"; then
            intact=$((intact + 1))
        else
            echo "# $1 ($2): its tables: $(lab_linux_tables "$1")"
            lab_vnodes "$(lab_domid "$1")" | sed 's/^/#   /'
        fi
    fi
    lab_destroy "$1"
}

# build NAME MIB VCPUS [LINE...]: a guest. Under much load xl itself dies now and then,
# before its main(), as the emulator lost a register: that is no boot.
build() {
    lab_create_pvh_linux "$@" || {
        echo "# $1: xl create has failed; once more"
        lab_destroy "$1"
        lab_create_pvh_linux "$@"
    }
}

# boot MIB MIB: at the same time guests of two and of four nodes, and two of one.
boot() {
    build two "$1" 2 'numa_guest_nodes="2"'
    build one "$1" 2
    build four "$2" 4 'numa_guest_nodes="4"'
    build single "$2" 4
    count two 2
    count one off
    count four 4
    count single off
}

i=0
while [ $i -lt "$boots" ]; do
    case $((i / 2 % 5)) in
    0) boot 300 600 ;;
    1) boot 450 801 ;;
    2) boot 600 1200 ;;
    3) boot 1001 1500 ;;
    4) # 5 GiB: one of them at a time
        build five 5000 4 'numa_guest_nodes="4"'
        build six 300 2 'numa_guest_nodes="2"'
        count five 4
        count six 2
        build five 5000 4
        build six 300 2
        count five off
        count six off
        ;;
    esac
    i=$((i + 2))
    echo "# $i of each: $with alive with nodes, $without without"
done
is "of $boots with nodes as many live as of $boots without" "$with" "$without"
is "all of them live" "$with" "$boots"
is "the tables of each are intact" "$intact" "$boots"
