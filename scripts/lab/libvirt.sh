# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What --libvirt adds to dom0: libvirtd with the libxl driver alone, virsh, AppArmor's
# parser and Debian's profile of libvirtd. Does not start any of it: scenarios do.

# What these need in /etc of a dom0 that has no users.
lab_make_libvirt_etc() {
    mkdir -p "$1/libvirt"
    echo root:x:0:0:root:/root:/bin/sh >"$1/passwd"
    printf '%s\n' root:x:0: libvirt:x:100: >"$1/group"
    printf '%s\n' 'passwd: files' 'group: files' 'hosts: files' \
        >"$1/nsswitch.conf"
    echo "127.0.0.1 localhost xen-lab" >"$1/hosts"
    printf '%s\n' 'auth_unix_rw = "none"' 'auth_unix_ro = "none"' \
        'unix_sock_group = "root"' 'log_outputs = "2:stderr"' \
        >"$1/libvirt/libvirtd.conf"
}

# The tree $2 from the unpacked packages $1. libvirtd does without drivers that are
# not there.
lab_make_libvirt() {
    local from=$1 to=$2 lib=usr/lib/x86_64-linux-gnu name
    mkdir -p "$to"/usr/{sbin,bin} "$to/$lib/libvirt/connection-driver" \
        "$to"/usr/share/libvirt "$to"/etc/apparmor.d
    cp "$from"/usr/sbin/{libvirtd,apparmor_parser} "$to/usr/sbin/"
    cp "$from/usr/bin/virsh" "$to/usr/bin/"
    cp "$from/$lib/libvirt/connection-driver/libvirt_driver_libxl.so" \
        "$to/$lib/libvirt/connection-driver/"
    cp -L "$from/$lib/libexpat.so.1" "$to/$lib/"
    cp -r "$from/usr/share/libvirt/cpu_map" "$to/usr/share/libvirt/"
    # QEMU has no VME, Xen hides SEP on AMD: libvirtd wants a model that has neither.
    sed -i '/vme/d' "$to"/usr/share/libvirt/cpu_map/x86_486.xml
    for name in abi abstractions tunables usr.sbin.libvirtd; do
        cp -r "$from/etc/apparmor.d/$name" "$to/etc/apparmor.d/"
    done
    mkdir "$to/etc/apparmor.d/local"
    touch "$to/etc/apparmor.d/local/usr.sbin.libvirtd"
    cp -r "$from/etc/apparmor" "$to/etc/"
    cp -r "$from/usr/share/apparmor-features" "$to/usr/share/"
    lab_make_libvirt_etc "$to/etc"
    [[ -x $to/usr/sbin/libvirtd && -x $to/usr/bin/virsh &&
        -e $to/etc/apparmor.d/usr.sbin.libvirtd ]]
}

# Leaves in $LAB_LIBVIRT an archive, made once for the packages' versions, this file's
# text and the base.
lab_build_libvirt() {
    local key work=$LAB_RUN/libvirt
    key=$(cat "$(lab_deb_list libvirt)" "$LAB_DIR/libvirt.sh" | sha256sum |
        head -c 16)
    LAB_LIBVIRT=$LAB_BASE/libvirt-$key.cpio
    [[ -f $LAB_LIBVIRT ]] && return 0
    lab_download_debs libvirt
    say "building libvirt's image"
    mkdir -p "$work"/{dom0,out}
    (cd "$work/dom0" && cpio --quiet -id) <"$LAB_BASE/dom0.cpio" ||
        die 1 "cannot unpack $LAB_BASE/dom0.cpio"
    lab_unpack_debs libvirt "$work/root" --exclude './usr/share/doc/*' \
        --exclude './usr/share/man/*' --exclude './usr/share/locale/*'
    lab_make_libvirt "$work/root" "$work/out" || die 1 "no libvirt in its packages"
    lab_copy_libraries "$work/root" "$work/out" "$work/dom0"
    if ! { lab_cpio "$work/out" >"$work/cpio" && mv "$work/cpio" "$LAB_LIBVIRT"; }
    then
        die 1 "cannot build libvirt's image"
    fi
    rm -rf "$work"
}
