# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Boots Xen under QEMU with the topology of a snapshot, and waits for the end.
# The NUMA tables are written here rather than by QEMU's -numa, so that nodes
# keep their numbers and may lack CPUs or memory. Does not make the images.

LAB_MAX_MIB=32768
LAB_MAX_CPUS=64
LAB_PCI_AT=00:1d.0
LAB_RESUME_SECONDS=60

# Reads snapshot $1 into LAB_SMP (sockets, cores, threads), LAB_CPUS, LAB_MEMORY,
# LAB_DISTANCES, LAB_NOTES, LAB_EXPECTED (what xl info -n should say) and
# LAB_PCI_NODE (where PCI devices are with --pci, the last node).
lab_read_host() {
    local what rest line lines
    LAB_CPUS=() LAB_MEMORY=() LAB_DISTANCES=() LAB_NOTES=() LAB_EXPECTED=()
    [[ -r $1 && -f $1 ]] || die 2 "cannot read host file $1"
    lines=$(jq -r --argjson max_mib "$LAB_MAX_MIB" \
        --argjson max_cpus "$LAB_MAX_CPUS" -f "$LAB_DIR/host.jq" "$1" \
        2>"$LAB_RUN/jq.log") ||
        die 2 "$1: $(tr '\n' ' ' <"$LAB_RUN/jq.log")"
    [[ -n $lines ]] || die 2 "$1: nothing in it"
    while read -r what rest; do
        case $what in
        note) LAB_NOTES+=("$rest") ;;
        smp) read -ra LAB_SMP <<<"$rest" ;;
        cpu) LAB_CPUS+=("$rest") ;;
        mem) LAB_MEMORY+=("$rest") ;;
        dist) LAB_DISTANCES+=("${rest#* }") LAB_EXPECTED+=("dist $rest") ;;
        esac
    done <<<"$lines"
    for line in "${LAB_CPUS[@]}"; do
        read -ra cpu <<<"$line"
        [[ ${cpu[1]} == - ]] ||
            LAB_EXPECTED+=("cpu ${cpu[0]} ${cpu[1]} ${cpu[4]}")
    done
    LAB_PCI_NODE=${LAB_MEMORY[-1]%% *}
    LAB_MIB=$(printf '%s\n' "${LAB_MEMORY[@]}" | awk '{s += $2} END {print s}')
}

# Writes each VALUE as a little-endian number of SIZE bytes.
lab_bytes() {
    local size=$1 value i octets
    shift
    for value; do
        octets=
        for ((i = 0; i < size; i++)); do
            octets+=$(printf '\\x%02x' $((value >> (8 * i) & 255)))
        done
        # shellcheck disable=SC2059 # escapes are the point
        printf "$octets"
    done
}

# One SRAT memory entry. lab_srat_memory NODE START_MIB MIB
lab_srat_memory() {
    [[ $3 -gt 0 ]] || return 0
    lab_bytes 1 1 40
    lab_bytes 4 "$1"
    lab_bytes 2 0
    lab_bytes 8 $(($2 << 20)) $(($3 << 20))
    lab_bytes 4 0 1
    lab_bytes 8 0
}

# Nodes one after the other in memory; QEMU's q35 has 2 GiB below the hole under
# 4 GiB and the rest above, or all of a small memory below.
lab_srat_memories() {
    local node mib at=0 low=2048 below line
    [[ $LAB_MIB -ge 2816 ]] || low=$LAB_MIB
    for line in "${LAB_MEMORY[@]}"; do
        read -r node mib <<<"$line"
        below=$((at >= low ? 0 : (at + mib <= low ? mib : low - at)))
        lab_srat_memory "$node" "$at" "$below"
        lab_srat_memory "$node" $((4096 - low + at + below)) $((mib - below))
        at=$((at + mib))
    done
}

lab_srat() {
    local line cpu
    lab_bytes 4 1
    lab_bytes 8 0
    for line in "${LAB_CPUS[@]}"; do
        read -ra cpu <<<"$line"
        lab_bytes 1 0 16 "${cpu[0]}" "${cpu[3]}"
        lab_bytes 4 1 0 0
    done
    lab_srat_memories
}

lab_slit() {
    lab_bytes 8 "${#LAB_DISTANCES[@]}"
    # shellcheck disable=SC2048,SC2086 # rows of numbers
    lab_bytes 1 ${LAB_DISTANCES[*]}
}

# An SSDT that says, in AML: Scope (\_SB.PCI0) { Name (_PXM, the last node) }
lab_ssdt() {
    printf '\x10\x12\x5c\x2e_SB_PCI0\x08_PXM\x0a'
    lab_bytes 1 "$LAB_PCI_NODE"
}

