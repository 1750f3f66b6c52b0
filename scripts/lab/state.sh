# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Saved machines: a host that has booted and waits for its job is saved once;
# every run after that resumes it, which takes a second. Directory $LAB_STATE has
# its memory (ram, a file that QEMU mapped; resumed machines map it privately, many
# at a time), its devices (stream, in QEMU's migration format), and its console and
# status lines up to then (console; status, written last). Does not run jobs.

LAB_STATES_MIB=6144
LAB_SAVE_SECONDS=300

# The directory's name tells what the machine was made from. Its clock is the TSC
# of this processor and its files may not be on disk yet, so no saved machine
# outlives a boot of the computer that it runs on.
lab_state_name() {
    local boot
    boot=$(cut -c 1-8 /proc/sys/kernel/random/boot_id)
    {
        "${LAB_QEMU_PROGRAM[@]}" --version
        sed -n '/^model name/{p;q}' /proc/cpuinfo
        printf '%s\n' "${LAB_QEMU_PROGRAM[@]}" "${LAB_QEMU[@]}" "$LAB_BASE" \
            "$LAB_LINUX" "$LAB_HVM" "$LAB_LIBVIRT"
        cat "$LAB_RUN"/{srat,slit,ssdt,early.cpio}
    } | sha256sum | sed "s/^\(.\{16\}\).*/state-$boot-\1/"
}

# Removes the machines of earlier boots, and the least recently used ones until
# the rest takes at most LAB_STATES_MIB.
lab_remove_states() {
    local dir mib=0
    find "$LAB_CACHE" -maxdepth 1 -name 'state-*' \
        ! -name "$(basename "${LAB_STATE%-*}")-*" -exec rm -rf {} +
    while read -r dir; do
        mib=$((mib + $(du -sm "$dir" | cut -f 1)))
        [[ $mib -le $LAB_STATES_MIB ]] || rm -rf "$dir"
    done < <(find "$LAB_CACHE" -maxdepth 1 -name 'state-*' -printf '%T@ %p\n' |
        sort -rn | cut -d ' ' -f 2-)
}

# Leaves in LAB_RAM the arguments for memory that is file $LAB_STATE/ram: written
# to with "on", left as it is with "off". (QEMU's option lists take no commas.)
lab_state_ram() {
    ln -sf "$LAB_STATE/ram" "$LAB_RUN/ram"
    LAB_RAM=(-object "memory-backend-file,id=ram,size=${LAB_MIB}M,mem-path=ram,\
share=$1,reserve=off")
}

# Boots until the machine waits for its job, then saves it.
lab_save_state() {
    local stream=$LAB_RUN/stream
    say "booting $(basename "$LAB_HOST") to save it"
    truncate -s "${LAB_MIB}M" "$LAB_STATE/ram" || return 1
    lab_state_ram on
    lab_start_qemu "$LAB_SAVE_SECONDS" "${LAB_RAM[@]}" "${LAB_NO_OUTPUT[@]}"
    while kill -0 "$LAB_QEMU_PID" 2>/dev/null &&
        ! grep -q '^ready' "$LAB_RUN/status" 2>/dev/null; do
        sleep 0.2
    done
    # The memory is in its file: only the rest goes into the stream.
    lab_tell_qemu 'migrate_set_capability x-ignore-shared on' \
        'migrate_set_parameter max-bandwidth 100G' \
        'migrate "exec:cat >stream"' 'info migrate' quit
    lab_end_qemu
    grep -q '^Migration status: completed' "$LAB_RUN/monitor.out" &&
        mv "$stream" "$LAB_STATE/stream" &&
        cp "$LAB_RUN/console" "$LAB_STATE/console" &&
        sed '/^ready/d' "$LAB_RUN/status" >"$LAB_RUN/status.saved" &&
        mv "$LAB_RUN/status.saved" "$LAB_STATE/status"
}

# Leaves in $LAB_STATE a saved machine as described by LAB_QEMU.
lab_find_state() {
    LAB_STATE=$LAB_CACHE/$(lab_state_name)
    mkdir -p "$LAB_STATE" && exec 7>"$LAB_STATE/lock" && flock 7 || return 1
    touch "$LAB_STATE"
    if [[ ! -s $LAB_STATE/stream || ! -e $LAB_STATE/status ]]; then
        if ! lab_save_state; then
            lab_drop_state "cannot be saved"
            return 1
        fi
        lab_remove_states
    fi
    exec 7>&-
}

# lab_drop_state WHY: removes it, so that the next run boots.
lab_drop_state() {
    say_always "the booted machine $1; the console's and QEMU's last lines:"
    tail -q -n 5 "$LAB_RUN/console" "$LAB_RUN/qemu.log" >&2 2>/dev/null
    rm -rf "$LAB_STATE"
    exec 7>&-
}
