# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the lab's scenarios share: assertions, guests, and where memory really
# is. Sourced in dom0: . "$LAB_LIB". Measures with stock xl and lab/look.c, which asks Xen,
# so that what the product says is never its own witness.

# Assertions. Each prints one line, "ok - TEXT" or "not ok - TEXT", the latter
# followed by what was seen.

# ok TEXT COMMAND...: the command succeeds.
ok() {
    lab_text=$1
    shift
    lab_status=0
    lab_out=$("$@" 2>&1) || lab_status=$?
    if [ "$lab_status" = 0 ]; then
        echo "ok - $lab_text"
    else
        echo "not ok - $lab_text"
        printf '%s\n' "status $lab_status of: $*" "$lab_out" |
            sed 's/^/#   /'
    fi
}

# is TEXT GOT EXPECTED: the strings are the same.
is() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1"
        printf 'got:\n%s\nexpected:\n%s\n' "$2" "$3" | sed 's/^/#   /'
    fi
}

# between TEXT GOT LEAST MOST: the number is in the range.
between() {
    if awk -v got="$2" -v least="$3" -v most="$4" 'BEGIN {
        exit !(got != "" && got + 0 >= least + 0 && got + 0 <= most + 0) }'
    then
        echo "ok - $1"
    else
        echo "not ok - $1"
        echo "#   got: $2, expected: $3 to $4"
    fi
}

# Guests. LAB_XL is the xl that builds them, "xl" if it is not set.

# lab_create NAME TYPE MIB VCPUS [LINE...]: builds a guest; the lines go into
# its configuration, /tmp/NAME.cfg.
lab_create() {
    lab_cfg=/tmp/$1.cfg
    printf '%s\n' "name=\"$1\"" "type=\"$2\"" "memory=$3" "vcpus=$4" \
        "kernel=\"$LAB_KERNEL\"" >"$lab_cfg"
    shift 4
    [ $# = 0 ] || printf '%s\n' "$@" >>"$lab_cfg"
    "${LAB_XL:-xl}" create -q "$lab_cfg"
}

# LAB_XL=lab_ours_paused, or lab_stock_paused: the guest is left paused.

lab_ours_paused() {
    shift
    xl create -p "$@"
}

lab_stock_paused() {
    shift
    "$LAB_STOCK_XL" create -p "$@"
}

# lab_create_hvm NAME MIB VCPUS [LINE...]: builds an HVM guest with a device model.
# Our tiny kernel is its firmware and it has no graphics: SeaBIOS and VGA may spin
# for minutes under emulation. firmware_override="hvmloader" gets the real one.
# Only with "# hvm: yes".
lab_create_hvm() {
    lab_cfg=/tmp/$1.cfg
    printf '%s\n' "name=\"$1\"" 'type="hvm"' "memory=$2" "vcpus=$3" 'vnc=0' \
        'tsc_mode="native"' >"$lab_cfg"
    shift 3
    case $* in *vga=*) ;; *) set -- 'vga="none"' "$@" ;; esac
    case $* in
    *firmware_override=*) ;;
    *) set -- "firmware_override=\"$LAB_KERNEL\"" "$@" ;;
    esac
    printf '%s\n' "$@" >>"$lab_cfg"
    "${LAB_XL:-xl}" create -q "$lab_cfg"
}

# lab_hvm_reboots PORT: the line for lab_create_hvm of a guest that reboots five
# seconds after each start: a debug console at port 0x402. At port 0x403 it is
# once, and a soft reset.
lab_hvm_reboots() {
    echo 'device_model_args=["-chardev","null,id=d",' \
        "\"-device\",\"isa-debugcon,iobase=$1,chardev=d\"]"
}

# lab_create_linux NAME MIB VCPUS [LINE...]: builds a Linux PV guest, which can
# be saved once it runs (lab_wait_linux). Only with "# linux: yes".
lab_create_linux() {
    lab_name=$1 lab_mib=$2 lab_nr=$3
    shift 3
    LAB_KERNEL=$LAB_LINUX lab_create "$lab_name" pv "$lab_mib" "$lab_nr" \
        "ramdisk=\"$LAB_LINUX_INITRD\"" 'extra="console=hvc0 quiet"' "$@"
}

# Leaves in /tmp/linux-initrd the ramdisk whose first process is linux-init.
lab_make_linux_initrd() {
    [ -s /tmp/linux-initrd ] ||
        cat "$LAB_LINUX_INITRD" /lab/linux-more >/tmp/linux-initrd
}

# The words of the command line of a PVH or HVM Linux. The speed of the TSC: to find out by
# itself, from a timer that Xen emulates, takes it 11 s of a boot's 28. Its watchdog of soft
# lockups wakes each CPU every 4 s: QEMU 7.2's VMRUN drops the VMCB's interrupt shadow, so
# Xen may inject an interrupt between Linux's STI and HLT, and the CPU that it was to wake
# sleeps until the next one, if there is any.
lab_linux_words() {
    echo "console=hvc0 mitigations=off lpj=10000000 nmi_watchdog=0 quiet \
cryptomgr.notests pci=noearly $(lab_host |
        awk '$1 == "cpu_mhz" { print "tsc_early_khz=" int($3 * 1000) }')"
}