# Xen's option for dom0's memory, none for all of it. By default a third of the
# largest node, so that dom0 fills no node.
lab_dom0_mem() {
    local mib=$LAB_DOM0_MEM
    [[ $mib != all ]] || return 0
    [[ -n $mib ]] || mib=$(printf '%s\n' "${LAB_MEMORY[@]}" | awk '
        $2 > most { most = $2 }
        END { print (most < 1152 ? 384 : most > 3072 ? 1024 : int(most / 3)) }')
    echo "dom0_mem=${mib}M,max:${mib}M"
}

# Xen's credit2 (4.14 to 4.22) may leave a vCPU in its queue for ever while CPUs are idle:
# one that ran 20 ms without the scheduler, as on a busy computer, and has the least credit
# then, -10 ms. Idle has 1 ns less, and a CPU that is not the vCPU's own takes it only with
# 500 us more than that; its own leaves it to the one that Xen woke for it. A Linux that
# starts its second vCPU (INIT) meets this: Xen stops it, works in its CPU's idle vCPU, and
# wakes it from there, on another CPU. tests/lab/stutter.sh shows it. With no such
# resistance every idle CPU takes the vCPU.
LAB_SCHEDULER=sched_credit2_migrate_resist=0

# Fills LAB_QEMU with QEMU's arguments, but for the memory and what the ports of
# the virtio serial device (init says what they are for) lead to; file names are relative to $LAB_RUN,
# where QEMU runs, because neither Xen's module line nor QEMU's option lists
# take any character. The first CPU is QEMU's own, each other one is plugged,
# as sockets may differ in size. One thread emulates all CPUs in turn: with a
# thread each, those that wait in Xen's time calibration keep the others from
# running, and a host of many CPUs hangs on a busy machine. Xen and Linux leave out their
# guards against processors' faults (spec-ctrl, mitigations), which only take time here.
lab_qemu_arguments() {
    local line cpu cpus=() pci=() model=max,-smap
    # Of AMD's processors Xen reads threads by what QEMU does not emulate.
    [[ ${LAB_SMP[2]} == 1 ]] || model+=,vendor=GenuineIntel
    for line in "${LAB_CPUS[@]}"; do
        read -ra cpu <<<"$line"
        [[ ${cpu[1]} == - || "${cpu[1]} ${cpu[2]} ${cpu[5]}" == "0 0 0" ]] ||
            cpus+=(-device "max-x86_64-cpu,socket-id=${cpu[1]},\
core-id=${cpu[2]},thread-id=${cpu[5]}")
    done
    [[ -z $LAB_PCI ]] ||
        pci=(-device intel-iommu -device "pci-testdev,addr=${LAB_PCI_AT#*:}"
            -acpitable "sig=SSDT,rev=1,oem_id=XENLAB,data=ssdt")
    # shellcheck disable=SC2054 # commas are QEMU's
    LAB_QEMU=(-nodefaults -no-user-config -no-reboot -display none
        -M q35,memory-backend=ram -accel "tcg,thread=single" -cpu "$model"
        -m "${LAB_MIB}M" -smp "1,maxcpus=$((LAB_SMP[0] * LAB_SMP[1] * LAB_SMP[2])),\
sockets=${LAB_SMP[0]},cores=${LAB_SMP[1]},threads=${LAB_SMP[2]}" "${cpus[@]}" "${pci[@]}"
        -acpitable "sig=SRAT,rev=3,oem_id=XENLAB,data=srat"
        -acpitable "sig=SLIT,rev=1,oem_id=XENLAB,data=slit"
        -kernel xen -append "console=com1 com1=115200 bootscrub=0 \
$(lab_dom0_mem) dom0_max_vcpus=2 conring_size=4M spec-ctrl=no $LAB_SCHEDULER\
${LAB_PCI:+ iommu=no-sharept} $LAB_XEN_ARGS"
        -initrd "vmlinux console=hvc0 quiet mitigations=off rdinit=/init,dom0"
        -chardev file,id=console,path=console,append=on
        -serial chardev:console -device isa-debug-exit
        -chardev pipe,id=monitor,path=monitor -mon monitor
        -device virtio-serial-pci
        -device virtconsole,nr=0,chardev=terminal
        -device virtserialport,nr=1,chardev=stdout
        -device virtserialport,nr=2,chardev=stderr
        -chardev file,id=status,path=status
        -device virtserialport,nr=3,chardev=status
        -chardev pipe,id=job,path=job
        -device virtserialport,nr=4,chardev=job
        -chardev file,id=cores,path=cores
        -device virtserialport,nr=5,chardev=cores)
    # 2 ns an instruction, and no time for being idle.
    [[ -z $LAB_ICOUNT ]] || LAB_QEMU+=(-icount "shift=1,sleep=off")
}

# What QEMU connects the machine's ports to where nobody reads them.
LAB_NO_OUTPUT=(-chardev "null,id=terminal" -chardev "null,id=stdout"
    -chardev "null,id=stderr")

# lab_start_qemu SECONDS ARGUMENT...: starts QEMU, for that long at most, in the
# background, so that a signal to us ends it.
lab_start_qemu() {
    local seconds=$1
    shift
    rm -f "$LAB_RUN"/{status,console,cores,monitor.in,monitor.out}
    [[ -p $LAB_RUN/job.in ]] || mkfifo "$LAB_RUN"/job.{in,out}
    mkfifo "$LAB_RUN/monitor.in"
    [[ -p $LAB_RUN/never ]] || mkfifo "$LAB_RUN/never"
    : >"$LAB_RUN/monitor.out"
    # What a resumed machine wrote there as it booted.
    [[ ! -e $LAB_STATE/console ]] || cp "$LAB_STATE/console" "$LAB_RUN/"
    exec 5<>"$LAB_RUN/monitor.in" 8<&0
    (cd "$LAB_RUN" && exec timeout --foreground -k 5 "$seconds" \
        "${LAB_QEMU_PROGRAM[@]}" "${LAB_QEMU[@]}" "$@" 2>qemu.log \
        <&8 5>&- 7>&- 8>&-) &
    LAB_QEMU_PID=$!
    exec 8>&-
}

# lab_tell_qemu COMMAND...: for QEMU's monitor.
lab_tell_qemu() {
    printf '%s\n' "$@" >&5
}

# Waits for QEMU's end, and returns its status.
lab_end_qemu() {
    local status=0
    wait "$LAB_QEMU_PID" || status=$?
    LAB_QEMU_PID=
    exec 5>&-
    return "$status"
}

# Seen now and then under QEMU: one of dom0's CPUs never comes back.
lab_has_stalled() {
    grep -q 'rcu.* detected stalls' "$LAB_RUN/console" 2>/dev/null
}

lab_has_started() {
    grep -q '^started' "$LAB_RUN/status" 2>/dev/null
}

# Leaves the number of QEMU's own process, a child of timeout's, in QEMU.
lab_qemu_process() {
    read -r QEMU _ <"/proc/$LAB_QEMU_PID/task/$LAB_QEMU_PID/children"
}

# Prints how much memory of its own, in MiB, QEMU has now.
lab_qemu_mib() {
    local key value QEMU
    lab_qemu_process
    while read -r key value _; do
        [[ $key != RssAnon: ]] || echo $((value / 1024))
    done <"/proc/$QEMU/status"
}

# QEMU stands still for 30 ms of every 60, as on a busy computer.
lab_stutter() {
    local QEMU
    exec 4<>"$LAB_RUN/never"
    while kill -0 "$LAB_QEMU_PID"; do
        read -r -t 0.03 -u 4
        lab_qemu_process
        [[ -n $QEMU ]] || continue
        kill -STOP "$QEMU"
        read -r -t 0.03 -u 4
        kill -CONT "$QEMU"
    done 2>/dev/null
}

# lab_watch SECONDS: ends QEMU when a CPU of dom0 has stalled, or when the job has
# not started in that many seconds (0: no limit); writes the most memory that QEMU
# had to file XEN_LAB_PEAK, if that is set. Reading a FIFO is a sleep that leaves
# no process behind.
lab_watch() {
    local limit=$1 seconds=0 mib most=0
    exec 4<>"$LAB_RUN/never"
    while kill -0 "$LAB_QEMU_PID" 2>/dev/null; do
        read -r -t 1 -u 4
        seconds=$((seconds + 1))
        mib=$(lab_qemu_mib 2>/dev/null)
        if [[ -n ${XEN_LAB_PEAK:-} && ${mib:-0} -gt $most ]]; then
            most=$mib
            echo "$most" >"$XEN_LAB_PEAK"
        fi
        if lab_has_stalled || { [[ $seconds == "$limit" ]] && ! lab_has_started; }
        then
            kill "$LAB_QEMU_PID"
        fi
    done
}

# Says why the machine ended without the script's status, with the tail of the
# console, from QEMU's exit status and seconds.
lab_report_failure() {
    local status=125 why="the machine stopped"
    if lab_has_stalled; then
        status=126 why="a CPU of dom0's stalled"
    elif [[ $1 == 137 && $2 -lt $LAB_TIMEOUT ]]; then
        status=137 why="QEMU was killed: is memory short?"
    elif [[ $1 == 124 || $1 == 137 ]]; then
        status=124 why="no end after $LAB_TIMEOUT s"
    fi
    echo "xen-lab: $why; the console's last lines:" >&2
    tail -n 40 "$LAB_RUN/console" 2>/dev/null | tr -d '\r' >&2
    cat "$LAB_RUN/qemu.log" >&2
    return "$status"
}

# Returns the script's status, or 124 (time is up), 125 (the machine died), 126
# (dom0 stalled) or 137 (killed), from QEMU's exit status and seconds.
lab_outcome() {
    local line
    while read -r line; do
        case $line in
        differs*) say_always "the booted host differs: ${line#differs }" ;;
        exit*) return "${line#exit }" ;;
        esac
    done < <(cat ${LAB_STATE:+"$LAB_STATE/status"} "$LAB_RUN/status" \
        2>/dev/null | tr -d '\r')
    lab_report_failure "$@"
}

