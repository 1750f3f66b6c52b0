# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Makes what the lab boots: hypervisor, dom0 kernel and dom0 file system from
# downloaded packages, the project's own build, and each run's job. Does not
# download and does not boot.

LAB_MODULES=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev
    virtio_pci virtio_console xen-evtchn xen-gntdev xen-gntalloc xen-privcmd
    xenfs xen-pciback xen-blkback)
LAB_PROGRAMS=(xl libxl-save-helper xenstored xenconsoled xenconsole
    xen-init-dom0 xenpm xentrace xen-diag xenstore-control)

# A directory tree as a cpio archive on stdout. Linux unpacks several in a row.
lab_cpio() {
    (cd "$1" && find . | LC_ALL=C sort |
        cpio --quiet -o -H newc -R 0:0 --reproducible)
}

# Copies, for every ELF file of dom0 tree $2, the libraries that it needs from
# tree $1, and those that they need, unless tree $3 has them.
lab_copy_libraries() {
    local from=$1 to=$2 has=${3:-$2} lib=usr/lib/x86_64-linux-gnu again=1
    local name file
    # What a Xen that was built here needs besides is here.
    local here=${LAB_XEN_DIR:+/$lib}
    while [[ $again == 1 ]]; do
        again=0
        while read -r name; do
            [[ -e $to/$lib/$name || -e $has/$lib/$name ]] && continue
            file=$(find "$from/usr/lib" $here -name "$name" |
                head -n 1)
            [[ -n $file ]] || die 1 "no package has $name"
            cp -L "$file" "$to/$lib/"
            again=1
        done < <(find "$to" -type f -exec readelf -d {} + 2>/dev/null |
            sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u)
    done
}

# bin, sbin, lib in tree $1 are those of usr, as in Debian's own.
lab_merge_usr() {
    local name
    for name in bin sbin lib lib64; do
        mkdir -p "$1/usr/$name"
        ln -s "usr/$name" "$1/$name"
    done
}

# Which Xen --xen-dir gives, in a few letters; nothing without it.
lab_xen_dir_key() {
    [[ -z $LAB_XEN_DIR ]] || (cd "$LAB_XEN_DIR" &&
        find . -type f -printf '%p %s %T@\n' | LC_ALL=C sort)
}

# With --xen-dir, replaces the Xen of the unpacked packages in tree $1. Programs
# stay where they were built to be, libraries are where the others are.
lab_replace_xen() {
    local lib=$1/usr/lib/x86_64-linux-gnu
    [[ -n $LAB_XEN_DIR ]] || return 0
    rm -rf "$1"/boot/xen* "$1"/usr/lib/xen* "$1"/usr/{bin,sbin}/x{l,en}* \
        "$1"/usr/include/{xen,libxl,xs}* \
        "$lib"/lib{xen,xl}*.{so,a}* "$lib"/pkgconfig/x{en,l}*
    tar -C "$LAB_XEN_DIR" -c --exclude '*/share/doc' --exclude '*/share/man' \
        --exclude './usr/lib/debug' . |
        tar -x -C "$1" --keep-directory-symlink || return 1
    find "$LAB_XEN_DIR/usr" -name 'libx*.so*' -exec cp -P {} "$lib/" \;
    [[ -e $1/usr/sbin/xl ]] ||
        ln -s "/$(lab_find_program "$1" xl)" "$1/usr/sbin/xl"
}

# Where program $2 of Xen's is in tree $1.
lab_find_program() {
    (cd "$1" && find usr -path "*bin/$2" -type f | head -n 1)
}

