# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Which QEMU the lab runs: a copy of this machine's in which one instruction is
# patched, where that instruction is found. Does not start it.
#
# QEMU's emulation of VMRUN delivers an interrupt that a hypervisor injects
# (SVM_EVTINJ_TYPE_INTR in svm_helper.c) a second time if something asks the CPU
# to stop at that moment: it stores cs->exception_index and never resets it. A
# PVH or HVM Linux dies of the second one ("Fatal exception in interrupt"). The
# copy does not store it. Seen in Debian 12's QEMU 7.2.

# mov %r13d,0x3380(%rbx) and the store of the pending event behind it: in this
# version's x86-64 code, these bytes are in helper_vmrun alone.
LAB_QEMU_BYTES='\x44\x89\xab\x80\x33\x00\x00\x89\xb3\x54\xef\xff\xff'
LAB_QEMU_KEPT=7
LAB_QEMU_NOP='\x66\x0f\x1f\x44\x00\x00'

# Where the bytes are in program $1; fails unless that is one place.
lab_qemu_offset() {
    LC_ALL=C grep -aobUP "$LAB_QEMU_BYTES" "$1" | cut -d: -f1 | awk '
        { at = $1 } END { if (NR != 1) exit 1; print at }'
}

# The copy of QEMU $1 in $2, patched at byte $3.
lab_patch_qemu() {
    mkdir -p "$2.new" && cp "$1" "$2.new/" &&
        printf '%b' "$LAB_QEMU_NOP" |
        dd of="$2.new/${1##*/}" bs=1 seek=$(($3 + LAB_QEMU_KEPT)) \
            conv=notrunc status=none &&
        mv "$2.new" "$2"
}

# Fills LAB_QEMU_PROGRAM: QEMU and what it needs to find its files. It is this
# machine's own with --stock-qemu, and where the instruction is not found.
lab_find_qemu() {
    local program copy at dir
    program=$(readlink -f "$(command -v qemu-system-x86_64)")
    LAB_QEMU_PROGRAM=("$program")
    [[ -z $LAB_STOCK_QEMU ]] || return 0
    if ! at=$(lab_qemu_offset "$program"); then
        say "QEMU as it is: the instruction to patch is not in $program once"
        return 0
    fi
    copy=$LAB_CACHE/qemu-$(sha256sum <"$program" | head -c 16)
    rm -rf "$copy.new"
    [[ -d $copy ]] || lab_patch_qemu "$program" "$copy" "$at" ||
        die 1 "cannot make $copy"
    say "QEMU is a copy with one instruction patched: $copy"
    # A copy elsewhere would look for its files elsewhere.
    LAB_QEMU_PROGRAM=(env
        "QEMU_MODULE_DIR=/usr/lib/x86_64-linux-gnu/qemu"
        "$copy/${program##*/}")
    while read -r dir; do
        LAB_QEMU_PROGRAM+=(-L "$dir")
    done < <("$program" -L help)
}