# lab_create_pvh_linux NAME MIB VCPUS [LINE...]: builds a Linux PVH guest that
# says on its console what nodes it sees; LAB_WORDS are more of its command line.
lab_create_pvh_linux() {
    lab_name=$1 lab_mib=$2 lab_nr=$3
    shift 3
    lab_make_linux_initrd
    rm -f "/var/log/xen/guest-$lab_name.log"
    LAB_KERNEL=$LAB_LINUX lab_create "$lab_name" pvh "$lab_mib" "$lab_nr" \
        'ramdisk="/tmp/linux-initrd"' 'tsc_mode="native"' \
        "extra=\"$(lab_linux_words) 8250.nr_uarts=0 ${LAB_WORDS:-}\"" \
        'on_crash="preserve"' 'on_reboot="preserve"' "$@"
}

# lab_create_hvm_linux NAME MIB VCPUS [LINE...]: the same as an HVM guest. Only with
# "# linux: yes" and "# hvm: yes". It is known to boot in this machine of QEMU's, and
# with a compressed ramdisk.
lab_create_hvm_linux() {
    lab_name=$1 lab_mib=$2 lab_nr=$3
    shift 3
    [ -s /tmp/linux-initrd.gz ] ||
        cat "$LAB_LINUX_INITRD" /lab/linux-more | gzip -1 >/tmp/linux-initrd.gz
    rm -f "/var/log/xen/guest-$lab_name.log"
    lab_create_hvm "$lab_name" "$lab_mib" "$lab_nr" \
        'firmware_override="hvmloader"' "kernel=\"$LAB_LINUX_HVM\"" \
        'ramdisk="/tmp/linux-initrd.gz"' \
        "extra=\"$(lab_linux_words) earlyprintk=xen ${LAB_WORDS:-}\"" \
        'device_model_args_hvm=["-machine","xenfv-4.2,suppress-vmdesc=on"]' \
        'on_crash="preserve"' 'on_reboot="preserve"' "$@"
}

# What the Linux guest $1 said since it started, and has it said all?
lab_linux_says() {
    { tr -d '\r' <"/var/log/xen/guest-$1.log"; } 2>/dev/null |
        sed -n 's/^GUEST //p'
}

lab_linux_is_over() {
    lab_linux_says "$1" | grep -qx end && return
    lab_state=$("$LAB_LOOK" state "$1")
    case $?,$lab_state in
    1,* | *,crashed* | *,shutdown*) ;; # 1: there is no such guest
    *) return 1 ;;
    esac
}

lab_linux_has_ended() {
    lab_linux_says "$1" | grep -qx end
}

# lab_wait_linux_says NAME [SECONDS]: until it has said all; fails if it died, hangs or
# takes longer, and prints what is left of it. It hangs if LAB_STILL looks (60), a second
# apart, find that it took no CPU time: a slow one takes some.
lab_wait_linux_says() {
    lab_until=$(($(date +%s) + ${2:-400})) lab_still=0 lab_before=
    until lab_linux_is_over "$1"; do
        [ "$lab_state" = "$lab_before" ] || lab_still=0
        lab_still=$((lab_still + 1)) lab_before=$lab_state
        if [ $lab_still -gt "${LAB_STILL:-60}" ]; then
            echo "# $1 stands still"
            break
        elif [ "$(date +%s)" -ge "$lab_until" ]; then
            echo "# $1 has not ended in ${2:-400} s"
            break
        fi
        sleep 1
    done
    lab_wait 2 lab_linux_has_ended "$1" && return
    lab_linux_remains "$1"
    return 1
}

# lab_linux_remains NAME: lines "# ..." of a Linux guest that died or hangs: its state, the
# end of its console, and what Xen has of its vCPUs: registers, what holds them, and the
# queues that they wait in.
lab_linux_remains() {
    lab_id=$(lab_domid "$1")
    {
        echo "dom0 is up for $(cut -d' ' -f1 /proc/uptime) s"
        "$LAB_STOCK_XL" list "$1"
        "$LAB_STOCK_XL" vcpu-list "$1"
        tail -n 40 "/var/log/xen/guest-$1.log" | tr -d '\r'
        lab_debug_key v | awk -v domain=">>> Domain $lab_id <<<" '
            />>> Domain/ { inside = index($0, domain) }
            inside && /VCPU|RIP|RFLAGS|CR2|ExitCode|exitcode|[Ee]vent/'
        lab_debug_key q | awk -v id="$lab_id:" '
            /formation .*for domain/ { inside = $NF == id }
            inside && /VCPU[0-9]|pause_/'
        lab_debug_key r | grep -F -e "[$lab_id." -e run: -e RUNQ -e Runqueue \
            -e idlers: -e tickled: -e NOW=
    } 2>&1 | sed 's/^/# /'
}