# Keeps the core dumps of dom0's programs, and the console with them.
lab_keep_cores() {
    local dir
    [[ -s $LAB_RUN/cores ]] || return 0
    dir=$(mktemp -d "${TMPDIR:-/tmp}/xen-lab-cores.XXXXXX") || return 0
    tar -x --ignore-zeros -C "$dir" -f "$LAB_RUN/cores"
    cp "$LAB_RUN/console" "$dir/"
    say_always "programs in dom0 dumped core: $(cd "$dir" && echo core.*), in $dir"
}

# lab_run_qemu LIMIT ARGUMENT...: gives the machine its job, which has to start
# within LIMIT seconds, and waits for its end.
lab_run_qemu() {
    local limit=$1 status=0 helpers started=$SECONDS
    shift
    lab_pack_job
    lab_start_qemu "$LAB_TIMEOUT" "$@"
    [[ -z $LAB_STATE ]] ||
        lab_tell_qemu 'migrate_set_capability x-ignore-shared on' \
            'migrate_incoming "exec:cat stream"'
    cat "$LAB_RUN/job.cpio" >"$LAB_RUN/job.in" &
    helpers=$!
    lab_watch "$limit" &
    helpers+=" $!"
    if [[ -n $LAB_STUTTER ]]; then
        lab_stutter &
        helpers+=" $!"
    fi
    lab_end_qemu || status=$?
    # shellcheck disable=SC2086 # numbers
    kill $helpers 2>/dev/null
    lab_keep_cores
    [[ $limit == 0 ]] || lab_has_started || return 0
    lab_outcome "$status" $((SECONDS - started))
}