# The dom0 tree $2 from the unpacked packages $1.
lab_make_dom0() {
    local from=$1 to=$2 name file lib=usr/lib/x86_64-linux-gnu
    mkdir -p "$to"/{dev,proc,sys,run,tmp,root,modules} \
        "$to"/{etc/xen,var/lib/xen,var/log/xen,usr/lib/xen-common/bin} \
        "$to/usr/lib/xen-lab" "$to/$lib"
    lab_merge_usr "$to"
    ln -s ../run "$to/var/run"
    ln -s ../run/lock "$to/var/lock"
    cp "$from/bin/busybox" "$to/bin/"
    for name in "${LAB_PROGRAMS[@]}"; do
        file=$(lab_find_program "$from" "$name")
        install -D "$from/$file" "$to/$file" || die 1 "no $name in Xen"
        ln -s "/$file" "$to/usr/lib/xen-lab/$name"
    done
    [[ -n $LAB_XEN_DIR ]] || cp "$from"/usr/lib/xen-common/bin/xen-utils-wrapper \
        "$to/usr/lib/xen-common/bin/"
    file=$(cd "$from" && find usr -name hvmloader -type f | head -n 1)
    install -D "$from/$file" "$to/$file"
    cp -P "$from/usr/sbin/xl" "$to/usr/sbin/"
    find "$from/usr" -path '*/bin/xenstore*' ! -name xenstored \
        -exec cp -P {} "$to/usr/bin/" \;
    cp -P "$from/$lib"/libxen*.so* "$to/$lib/"
    cp -L "$from/lib64/ld-linux-x86-64.so.2" "$to/lib64/"
    cp -L "$from/$lib"/libgcc_s.so.1 "$to/$lib/"
    cp -L "$(find "$from/usr/lib" -name libefence.so.0)" "$to/$lib/"
    for name in "${LAB_MODULES[@]}"; do
        find "$from/lib/modules" -name "$name.ko" -exec cp {} "$to/modules/" \;
        echo "/modules/$name.ko"
    done >"$to/modules/list"
    lab_copy_libraries "$from" "$to"
}

# The plain ELF kernel inside a bzImage: Xen would unpack it under emulation.
lab_unpack_kernel() {
    local offset
    offset=$(LC_ALL=C grep -aobP '\xfd7zXZ\x00' "$1" | head -n 1 | cut -d: -f1)
    if [[ -n $offset ]] &&
        tail -c +$((offset + 1)) "$1" | xz -dc --single-stream 2>/dev/null; then
        return 0
    fi
    cat "$1"
}

# The tree of the Linux guest's ramdisk, $2, from the unpacked packages $1. The
# count on its console shows that it runs, and that it is the same run still.
lab_make_linux_root() {
    mkdir -p "$2"/{bin,dev,proc,sys}
    cp "$1/bin/busybox" "$2/bin/"
    cat >"$2/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
n=0
while :; do
    n=$((n + 1))
    echo "seconds $n"
    /bin/busybox sleep 1
done
END
    chmod 755 "$2/init"
}

# What --linux adds to dom0, as an archive on stdout, from the unpacked packages
# $1; $2 is dom0's own kernel, unpacked: libxl's xz is slow under emulation.
lab_pack_linux() {
    local to=$LAB_RUN/linux
    lab_make_linux_root "$1" "$to.root" &&
        mkdir -p "$to/lab" &&
        lab_cpio "$to.root" >"$to/lab/linux-initrd" &&
        cp "$2" "$to/lab/linux" &&
        lab_cpio "$to"
}

# What --linux adds to dom0 besides with --hvm, as an archive on stdout: the kernel $1
# in a form that QEMU loads for an HVM guest.
lab_pack_linux_hvm() {
    local to=$LAB_RUN/linux-hvm
    mkdir -p "$to/lab" && objcopy -S -O elf32-i386 "$1" "$to/lab/linux-hvm" &&
        lab_cpio "$to"
}

# Unpacks the packages of list $1 into tree $2; tar's further arguments say what
# to leave out.
lab_unpack_debs() {
    local list to=$2 deb
    list=$(lab_deb_list "$1")
    shift 2
    [[ -d $to ]] || { mkdir -p "$to" && lab_merge_usr "$to"; }
    while read -r deb; do
        dpkg-deb --fsys-tarfile "$LAB_CACHE/debs/$deb" |
            tar -x -C "$to" --keep-directory-symlink "$@" ||
            die 1 "cannot unpack $deb"
    done <"$list"
}