# lab_debug_key KEY: what Xen prints then, all of it before the hypercall returns.
lab_debug_key() {
    "$LAB_LOOK" ring >/dev/null
    "$LAB_LOOK" key "$1"
    "$LAB_LOOK" ring
}

# lab_linux_nodes NAME: the nodes that the Linux guest sees, as
# "NODE:CPUS:DISTANCES;...".
lab_linux_nodes() {
    lab_linux_says "$1" | sed -n \
        's/^node\([0-9]*\) cpus \([^ ]*\) distance \(.*\) kb .*/\1:\2:\3/p' | tr '\n' ';'
}

# lab_check_bound TEXT NAME DOMID: assertions that the Linux guest, with "bound" in
# LAB_WORDS, got what a process bound to each node took in the range of addresses that
# the node has, which is on one node of the host.
lab_check_bound() {
    lab_linux_says "$2" | sed -n 's/^bound //p' >/tmp/bound
    while read -r lab_vnode lab_first lab_last lab_bound; do
        is "$1: what is bound to node $lab_vnode is there ($lab_bound pages)" \
            "$(lab_is_inside "$lab_first" "$lab_last" \
                "$(lab_report "$3" "vnode/$lab_vnode/ranges")")" yes
    done </tmp/bound
    is "$1: a process was bound to each node" "$(cut -d' ' -f1 /tmp/bound | sort -u |
        wc -l)" "$(lab_report "$3" guest_nodes)"
}

