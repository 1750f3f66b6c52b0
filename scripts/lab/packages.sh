# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What --packages has in dom0 in place of `make install`: the project's Debian package,
# installed by dpkg. Does not start anything.

# Leaves in $LAB_PACKAGE the package, which is in folder XEN_LAB_PACKAGES, or else built
# by scripts/package for the Debian that has this Xen.
lab_find_package() {
    local dir=${XEN_LAB_PACKAGES:-$LAB_RUN/packages} suite=bookworm status
    [[ $LAB_XEN == "$LAB_OWN_XEN" ]] || suite=trixie
    if [[ -z ${XEN_LAB_PACKAGES:-} ]]; then
        lab_install "${LAB_PACKAGE_TOOLS[@]}"
        say "building the project's packages"
        "$LAB_TOP/scripts/package" --suite "$suite" "$dir" >"$LAB_RUN/package.log" 2>&1
        status=$?
        if [[ $status != 0 ]]; then
            tail -n 30 "$LAB_RUN/package.log" >&2
            die "$status" "no packages"
        fi
    fi
    LAB_PACKAGE=$(echo "$dir"/xl-numa_*_amd64.deb)
    [[ -f $LAB_PACKAGE ]] || die 1 "no package xl-numa in $dir"
}

# Has dpkg install it into tree $1, where dom0's /usr/sbin/xl is put first: the package's
# own scripts divert that.
lab_install_package() {
    local root=$1 data=$1/var/lib/dpkg
    lab_merge_usr "$root"
    mkdir -p "$data"/{info,updates}
    : >"$data/status"
    if ! { (cd "$root" && cpio --quiet -id usr/sbin/xl) <"$LAB_BASE/dom0.cpio" &&
        dpkg --root="$root" --log=/dev/null --force-depends --force-not-root \
            --force-script-chrootless -i "$LAB_PACKAGE"; } >"$LAB_RUN/dpkg.log" 2>&1
    then
        tail -n 30 "$LAB_RUN/dpkg.log" >&2
        die 1 "dpkg cannot install $LAB_PACKAGE"
    fi
    rm -rf "$data" "${root:?}"/{bin,sbin,lib,lib64}
}