# Leaves in $LAB_BASE xen, vmlinux, dom0.cpio, linux.cpio and linux-hvm.cpio, made
# once for the packages' versions and this file's text.
lab_build_base() {
    local key work=$LAB_RUN/base
    key=$(cat "$(LAB_XEN=$LAB_OWN_XEN lab_deb_list kernel)" \
        "$(lab_deb_list dom0)" "$LAB_DIR/image.sh" <(lab_xen_dir_key) |
        sha256sum | head -c 16)
    LAB_BASE=$LAB_CACHE/base-$key
    [[ -d $LAB_BASE ]] && return 0
    LAB_XEN=$LAB_OWN_XEN lab_download_debs kernel
    lab_download_debs dom0
    say "building the dom0 image"
    mkdir -p "$work"/{dom0,out}
    LAB_XEN=$LAB_OWN_XEN lab_unpack_debs kernel "$work/root"
    lab_unpack_debs dom0 "$work/root" --exclude './usr/share/*'
    lab_replace_xen "$work/root" || die 1 "cannot copy $LAB_XEN_DIR"
    lab_make_dom0 "$work/root" "$work/dom0"
    if ! { lab_cpio "$work/dom0" >"$work/out/dom0.cpio" &&
        gzip -dc "$(find "$work/root" "$work/root/boot" -maxdepth 1 \
            -name 'xen*.gz' -type f | head -n 1)" >"$work/out/xen" &&
        lab_unpack_kernel "$work"/root/boot/vmlinuz-* >"$work/out/vmlinux" &&
        lab_pack_linux "$work/root" "$work/out/vmlinux" \
            >"$work/out/linux.cpio" &&
        lab_pack_linux_hvm "$work/out/vmlinux" >"$work/out/linux-hvm.cpio"; }
    then
        die 1 "cannot build the dom0 image"
    fi
    rm -rf "$work/root"
    find "$LAB_CACHE" -maxdepth 1 -name 'base-*' -mtime +7 -exec rm -rf {} +
    mv "$work/out" "$LAB_BASE"
}

# The tree $2 of a device model and its firmware from the unpacked packages $1.
lab_make_hvm() {
    local name
    mkdir -p "$2"/usr/{libexec,lib/x86_64-linux-gnu,share/seabios} \
        "$2/usr/share/qemu/keymaps"
    cp "$1/usr/libexec/xen-qemu-system-i386" "$2/usr/libexec/"
    for name in bios-256k vgabios-stdvga; do
        cp "$1/usr/share/seabios/$name.bin" "$2/usr/share/seabios/"
    done
    for name in kvmvapic.bin pvh.bin keymaps/en-us; do
        cp "$1/usr/share/qemu/$name" "$2/usr/share/qemu/$name"
    done
}

# What --hvm adds to dom0, in $LAB_BASE/hvm.cpio, made once for the packages'
# versions and the base.
lab_build_hvm() {
    local key work=$LAB_RUN/hvm
    key=$(sha256sum <"$(lab_deb_list hvm)" | head -c 16)
    LAB_HVM=$LAB_BASE/hvm-$key.cpio
    [[ -f $LAB_HVM ]] && return 0
    lab_download_debs hvm
    say "building the device model's image"
    mkdir -p "$work"/{dom0,out}
    (cd "$work/dom0" && cpio --quiet -id) <"$LAB_BASE/dom0.cpio" ||
        die 1 "cannot unpack $LAB_BASE/dom0.cpio"
    lab_unpack_debs hvm "$work/root"
    lab_make_hvm "$work/root" "$work/out"
    lab_copy_libraries "$work/root" "$work/out" "$work/dom0"
    if ! { lab_cpio "$work/out" >"$work/cpio" && mv "$work/cpio" "$LAB_HVM"; }
    then
        die 1 "cannot build the device model's image"
    fi
    rm -rf "$work"
}