# lab_is_inside FIRST LAST RANGES: "yes" if the frames, in hexadecimal, are in one of
# "0xA-0xB,...".
lab_is_inside() {
    for lab_range in $(echo "$3" | tr ',' ' '); do
        [ $((0x$1 << 12)) -ge $((${lab_range%-*})) ] &&
            [ $((0x$2 << 12)) -lt $((${lab_range#*-})) ] && echo yes
    done
}

# lab_linux_tables NAME: which of its ACPI tables FACP, SRAT and SLIT the Linux guest
# finds whole.
lab_linux_tables() {
    lab_linux_says "$1" | sed -n 's/^table \(.*\) sum 0$/\1/p' | tr '\n' ' '
}

# lab_vnodes DOMID: the nodes that the ACPI tables in the guest's memory have, one a
# line, as "K VCPUS RANGES"; APIC ids are twice the vCPU's number. "none" if there are
# none, or one is wrong: no report has that.
lab_vnodes() {
    /lab/guest-acpi "$1" >/tmp/lab.acpi || { echo none; return 1; }
    awk '$1 == "cpu" { cpus[$2] = cpus[$2] (cpus[$2] == "" ? "" : ",") $3 / 2 }
        $1 == "memory" { at[$2] = at[$2] (at[$2] == "" ? "" : ",") $3
                         if ($2 > last) last = $2 }
        END { for (n = 0; n <= last; n++) print n, "[" cpus[n] "]", at[n] }' \
        /tmp/lab.acpi
}

# lab_report DOMID KEY: the key's value in the guest's report; fails if it has none.
lab_report() {
    xenstore-read -R "/libxl/$1/numa-placement" 2>/dev/null |
        awk -v key="$2=" 'index($0, key) == 1 {
            print substr($0, length(key) + 1)
            found = 1
        } END { exit !found }'
}

# "DOMID NODE" for each node that memory was planned on, by all reports.
lab_planned() {
    for lab_id in $(xenstore-list /libxl); do
        xenstore-read -R "/libxl/$lab_id/numa-placement" 2>/dev/null |
            sed -n "s|^node/\(.*\)/planned_kb=[1-9].*|$lab_id \1|p"
    done
}

# lab_vnodes_reported DOMID: what lab_vnodes is to print, by the report in xenstore.
lab_vnodes_reported() {
    lab_vnode=0
    while lab_ranges=$(lab_report "$1" "vnode/$lab_vnode/ranges"); do
        echo "$lab_vnode [$(lab_list \
            "$(lab_report "$1" "vnode/$lab_vnode/vcpus")" |
            tr '\n' ',' | sed 's/,$//')] $lab_ranges"
        lab_vnode=$((lab_vnode + 1))
    done
}

# lab_linux_seconds NAME: for how long the Linux guest has run, by its own count
# on its console; 0 before that. It starts again when the guest does.
lab_linux_seconds() {
    { tr -d '\r' <"/var/log/xen/guest-$1.log"; } 2>/dev/null |
        awk '/^seconds [0-9]+$/ { n = $2 } END { print n + 0 }'
}

lab_runs_linux() {
    [ "$(lab_linux_seconds "$1")" -gt "$2" ]
}

# lab_wait_linux NAME [SECONDS]: until the Linux guest has run for more than so
# many seconds, by its own count (0 if not given: until it is up). One thread emulates all
# CPUs: a look takes time from the guest.
lab_wait_linux() {
    LAB_PAUSE=1000000 lab_wait 300 lab_runs_linux "$1" "${2:-0}"
}

lab_domid() {
    "$LAB_LOOK" id "$1"
}

# For how many seconds dom0 is up.
lab_uptime() {
    read -r lab_up _ </proc/uptime
    echo "${lab_up%.*}"
}

# lab_wait SECONDS COMMAND...: until the command succeeds, which is tried every LAB_PAUSE
# microseconds (200000).
lab_wait() {
    lab_until=$(($(lab_uptime) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(lab_uptime)" -lt "$lab_until" ] || return 1
        usleep "${LAB_PAUSE:-200000}"
    done
}

# lab_is_another NAME DOMID: the guest of that name is another domain now, as after a
# reboot.
lab_is_another() {
    lab_now=$(lab_domid "$1") && [ "$lab_now" != "$2" ]
}

lab_is_gone() {
    "$LAB_LOOK" exists "$1"
    [ $? = 1 ]
}

# lab_destroy NAME: returns when the guest is gone, memory and all.
lab_destroy() {
    lab_gone=$(lab_domid "$1") || return 1
    "$LAB_STOCK_XL" destroy "$1" && lab_wait 60 lab_is_gone "$lab_gone"
}

# lab_destroy_all NAME...: as lab_destroy, several at once.
lab_destroy_all() {
    lab_gone=$(for lab_one; do lab_domid "$lab_one"; done)
    # shellcheck disable=SC2086 # numbers
    "$LAB_PARALLEL" -d $lab_gone && lab_wait 60 lab_are_gone $lab_gone
}

# lab_are_gone DOMID...
lab_are_gone() {
    for lab_one; do
        lab_is_gone "$lab_one" || return 1
    done
}

lab_is_blocked() {
    case $("$LAB_LOOK" state "$1") in blocked*) ;; *) return 1 ;; esac
}

# lab_wait_blocked NAME: until the tiny guest has done what its command line
# says, but for "reboot".
lab_wait_blocked() {
    lab_wait 60 lab_is_blocked "$1"
}

# Three guests by stock xl, so that no node of lab-2x2 can hold a big one: about
# 2650, 1010, 2250 and 2300 MiB are left.
lab_load_2x2() {
    LAB_XL=$LAB_STOCK_XL lab_create load1 pvh 800 2 &&
        LAB_XL=$LAB_STOCK_XL lab_create load2 pvh 1000 2 &&
        LAB_XL=$LAB_STOCK_XL lab_create load3 pvh 1100 2
}

# The same on a host of host-memory: 5120, or a little more: 640, 240, 540 and 560 MiB
# are left.
lab_load_small_2x2() {
    lab_leave 0 640 && lab_leave 1 240 && lab_leave 2 540 && lab_leave 3 560
}

# Builds with the lab's shim (tests/lab/shim.c) in xl, between the hook and
# libxenctrl: LAB_XL=lab_ours or lab_stock. What it does is in the variables
# LAB_COUNT, LAB_HOLD, LAB_KILL, LAB_NODE, LAB_SLOW, LAB_SUSPEND, LAB_TTY and
# LAB_CALLS.

lab_shimmed() {
    lab_preload=$1
    shift
    env LAB_COUNT="${LAB_COUNT:-}" LAB_HOLD="${LAB_HOLD:-}" \
        LAB_NODE="${LAB_NODE:-}" LAB_CALLS="${LAB_CALLS:-}" \
        LAB_KILL="${LAB_KILL:-}" LAB_SLOW="${LAB_SLOW:-}" LAB_TTY="${LAB_TTY:-}" \
        LAB_SUSPEND="${LAB_SUSPEND:-}" \
        LD_PRELOAD="$lab_preload$LAB_SHIM" \
        "$LAB_STOCK_XL" "$@"
}

lab_ours() {
    lab_shimmed /usr/local/lib/xl-numa/libxlnuma-preload.so: "$@"
}

lab_stock() {
    lab_shimmed "" "$@"
}

# lab_take NAME NODE MIB [LINE...]: a PV guest takes so much of exactly this
# node; nothing of the product's is involved.
lab_take() {
    lab_name=$1 LAB_NODE=$2 lab_mib=$3
    shift 3
    LAB_XL=lab_stock lab_create "$lab_name" pv "$lab_mib" 1 "$@"
    lab_status=$?
    LAB_NODE=
    return $lab_status
}

# lab_take_all NAME NODE [LINE...]: as lab_take, all that the node has.
lab_take_all() {
    lab_name=$1 lab_node=$2
    shift 2
    lab_take "$lab_name" "$lab_node" \
        $(($(lab_free | cut -d' ' -f$((lab_node + 1))) - 1)) "$@"
}

# The CPUs of node $1.
lab_cpus_of() {
    lab_host | awk -v node="$1" '
        /^cpu_topology/ { inside = 1; next }
        inside && /^ *[0-9]+:/ { if ($4 == node) print $1 + 0; next }
        inside && !/^cpu:/ { inside = 0 }'
}

# Lines "NODE PAGES": those that are free but not scrubbed.
lab_dirty_pages() {
    lab_debug_key H | awk '/unscrubbed pages/ { print $3 + 0, $5 }'
}

# lab_soil NODE...: all that is free on these nodes was a guest's that has just
# been destroyed. Xen scrubs memory while the node's CPUs are idle; so guests
# keep them busy until lab_unsoil.
lab_soil() {
    for lab_soiled; do
        for lab_cpu in $(lab_cpus_of "$lab_soiled"); do
            lab_take "spin$lab_cpu" "$lab_soiled" 8 'cmdline="spin"' \
                "cpus=\"$lab_cpu\"" || return 1
        done
        lab_take_all soil "$lab_soiled" && lab_destroy soil || return 1
    done
}

lab_unsoil() {
    for lab_spinner in $("$LAB_STOCK_XL" list | awk '/^spin/ { print $1 }'); do
        lab_destroy "$lab_spinner"
    done
    lab_wait_scrubbed
}

# lab_fragment NODE 2m|1g: guest fragNODE takes all of the node's memory and
# gives back what leaves no such extent free.
lab_fragment() {
    lab_take_all "frag$1" "$1" "cmdline=\"fragment$2\"" &&
        lab_wait_blocked "frag$1"
}

# lab_extents_on NODE ORDER: how many such extents a PVH guest of 1100 MiB gets
# there from Xen; at most one of 1 GiB.
lab_extents_on() {
    : >/tmp/lab.count
    LAB_XL=lab_stock LAB_NODE=$1 LAB_COUNT=/tmp/lab.count \
        lab_create probe pvh 1100 1
    lab_extents "$2"
    lab_destroy probe
}

# lab_are_held NR: so many processes that began with LAB_HOLD=/tmp/lab.held have stopped.
lab_are_held() {
    [ "$(wc -l </tmp/lab.held)" -eq "$1" ] || return 1
    while read -r lab_pid; do
        [ "$(awk '{ print $3 }' "/proc/$lab_pid/stat")" = T ] || return 1
    done </tmp/lab.held
}

# lab_hold NAME TYPE MIB VCPUS [LINE...]: begins to build a guest as lab_create
# does, and returns when it is planned but has no memory yet. LAB_XL is lab_ours
# if it is not set. What xl says is in /tmp/lab.said.
lab_hold() {
    rm -f /tmp/lab.held /tmp/lab.released
    (
        LAB_XL=${LAB_XL:-lab_ours} LAB_HOLD=/tmp/lab.held lab_create "$@"
        echo $? >/tmp/lab.released
    ) >/tmp/lab.said 2>&1 &
    lab_wait 60 lab_are_held 1
}

# The guest of lab_hold is built on; returns what its xl create does.
lab_release() {
    kill -CONT "$(cat /tmp/lab.held)"
    lab_wait 120 test -s /tmp/lab.released &&
        return "$(cat /tmp/lab.released)"
}

# lab_extents ORDER: how many such extents are in file /tmp/lab.count.
lab_extents() {
    awk -v order="$1" '$1 == order { n += $2 } END { print n + 0 }' \
        /tmp/lab.count
}

# lab_leave NODE MIB [NAME]: a guest, fillNODE if not given, takes the node's memory but
# for so much.
lab_leave() {
    lab_take "${3:-fill$1}" "$1" $(($(lab_free | cut -d' ' -f$(($1 + 1))) - $2))
}

# libvirt, only with "# libvirt: yes".

lab_virsh() {
    timeout 200 virsh -q -c xen:///system "$@"
}

# Starts libvirtd as Debian's packages have it: under AppArmor's profile, with what
# xl-numa-libvirt puts into its unit, and has that package's programs in /usr/sbin and
# link in libvirt's folder. The arguments are more of its environment.
lab_start_libvirtd() {
    ifconfig lo 127.0.0.1 up
    mkdir -p /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt \
        /etc/libvirt/hooks/libxl.d /tmp/libvirt
    mount --bind /tmp/libvirt /var/lib/libvirt # saved guests have room there
    cp /usr/local/sbin/xl-numa-* /usr/sbin/
    ln -sf /usr/sbin/xl-numa-libvirt /etc/libvirt/hooks/libxl.d/xl-numa
    grep -q '^libvirtd ' /sys/kernel/security/apparmor/profiles 2>/dev/null || {
        mount -t securityfs none /sys/kernel/security
        apparmor_parser -r -K /etc/apparmor.d/usr.sbin.libvirtd || return 1
    }
    # shellcheck disable=SC2046 # words are meant
    env $(sed -n 's/^Environment=//p' /usr/local/share/xl-numa/libvirt.conf) \
        LIBXL_SAVE_HELPER=/usr/sbin/xl-numa-save-helper "$@" \
        libvirtd >/tmp/libvirtd.log 2>&1 &
    echo $! >/tmp/lab.libvirtd
    lab_wait 120 lab_virsh version
}

lab_stop_libvirtd() {
    kill "$(cat /tmp/lab.libvirtd)"
    lab_wait 60 test ! -e "/proc/$(cat /tmp/lab.libvirtd)"
}

# lab_define NAME TYPE MIB [XML [IN_OS [CMDLINE]]]: a guest of two vCPUs; TYPE is xenpv,
# xenpvh or xenfv, XML goes into <domain>, IN_OS into <os>. Then virsh does LAB_THEN, if
# it is set.
lab_define() {
    case $2 in
    xenpv) lab_os=linux ;;
    xenpvh) lab_os=xenpvh ;;
    xenfv) lab_os=hvm ;;
    esac
    lab_boots="<kernel>$LAB_KERNEL</kernel>"
    [ "$lab_os" != hvm ] || lab_boots=
    # One virsh does both: it takes a while to start under emulation.
    lab_commands="define /tmp/$1.xml"
    [ ! -e "/tmp/$1.xml" ] || lab_commands="undefine $1; $lab_commands"
    cat >"/tmp/$1.xml" <<END
