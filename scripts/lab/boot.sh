# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Boots Xen under QEMU with the topology of a snapshot, and waits for the end.
# The NUMA tables are written here rather than by QEMU's -numa, so that nodes
# keep their numbers and may lack CPUs or memory. Does not make the images.

LAB_MAX_MIB=32768
LAB_MAX_CPUS=64
LAB_PCI_AT=00:1d.0

# Reads snapshot $1 into LAB_SMP (sockets, cores), LAB_CPUS, LAB_MEMORY,
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

# Fills LAB_QEMU with QEMU's arguments; file names are relative to $LAB_RUN,
# where QEMU runs, because neither Xen's module line nor QEMU's option lists
# take any character. The first CPU is QEMU's own, each other one is plugged,
# as sockets may differ in size. One thread emulates all CPUs in turn: with a
# thread each, those that wait in Xen's time calibration keep the others from
# running, and a host of many CPUs hangs on a busy machine.
lab_qemu_arguments() {
    local line cpu cpus=() pci=()
    for line in "${LAB_CPUS[@]}"; do
        read -ra cpu <<<"$line"
        [[ ${cpu[1]} == - || "${cpu[1]} ${cpu[2]}" == "0 0" ]] || cpus+=(-device
            "max-x86_64-cpu,socket-id=${cpu[1]},core-id=${cpu[2]},thread-id=0")
    done
    [[ -z $LAB_PCI ]] ||
        pci=(-device intel-iommu -device "pci-testdev,addr=${LAB_PCI_AT#*:}"
            -acpitable "sig=SSDT,rev=1,oem_id=XENLAB,data=ssdt")
    # shellcheck disable=SC2054 # commas are QEMU's
    LAB_QEMU=(-nodefaults -no-user-config -no-reboot -display none
        -M q35,memory-backend=ram -accel "tcg,thread=single" -cpu max,-smap
        -object "memory-backend-ram,id=ram,size=${LAB_MIB}M,reserve=off"
        -m "${LAB_MIB}M" -smp "1,maxcpus=$((LAB_SMP[0] * LAB_SMP[1])),\
sockets=${LAB_SMP[0]},cores=${LAB_SMP[1]},threads=1" "${cpus[@]}" "${pci[@]}"
        -acpitable "sig=SRAT,rev=3,oem_id=XENLAB,data=srat"
        -acpitable "sig=SLIT,rev=1,oem_id=XENLAB,data=slit"
        -kernel xen -append "console=com1 com1=115200 bootscrub=0 \
$(lab_dom0_mem) dom0_max_vcpus=2 conring_size=4M${LAB_PCI:+ iommu=no-sharept} \
$LAB_XEN_ARGS"
        -initrd "vmlinux console=hvc0 quiet rdinit=/init,dom0"
        -serial file:console -device isa-debug-exit
        -device virtio-serial-pci
        -chardev file,id=status,path=status
        -device virtserialport,nr=3,chardev=status)
    # 2 ns an instruction, and no time for being idle.
    [[ -z $LAB_ICOUNT ]] || LAB_QEMU+=(-icount "shift=1,sleep=off")
}

# Says why the machine ended without the script's status, with the tail of the
# console, from QEMU's exit status and seconds.
lab_report_failure() {
    local status=125 why="the machine stopped"
    if [[ $1 == 137 && $2 -lt $LAB_TIMEOUT ]]; then
        status=137 why="QEMU was killed: is memory short?"
    elif [[ $1 == 124 || $1 == 137 ]]; then
        status=124 why="no end after $LAB_TIMEOUT s"
        # Seen now and then under QEMU: one of dom0's CPUs never comes back.
        if grep -q 'rcu.* detected stalls' "$LAB_RUN/console" 2>/dev/null; then
            status=126 why="a CPU of dom0's stalled, no end after $LAB_TIMEOUT s"
        fi
    fi
    echo "xen-lab: $why; the console's last lines:" >&2
    tail -n 40 "$LAB_RUN/console" 2>/dev/null | tr -d '\r' >&2
    cat "$LAB_RUN/qemu.log" >&2
    return "$status"
}

# Runs QEMU with the given further arguments until it ends and returns the
# script's status, or 124 (time is up), 125 (the machine died) or 137 (killed).
lab_run_qemu() {
    local status=0 line started=$SECONDS
    # In the background, so that a signal to us ends it.
    exec 8<&0
    (cd "$LAB_RUN" && exec timeout --foreground -k 5 "$LAB_TIMEOUT" \
        qemu-system-x86_64 "${LAB_QEMU[@]}" "$@" 2>qemu.log <&8) &
    LAB_QEMU_PID=$!
    wait "$LAB_QEMU_PID" || status=$?
    LAB_QEMU_PID=
    while read -r line; do
        case $line in
        differs*) say_always "the booted host differs: ${line#differs }" ;;
        exit*) return "${line#exit }" ;;
        esac
    done < <(tr -d '\r' <"$LAB_RUN/status" 2>/dev/null)
    lab_report_failure "$status" $((SECONDS - started))
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

# Boots for a script: its output comes through FIFOs to our own.
lab_boot_script() {
    local status=0
    lab_prepare_boot
    mkfifo "$LAB_RUN/stdout" "$LAB_RUN/stderr"
    cat "$LAB_RUN/stdout" &
    local out=$!
    cat "$LAB_RUN/stderr" >&2 &
    local err=$!
    lab_run_qemu \
        -chardev file,id=stdout,path=stdout \
        -device virtserialport,nr=1,chardev=stdout \
        -chardev file,id=stderr,path=stderr \
        -device virtserialport,nr=2,chardev=stderr </dev/null || status=$?
    # If QEMU never opened them, the readers still wait for a writer.
    : 3<>"$LAB_RUN/stdout" 3<>"$LAB_RUN/stderr"
    wait "$out" "$err"
    return "$status"
}

# Boots for a person: this terminal is the guest's.
lab_boot_shell() {
    lab_prepare_boot
    lab_run_qemu -chardev stdio,id=terminal,signal=off \
        -device virtconsole,chardev=terminal
}