# For another Xen than this machine's Debian has, leaves in $LAB_SYSROOT what a program is
# built against, made once for the packages' versions.
lab_build_sysroot() {
    local key work=$LAB_RUN/sysroot
    [[ $LAB_XEN != "$LAB_OWN_XEN" || -n $LAB_XEN_DIR ]] || return 0
    lab_update_deb_list sysroot
    key=$(cat "$(lab_deb_list dom0)" "$(lab_deb_list sysroot)" \
        <(lab_xen_dir_key) | sha256sum | head -c 16)
    LAB_SYSROOT=$LAB_CACHE/sysroot-$key
    [[ -d $LAB_SYSROOT ]] && return 0
    lab_download_debs dom0
    lab_download_debs sysroot
    say "unpacking what Xen $LAB_XEN's programs are built against"
    lab_unpack_debs dom0 "$work" --exclude './usr/share/*'
    lab_unpack_debs sysroot "$work" --exclude './usr/share/doc/*'
    lab_replace_xen "$work" || die 1 "cannot copy $LAB_XEN_DIR"
    find "$LAB_CACHE" -maxdepth 1 -name 'sysroot-*' -mtime +7 \
        -exec rm -rf {} +
    mv "$work" "$LAB_SYSROOT"
}

# The compiler, with -B as what its own release has comes first otherwise.
lab_cc() {
    local root=$LAB_SYSROOT
    echo gcc ${root:+"--sysroot=$root" "-B$root/usr/lib/x86_64-linux-gnu/"}
}

# pkg-config finds the Xen in the sysroot, if there is one: for configure, which
# make runs again when it has changed.
lab_find_xen() {
    local usr=$LAB_SYSROOT/usr
    [[ -n $LAB_SYSROOT ]] || return 0
    export PKG_CONFIG_SYSROOT_DIR=$LAB_SYSROOT
    export PKG_CONFIG_LIBDIR=$usr/local/lib/pkgconfig:$usr/local/share/pkgconfig:\
$usr/lib/x86_64-linux-gnu/pkgconfig:$usr/lib/pkgconfig:$usr/share/pkgconfig
}

# The names of the project's sources.
lab_sources() {
    local file
    (
        cd "$LAB_TOP" || die 1 "no $LAB_TOP"
        git ls-files -co --exclude-standard 2>/dev/null ||
            find . -type f ! -path '*/.*' ! -name '*.[oa]' ! -name '*.l[oa]' \
                ! -name config.status ! -name config.log ! -path ./libtool \
                ! -path ./Makefile
    ) | while read -r file; do
        [[ -f $LAB_TOP/$file ]] && printf '%s\n' "$file"
    done | LC_ALL=C sort
}

# The sources, copied so that the build neither needs nor touches the way in which the
# user's tree is configured.
lab_copy_sources() {
    local to=$1 list=$1.files
    lab_sources >"$list.new"
    if [[ -f $list ]]; then
        LC_ALL=C comm -23 "$list" "$list.new" |
            (cd "$to" && tr '\n' '\0' | xargs -0 -r rm -f)
    fi
    tar -C "$LAB_TOP" -c -T "$list.new" | tar -x -C "$to"
    mv "$list.new" "$list"
}

# lab_unless_done FILE COMMAND...: not again for the sources for which it was the last time.
lab_unless_done() {
    local file=$1 now
    shift
    now=$(cd "$LAB_TOP" && lab_sources | tr '\n' '\0' |
        xargs -0 stat -c '%n %s %y' | sha256sum)
    [[ $(cat "$file" 2>/dev/null) == "$now" ]] && return
    rm -f "$file"
    "$@"
    echo "$now" >"$file"
}

lab_make_product() {
    cd "$1" || return 1
    lab_find_xen
    [[ -x configure ]] || sh ./autogen.sh || return 1
    [[ -f Makefile ]] ||
        ./configure CC="$(lab_cc)" --prefix=/usr/local --sysconfdir=/etc ||
        return 1
    make -j"$(nproc)" || return 1
    rm -rf "$2"
    make install DESTDIR="$2"
}