<domain type='xen'>
  <name>$1</name>
  <memory unit='MiB'>$3</memory>
  <vcpu>2</vcpu>
  ${4:-}
  <os>
    <type arch='x86_64' machine='$2'>$lab_os</type>
    ${5:-$lab_boots}
    <cmdline>${6:-}</cmdline>
  </os>
  <on_reboot>restart</on_reboot>
</domain>
END
    sed -i "s,<vcpu>2</vcpu>,${LAB_VCPU:-&}," "/tmp/$1.xml"
    lab_virsh "$lab_commands${LAB_THEN:+; $LAB_THEN}"
}

# Facts of the host and of a guest's memory.

# lab_xen_before VERSION: is the hypervisor older, "4.21"? For what is true of stock
# Xen up to a version.
lab_xen_before() {
    lab_host | awk -v version="$1" '
        /^xen_major/ { major = $3 }
        /^xen_minor/ { minor = $3 }
        END {
            split(version, v, ".")
            exit !(major < v[1] || (major == v[1] && minor < v[2]))
        }'
}

# What xl says of the host's CPUs and nodes, once a boot: nothing of it changes but the
# free memory, which is not to be taken from here. (Each xl takes some tenths of a second.)
lab_host() {
    [ -s /tmp/lab.host ] || {
        "$LAB_STOCK_XL" info -n >/tmp/lab.host.new || return 1
        mv /tmp/lab.host.new /tmp/lab.host
    }
    cat /tmp/lab.host
}