lab_prepare_boot() {
    local note
    for note in "${LAB_NOTES[@]}"; do
        say_always "$note"
    done
    lab_srat >"$LAB_RUN/srat"
    lab_slit >"$LAB_RUN/slit"
    lab_ssdt >"$LAB_RUN/ssdt"
    ln -s "$LAB_BASE/xen" "$LAB_BASE/vmlinux" "$LAB_RUN/"
    lab_qemu_arguments
}

# lab_run_script LIMIT ARGUMENT...: the job's output comes through FIFOs to ours.
lab_run_script() {
    local status=0 out err
    [[ -p $LAB_RUN/stdout ]] || mkfifo "$LAB_RUN/stdout" "$LAB_RUN/stderr"
    cat "$LAB_RUN/stdout" &
    out=$!
    cat "$LAB_RUN/stderr" >&2 &
    err=$!
    lab_run_qemu "$@" -chardev null,id=terminal \
        -chardev file,id=stdout,path=stdout \
        -chardev file,id=stderr,path=stderr </dev/null || status=$?
    # If QEMU never opened them, the readers still wait for a writer.
    : 3<>"$LAB_RUN/stdout" 3<>"$LAB_RUN/stderr"
    wait "$out" "$err"
    return "$status"
}

# lab_run_shell LIMIT ARGUMENT...: this terminal is the machine's.
lab_run_shell() {
    lab_run_qemu "$@" -chardev stdio,id=terminal,signal=off \
        -chardev null,id=stdout -chardev null,id=stderr
}

# lab_boot script|shell: resumes the machine or boots it, and runs the job. A
# device of --pci has no state that QEMU could save.
lab_boot() {
    local status=0
    lab_prepare_boot
    if [[ -z $LAB_FRESH && -z $LAB_PCI ]] && lab_find_state; then
        ln -sf "$LAB_STATE/stream" "$LAB_RUN/stream"
        lab_state_ram off
        say "resuming ${LAB_STATE##*/}"
        "lab_run_$1" "$LAB_RESUME_SECONDS" "${LAB_RAM[@]}" -incoming defer ||
            status=$?
        ! lab_has_started || return "$status"
        lab_drop_state "cannot be resumed"
    fi
    LAB_STATE=
    say "booting $(basename "$LAB_HOST")"
    "lab_run_$1" 0 -object \
        "memory-backend-ram,id=ram,size=${LAB_MIB}M,reserve=off"
}