lab_build_product() {
    local work=$1
    mkdir -p "$work/src"
    lab_copy_sources "$work/src"
    [[ -f $work/src/Makefile ]] || say "building the project"
    if ! (lab_make_product "$work/src" "$work/stage") >"$work/log" 2>&1; then
        tail -n 30 "$work/log" >&2
        die 1 "the project does not build: $work/log"
    fi
}

# Builds the project and leaves its installed files in the job, or its package's; and
# the programs of scenarios.
lab_build() {
    local key work
    lab_install "${LAB_BUILD_TOOLS[@]}"
    lab_build_sysroot
    key=$(printf %s "$LAB_TOP$LAB_SYSROOT" | sha256sum | head -c 16)
    work=$LAB_CACHE/product-$key
    mkdir -p "$work" "$LAB_RUN/job"
    lab_unless_done "$work/programs.done" lab_build_programs "$work/programs"
    cp -a "$work/programs" "$LAB_RUN/job/lab" || die 1 "cannot copy $work/programs"
    [[ -n $LAB_LINUX ]] || rm "$LAB_RUN/job/lab/linux-more"
    if [[ -n $LAB_PACKAGE ]]; then
        lab_install_package "$LAB_RUN/job"
    elif [[ -z $LAB_STOCK ]]; then
        lab_unless_done "$work/stage.done" lab_build_product "$work"
        cp -a "$work/stage/." "$LAB_RUN/job" || die 1 "cannot copy $work/stage"
    fi
}

# The guest kernel $2, from source $1.
lab_build_guest() {
    local object=$LAB_RUN/guest.o
    if ! { as --64 -o "$object" "$1" &&
        ld -N -s --no-warn-rwx-segments -Ttext=0x100000 -e pv_start \
            -o "$2" "$object"; }; then
        die 1 "cannot build the guest kernel"
    fi
}

# What scenarios preload into xl, $2, from source $1.
lab_build_shim() {
    $(lab_cc) -D_GNU_SOURCE -std=gnu11 -O1 -fPIC -shared -o "$2" "$1" ||
        die 1 "cannot build $1"
}

# lab_build_program SOURCE PROGRAM LIBRARY...: what scenarios run in dom0.
lab_build_program() {
    local from=$1 to=$2
    shift 2
    $(lab_cc) -D_GNU_SOURCE -std=gnu11 -O1 -s -o "$to" "$from" "$@" ||
        die 1 "cannot build $from"
}

# What scenarios run and preload, into folder $1.
lab_build_programs() {
    local from=$LAB_TOP/tests/lab
    mkdir -p "$1"
    lab_build_guest "$LAB_DIR/guest.S" "$1/guest"
    lab_build_shim "$from/shim.c" "$1/shim.so"
    lab_build_shim "$LAB_TOP/tests/hook/faults.c" "$1/faults.so"
    lab_build_program "$from/parallel.c" "$1/parallel" -lxenlight -lxentoollog
    lab_build_program "$from/guest-acpi.c" "$1/guest-acpi" -lxenforeignmemory
    lab_build_program "$from/vcpus.c" "$1/vcpus" -lxenlight -lxentoollog
    lab_build_program "$from/p2m.c" "$1/p2m"
    # Static, as it is started most often.
    lab_build_program "$from/look.c" "$1/look" -static -lxenctrl -lxenstore -lxencall \
        -lxenforeignmemory -lxendevicemodel -lxengnttab -lxenevtchn -lxentoollog \
        -lxentoolcore
    lab_build_linux_more "$from" "$1/linux-more"
}

# What PVH and HVM Linux guests have more than PV ones: an archive, $2, to follow
# the ramdisk's own; from the sources in $1.
lab_build_linux_more() {
    local root=$LAB_RUN/linux.more
    if ! { mkdir -p "$root/bin" && cp "$1/linux-init" "$root/init" &&
        chmod 755 "$root/init" &&
        gcc -std=gnu11 -O1 -static -s -o "$root/bin/on-node" "$1/on-node.c" &&
        lab_cpio "$root" >"$2"; }; then
        die 1 "cannot build $1/on-node.c"
    fi
}