# Lines "NODE SIZE FREE DISTANCE...", in MiB.
lab_nodes() {
    "$LAB_LOOK" nodes
}

lab_nr_nodes() {
    lab_nodes | wc -l
}

# Free MiB of each node, on one line.
lab_free() {
    lab_nodes | awk '{ printf "%s%s", sep, $3; sep = " " } END { print "" }'
}

# lab_has_free "MIB MIB...": each node has that much free again, but for Xen's own
# few pages that come and go.
lab_has_free() {
    echo "$1 $(lab_free)" | awk '{
        for (i = 1; i <= NF / 2; i++) {
            off = $i - $(i + NF / 2)
            if (off < -2 || off > 2)
                exit 1
        }
    }'
}

# Xen scrubs the memory of destroyed guests while it idles; until then stock
# xl's guests land elsewhere than on clean memory.
lab_is_scrubbed() {
    ! lab_debug_key H | grep -q 'unscrubbed pages'
}

lab_wait_scrubbed() {
    lab_wait 60 lab_is_scrubbed
}

# The complete section of domain $1 in the hypervisor's dump $2, as lines
# "NODE PAGES"; fails while lines are missing.
lab_parse_dump() {
    awk -v domid="$1" -v nr_nodes="$(lab_nr_nodes)" '
        $2 == "Domain" { inside = ($3 == domid) }
        inside && $2 == "Node" { print $3 + 0, $4; lines++ }
        END { exit lines != nr_nodes }' "$2"
}

# Leaves Xen's dump in /tmp/lab.dump. A domain is "Domain 1" there, as Xen 4.17 has
# it; to 4.18 it is "d1".
lab_dump() {
    lab_debug_key u | sed 's/^(XEN) d\([0-9]* (total: \)/(XEN) Domain \1/' >/tmp/lab.dump
}

# lab_pages DOMID: lines "NODE PAGES" by the hypervisor's own count. It walks
# every page of the host, which takes seconds, so a domain is counted once.
lab_pages() {
    lab_counted=/tmp/lab.pages.$1
    if [ ! -e "$lab_counted" ]; then
        lab_dump
        lab_parse_dump "$1" /tmp/lab.dump >/tmp/lab.pages.new || return 1
        mv /tmp/lab.pages.new "$lab_counted"
    fi
    cat "$lab_counted"
}

# lab_pages_on DOMID NODE: how many pages of it are there.
lab_pages_on() {
    lab_pages "$1" | awk -v node="$2" '$1 == node { print $2 }'
}

# lab_share_on DOMID NODE: percent of its pages.
lab_share_on() {
    lab_pages "$1" | awk -v node="$2" '
        { all += $2 } $1 == node { here = $2 }
        END { if (all) printf "%.2f\n", 100 * here / all }'
}

