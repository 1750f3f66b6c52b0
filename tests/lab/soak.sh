# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Guests come and go, 500 of them, in rounds of ten: seven that are built, PV and
# PVH, one of which reboots, and three that fail: a policy that cannot be met, a
# builder that is killed (at a place that changes), and a device that cannot be had
# when all is built. Another reboots all the time. In the end the host has what it
# had, and no page was anywhere but where it was planned.
#
# `scripts/xen-lab run --timeout 9000 tests/lab/soak.sh 20` makes 20 guests.
# host: lab-2x2.json
# timeout: 9000
# named: yes

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

rounds=$((${1:-500} / 10))
kill_at="xc_numainfo xc_domain_node_setaffinity xc_domain_setmaxmem
    xc_domain_populate_physmap xs_introduce_domain"

# --- what the host has ------------------------------------------------------------

# The process whose command line has this in it.
pid_of() {
    for dir in /proc/[0-9]*; do
        { tr '\0' ' ' <"$dir/cmdline"; } 2>/dev/null | grep -q "$1" &&
            echo "${dir#/proc/}"
    done | head -n 1
}

# Kilobytes of field $2 of process $1.
kb_of() {
    awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"
}

count_fds() {
    for dir in /proc/[0-9]*; do
        ls "$dir/fd" 2>/dev/null
    done | wc -l
}

# Files on every file system that are somebody's to leave behind; logs are
# rotated, at ten of each guest.
list_files() {
    find / \( -path /proc -o -path /sys -o -path /dev -o -path /var/log/xen \
        -o -path '/tmp/lab.*' -o -path '/tmp/soak.*' \) -prune -o -type f -print
}

count_reservations() {
    grep -c ":$(stat -c %i /run/xl-numa/reservations) " /proc/locks
}

has_no_reservations() {
    [ "$(count_reservations)" = 0 ]
}

# What may not grow, as lines "KEY VALUE" in file soak.$1. A reservation is a slot of the
# table whose maker has a lock of it; who was killed leaves a slot without.
look() {
    xenstored=$(pid_of xenstored)
    xenstore-ls -f / | sed 's/ = .*//' | sort >"/tmp/soak.$1.xenstore"
    list_files | sort >"/tmp/soak.$1.files"
    {
        echo "reservations $(count_reservations)"
        echo "slots $(grep -ao xlnuma1 /run/xl-numa/reservations | wc -l)"
        echo "xenstore_nodes $(wc -l <"/tmp/soak.$1.xenstore")"
        echo "files $(wc -l <"/tmp/soak.$1.files")"
        echo "processes $(grep -l VmRSS /proc/[0-9]*/status 2>/dev/null | wc -l)"
        echo "open_fds $(count_fds)"
        echo "xenstored_kb $(kb_of "$xenstored" VmRSS)"
        echo "dom0_free_kb $(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)"
        echo "domains $(($("$LAB_STOCK_XL" list | wc -l) - 1))"
        echo "free_mib $(lab_free | tr ' ' ,)"
    } >"/tmp/soak.$1"
}

# What figure $2 was in file $1.
figure() {
    awk -v key="$2" '$1 == key { print $2 }' "/tmp/soak.$1"
}

# --- one round ----------------------------------------------------------------------

# counts AS TEXT: adds up what happened, as AS, or tells what happened instead.
counts() {
    if [ "$2" = "$3" ]; then
        echo "$1" >>/tmp/soak.happened
    else
        echo "$1: $2, expected $3: $(cat /tmp/soak.said)" >>/tmp/soak.wrong
    fi
}

# builds KIND STATUS NAME TYPE MIB [LINE...]
builds() {
    kind=$1 expected=$2 name=$3 type=$4 mib=$5
    shift 5
    lab_create "$name" "$type" "$mib" 1 "$@" >/tmp/soak.said 2>&1
    counts "$kind" $? "$expected"
}