# Debian's xendomains, which starts guests by "xen", and its bash, into the tree $1.
lab_add_xendomains() {
    local from=$LAB_RUN/xendomains
    lab_unpack_debs xendomains "$from"
    if ! { install -D "$from/etc/init.d/xendomains" "$1/etc/init.d/xendomains" &&
        install -D "$from/etc/default/xendomains" "$1/etc/default/xendomains" &&
        install -D "$from/usr/sbin/xen" "$1/usr/sbin/xen" &&
        install -D "$from/bin/bash-static" "$1/usr/bin/bash"; }; then
        die 1 "cannot copy Debian's xendomains"
    fi
}

# One shell word that the shell reads back as the string $1.
lab_quote() {
    local LC_ALL=C
    printf "'%s'" "${1//\'/\'\\\'\'}"
}

# What is in dom0 from the start besides the packages: init, what it compares the
# nodes with, and what takes core dumps. With the times of this run it would be another machine each time.
lab_make_early() {
    local to=$LAB_RUN/early
    mkdir -p "$to/lab"
    install -m 755 "$LAB_DIR/init" "$to/init"
    install -m 755 "$LAB_DIR/core" "$to/lab/core"
    printf '%s\n' "${LAB_EXPECTED[@]}" >"$to/lab/expected"
    find "$to" -exec touch -d @0 {} + && lab_cpio "$to" >"$LAB_RUN/early.cpio" ||
        die 1 "cannot pack $to"
}

# This run's own files: shared functions, the script with its arguments.
# lab_make_job MODE [SCRIPT [ARG...]]
lab_make_job() {
    local mode=$1 script=${2:-} to=$LAB_RUN/job word size
    [[ -z $LAB_XENDOMAINS ]] || lab_add_xendomains "$to"
    cp "$LAB_TOP/tests/lab/lib.sh" "$to/lab/lib.sh"
    size=$(stty size 2>/dev/null | sed 's/\(.*\) \(.*\)/rows \1 cols \2/')
    printf 'mode=%s\nexport TERM=%s\nsize=%s\n' "$mode" \
        "$(lab_quote "${TERM:-vt100}")" "'$size'" >"$to/lab/job"
    # The package has taken its place.
    [[ -z $LAB_PACKAGE ]] ||
        echo "export LAB_STOCK_XL=/usr/lib/xen-lab/xl" >>"$to/lab/job"
    [[ -z $LAB_PCI ]] ||
        echo "export LAB_PCI=$LAB_PCI_AT LAB_PCI_NODE=$LAB_PCI_NODE" \
            >>"$to/lab/job"
    [[ -n $script ]] || return 0
    cp "$script" "$to/lab/script" || die 2 "cannot read $script"
    shift 2
    {
        printf 'set --'
        for word; do
            printf ' '
            lab_quote "$word"
        done
        echo
    } >"$to/lab/arguments"
}

# The job with the project's files as one archive, $LAB_RUN/job.cpio. A resumed
# machine takes the time from it.
lab_pack_job() {
    date +%s >"$LAB_RUN/job/lab/time"
    lab_cpio "$LAB_RUN/job" >"$LAB_RUN/job.cpio" ||
        die 1 "cannot pack $LAB_RUN/job"
}

# The whole dom0 file system but for the job, in $LAB_RUN/dom0.
lab_make_initrd() {
    local both=${LAB_HVM:+$LAB_LINUX}
    cat "$LAB_BASE/dom0.cpio" ${LAB_LINUX:+"$LAB_BASE/linux.cpio"} \
        ${LAB_HVM:+"$LAB_HVM"} ${both:+"$LAB_BASE/linux-hvm.cpio"} \
        ${LAB_LIBVIRT:+"$LAB_LIBVIRT"} \
        "$LAB_RUN/early.cpio" >"$LAB_RUN/dom0" ||
        die 1 "cannot make the dom0 file system in $LAB_RUN"
}