# What Xen does to guests' page tables is noted from here on, until lab_large_pages.
lab_trace_pages() {
    /usr/lib/xen-lab/xentrace -D -S 256 -s 50 -e 0x0010f000 \
        /tmp/lab.trace >/dev/null 2>&1 &
    lab_tracer=$!
    sleep 1
}

# lab_large_pages DOMID: "LARGE ALL", how many pages of the HVM or PVH guest, which
# was built meanwhile, are in entries of 2 MiB or more of the tables, by Xen's trace.
lab_large_pages() {
    sleep 1
    kill "$lab_tracer"
    wait "$lab_tracer"
    "$LAB_P2M" "$1" /tmp/lab.trace
    rm -f /tmp/lab.trace
}

# lab_pages_at DOMID RANGES...: how many of the guest's pages at each of these guest
# addresses ("0xSTART-0xEND") are on each node, a line for each; of an HVM or PVH
# guest that was built since lab_trace_pages, by Xen's trace. Ends the trace.
lab_pages_at() {
    lab_traced=$1
    shift
    sleep 1
    kill "$lab_tracer"
    wait "$lab_tracer"
    lab_pages "$lab_traced" >/dev/null # the dump has where nodes end
    lab_ends=$(sed -n 's/.*NODE[0-9]* start->\([0-9]*\) size->\([0-9]*\) .*/\1 \2/p' \
        /tmp/lab.dump | awk '{ printf "%d ", $1 + $2 }')
    for lab_at; do
        # shellcheck disable=SC2086 # words are meant
        "$LAB_P2M" "$lab_traced" /tmp/lab.trace "$lab_at" $lab_ends
    done
    rm -f /tmp/lab.trace
}

# lab_check_by_address TEXT DOMID NR: assertions that the guest sees NR nodes, and that
# each of them has its memory on the node of the host that the report says, by Xen's
# trace of guest addresses: of a guest that was built since lab_trace_pages. A page
# that it shares with Xen is one of Xen's own, on any node; a VGA's are none.
lab_check_by_address() {
    lab_what=$1 lab_seer=$2 lab_seen=$3 lab_vnode=0
    set --
    while lab_ranges=$(lab_report "$lab_seer" "vnode/$lab_vnode/ranges"); do
        set -- "$@" "$lab_ranges"
        lab_vnode=$((lab_vnode + 1))
    done
    is "$lab_what: the report has $lab_seen nodes" "$#" "$lab_seen"
    lab_pages_at "$lab_seer" "$@" >/tmp/lab.at
    lab_vnode=0
    while [ $lab_vnode -lt $# ]; do
        lab_home=$(lab_report "$lab_seer" "vnode/$lab_vnode/node")
        lab_kb=$(lab_report "$lab_seer" "vnode/$lab_vnode/planned_kb")
        lab_vnode=$((lab_vnode + 1))
        between "$lab_what: the addresses of node $((lab_vnode - 1)) are on node $lab_home" \
            "$(awk -v row=$lab_vnode -v home="$lab_home" \
                'NR == row { print $(home + 1) }' /tmp/lab.at)" \
            $((lab_kb / 4 - 64)) $((lab_kb / 4))
        between "$lab_what: and none elsewhere, but one of Xen's" \
            "$(awk -v row=$lab_vnode -v home="$lab_home" 'NR == row {
                for (i = 1; i <= NF; i++) if (i != home + 1) off += $i
                print off + 0 }' /tmp/lab.at)" 0 2
    done
}

# The nodes of Xen's list $1 ("0,2-3"), one a line.
lab_list() {
    echo "$1" | tr ',' '\n' | awk -F- '
        { for (i = $1; i <= $NF; i++) print i }'
}

# lab_affinity DOMID: its node affinity as Xen's list ("0,2-3").
lab_affinity() {
    "$LAB_LOOK" affinity "$1"
}

# lab_placed NAME: its number and node affinity, "5 0,2-3".
lab_placed() {
    echo "$(lab_domid "$1") $(lab_affinity "$1")"
}

# lab_vcpus DOMID: "HARD / SOFT" affinity of each vCPU.
lab_vcpus() {
    "$LAB_LOOK" vcpus "$1"
}

# lab_pins DOMID: the hard affinity of each vCPU, on one line, with a blank after each.
lab_pins() {
    "$LAB_LOOK" vcpus "$1" | awk '{ printf "%s ", $1 }'
}

# lab_pages_off DOMID NODES: pages of the guest that are not on these nodes.
lab_pages_off() {
    {
        lab_list "$2"
        lab_pages "$1"
    } | awk 'NF == 1 { planned[$1] = 1; next }
        !($1 in planned) { off += $2 } { all += $2 }
        END { if (!all) exit 1; print off + 0 }'
}

# lab_offplan DOMID NODES: percent of the guest's pages outside these nodes.
lab_offplan() {
    lab_off=$(lab_pages_off "$1" "$2") &&
        lab_pages "$1" | awk -v off="$lab_off" '
            { all += $2 } END { printf "%.3f\n", 100 * off / all }'
}