# A builder is killed in the round's call; what it leaves goes with the others.
build_killed() {
    # shellcheck disable=SC2086 # words are meant
    set -- $kill_at
    shift $((round % $#))
    LAB_XL=lab_ours LAB_KILL=$1 lab_create victim pvh 300 1 \
        >/tmp/soak.said 2>&1
    counts killed $? 137
}

# Lines "NAME DOMID" of the round's guests; without a name it is the one that
# reboots all the time, which is being built.
list_guests() {
    "$LAB_STOCK_XL" list |
        awk 'NR > 1 && $2 && $1 != "ours" && $1 != "(null)" { print $1, $2 }'
}

# "DOMID NODE": where the round's guests were planned, by their reports; who was
# killed may not have one, and not all of its memory.
planned() {
    lab_planned |
        awk 'FNR == NR { is_there[$2] = ($1 != "victim"); next } is_there[$1]' \
            /tmp/soak.guests -
}

# Adds "GUESTS PAGES OFF" of the round, by the hypervisor's own count.
count_pages() {
    planned >/tmp/soak.planned
    lab_pages "$(awk 'END { print $2 }' /tmp/soak.guests)" >/dev/null ||
        return 1
    awk '
        FNR == NR { on[$1, $2] = 1; nr += !is_ours[$1]; is_ours[$1] = 1; next }
        $2 == "Domain" { domid = $3 + 0 }
        $2 == "Node" && is_ours[domid] {
            all += $4
            if (!((domid, $3 + 0) in on)) off += $4
        }
        END { print nr + 0, all + 0, off + 0 }' /tmp/soak.planned \
        /tmp/lab.dump >>/tmp/soak.pages
}

# holds NAME: has it been built again? It reboots five seconds later, unless it is
# paused, and what is destroyed while xl builds it may stay for good.
holds() {
    id=$(lab_domid "$1") && [ "$id" != "$first" ] &&
        "$LAB_STOCK_XL" pause "$id" &&
        lab_report "$id" version &&
        "$LAB_STOCK_XL" list "$id" | awk 'NR == 2 { exit $(NF - 1) !~ /^..p-/ }'
}

has_none() {
    [ -z "$(list_guests)" ]
}

one_round() {
    builds built 0 a pv 200
    builds built 0 b pvh 150
    builds built 0 c pv 64 "numa_nodes=\"$((round % 4))\""
    builds built 0 d pvh 96 'numa_memory="pack"'
    builds rebooted 0 reborn pvh 100 'cmdline="reboot"'
    first=$(lab_domid reborn)
    builds built 0 e pv 48 'numa_policy="single-node"'
    builds built 0 f pvh 80 "cpus_soft=\"$((round % 8))\""
    builds refused 3 strict pvh 9000 'numa_policy="single-node"'
    builds undone 3 broken pv 100 'vfb=["vnc=1"]'
    build_killed
    lab_wait 60 holds reborn || echo "no reboot" >>/tmp/soak.wrong
    list_guests >/tmp/soak.guests
    count_pages || echo "round $round: pages not counted" >>/tmp/soak.wrong
    # shellcheck disable=SC2046 # words are meant
    "$LAB_PARALLEL" -d $(awk '{ print $2 }' /tmp/soak.guests) 2>/dev/null
    lab_wait 60 has_none || list_guests >>/tmp/soak.wrong
}

# --- all of it ------------------------------------------------------------------------

# The xl that builds a guest whenever it reboots.
kb_of_xl() {
    kb_of "$(pid_of "xl create -q /tmp/ours.cfg")" VmRSS
}

round=0
one_round
lab_wait_scrubbed
: >/tmp/soak.happened
: >/tmp/soak.wrong
: >/tmp/soak.pages
: >/tmp/ours.cfg
look before
lab_create ours pvh 32 1 'cmdline="reboot"' 2>/dev/null
sleep 20
echo "xl_kb $(kb_of_xl)" >>/tmp/soak.before
begun=$(date +%s)
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    one_round
    [ $((round % 5)) != 1 ] ||
        echo "# $((round * 10)) guests after $(($(date +%s) - begun)) s," \
            "$(wc -l </tmp/soak.wrong) went wrong"
done
xl_kb=$(kb_of_xl)
nr=$(grep -c 'reason code 1' /var/log/xen/xl-ours.log)
echo "# $nr reboots of the guest that did nothing else"
ok "no reservation is left in a process that builds now and then" \
    lab_wait 60 has_no_reservations
lab_wait 60 holds ours
lab_destroy ours
lab_wait_scrubbed
lab_wait 60 lab_has_free "$(figure before free_mib | tr , ' ')"
look after
echo "xl_kb $xl_kb" >>/tmp/soak.after

awk 'FNR == NR { before[$1] = $2; next }
    FNR == 1 { printf "# %-16s %24s %24s\n", "", "before", "after" }
    { printf "# %-16s %24s %24s\n", $1, before[$1], $2 }' \
    /tmp/soak.before /tmp/soak.after
is "all happened as it should" "$(cat /tmp/soak.wrong)" ""
is "so many of each" \
    "$(sort /tmp/soak.happened | uniq -c | awk '{ print $2, $1 }')" \
    "built $((rounds * 6))
killed $rounds
rebooted $rounds
refused $rounds
undone $rounds"
# Six that were built, and one that was built again.
is "no page was off plan, of $(awk '{ n += $2 } END { print n }' /tmp/soak.pages)" \
    "$(awk '{ nr += $1; off += $3 } END { print nr, off }' /tmp/soak.pages)" \
    "$((rounds * 7)) 0"
for what in xenstore files; do
    is "nothing is left: $what" \
        "$(diff /tmp/soak.before.$what /tmp/soak.after.$what)" ""
done
for key in reservations processes open_fds domains; do
    is "as before: $key" "$(figure after $key)" "$(figure before $key)"
done
between "slots of who was killed are used again: two at once build" \
    "$(figure after slots)" 0 2
ok "as before: Xen's free memory" \
    lab_has_free "$(figure before free_mib | tr , ' ')"