# lab_off_socket SECONDS DOMID...: where these domains' vCPUs run for so long; lines
# "DOMID VCPU BUSY OFF": percent of the time that it ran, and of that on other sockets
# than those of the domain's node affinity.
lab_off_socket() {
    "$LAB_VCPUS" "$@" >/tmp/lab.vcpus &
    shift
    lab_host | awk '
        /^cpu_topology/ { inside = 1; next }
        inside && /^ *[0-9]+:/ { print "socket", $4, $3; next }
        inside && !/^cpu:/ { inside = 0 }' >/tmp/lab.homes
    for lab_id; do
        lab_list "$(lab_affinity "$lab_id")" | sed "s/^/home $lab_id /"
    done >>/tmp/lab.homes
    wait $!
    awk '
        $1 == "socket" { socket[$2] = $3; next }
        $1 == "home" { home[$2, socket[$3]] = 1; next }
        $3 == "all" { ran[$1 " " $2] = $4; looked[$1 " " $2] = $5; next }
        !(($1, socket[$3]) in home) { off[$1 " " $2] += $4 }
        END { for (v in ran)
                  if (looked[v])
                      printf "%s %.1f %.1f\n", v, 100 * ran[v] / looked[v],
                          ran[v] ? 100 * off[v] / ran[v] : 0
        }' /tmp/lab.homes /tmp/lab.vcpus
}

# lab_node_cpus: lines "NODE NR_CPUS".
lab_node_cpus() {
    lab_host | awk '
        /^cpu_topology/ { inside = 1; next }
        inside && /^ *[0-9]+:/ { cpus[$4]++; next }
        inside && !/^cpu:/ { inside = 0 }
        END { for (node in cpus) print node, cpus[node] }'
}

# lab_distance DOMID NODES: the mean distance from the guest's vCPUs, evenly on
# the CPUs of these nodes, to its memory where it is.
lab_distance() {
    {
        lab_list "$2" | sed 's/^/chosen /'
        lab_node_cpus | sed 's/^/cpus /'
        lab_pages "$1" | sed 's/^/pages /'
        lab_nodes | sed 's/^/node /'
    } | awk '
        $1 == "chosen" { chosen[$2] = 1 }
        $1 == "cpus" && ($2 in chosen) { cpus[$2] = $3; nr_cpus += $3 }
        $1 == "pages" { pages[$2] = $3; all += $3 }
        $1 == "node" && ($2 in cpus) {
            for (j in pages) sum += cpus[$2] * pages[j] * $(5 + j)
        }
        END { if (!all || !nr_cpus) exit 1
              printf "%.2f\n", sum / nr_cpus / all }'
}

# lab_distance_run DOMID: the mean distance from where the guest's vCPUs ran, when
# lab_off_socket looked, to its memory where it is.
lab_distance_run() {
    {
        awk -v id="$1" '$1 == id && $3 != "all" { print "ran", $3, $4 }' \
            /tmp/lab.vcpus
        lab_pages "$1" | sed 's/^/pages /'
        lab_nodes | sed 's/^/node /'
    } | awk '
        $1 == "ran" { ran[$2] += $3; all_ran += $3 }
        $1 == "pages" { pages[$2] = $3; all += $3 }
        $1 == "node" && ($2 in ran) {
            for (j in pages) sum += ran[$2] * pages[j] * $(5 + j)
        }
        END { if (!all || !all_ran) exit 1
              printf "%.2f\n", sum / all_ran / all }'
}

# lab_check_many_nodes NR: the assertions of the scenarios with many nodes, two
# a socket: a guest of 900 MiB, which no node has.
lab_check_many_nodes() {
    is "the host has $1 nodes" "$(lab_nodes | wc -l)" "$1"
    is "no node has 900 MiB" \
        "$(lab_nodes | awk '$3 >= 900' | wc -l)" 0
    for lab_type in pv pvh; do
        ok "$lab_type: a guest of 900 MiB is built" \
            lab_create big $lab_type 900 2
        lab_id=$(lab_domid big)
        lab_on=$(lab_affinity "$lab_id")
        is "$lab_type: it is on siblings ($lab_on)" \
            "$(echo "$lab_on" | tr -d , | awk -F- '
                NF == 2 && $1 % 2 == 0 && $2 == $1 + 1 { print "yes" }')" yes
        is "$lab_type: and nowhere else" "$(lab_offplan "$lab_id" "$lab_on")" \
            0.000
        is "$lab_type: the mean distance is 10.50" \
            "$(lab_distance "$lab_id" "$lab_on")" 10.50
        lab_destroy big
    done
    LAB_XL=$LAB_STOCK_XL lab_create big pvh 900 2
    between "stock xl's mean distance is larger" \
        "$(lab_distance "$(lab_domid big)" \
            "$(lab_affinity "$(lab_domid big)")")" \
        11 30
    lab_destroy big
}
