# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Debian packages for xen-lab: installs what this machine itself lacks, and
# downloads (never installs: the machine must not become a Xen host) what goes
# into dom0. Does not look inside the packages.

# shellcheck disable=SC2034 # used in xen-lab and image.sh
LAB_TOOLS=(qemu-system-x86 binutils cpio jq xz-utils)
# shellcheck disable=SC2034 # so are these
LAB_BUILD_TOOLS=(gcc libc6-dev make autoconf automake libtool pkg-config
    libxen-dev libyajl-dev libexpat1-dev libcunit1-dev musl-dev)
# shellcheck disable=SC2034 # this one in packages.sh
LAB_PACKAGE_TOOLS=(lintian mmdebstrap)

# apt for the packages of dom0. Those of Debian 13 have lists in the cache, from
# this machine's mirrors; the machine's own apt never hears of them.
lab_apt() {
    local tool=$1 state=$LAB_CACHE/apt-$LAB_XEN other=()
    shift
    [[ $LAB_XEN == "$LAB_OWN_XEN" ]] || other=(
        -o Dir::Etc::SourceList="$state/sources.list"
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State="$state"
        -o Dir::State::status=/dev/null -o Dir::Cache="$state/cache")
    "$tool" -q -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 "${other[@]}" "$@"
}

# This machine's sources of Debian 12, as Debian 13's. Fails without any.
lab_other_sources() {
    apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' \
        'Created-By: Packages' |
        sed -n 's/ bookworm\(-[a-z]*\)\{0,1\} main$/ trixie\1 main/p' |
        sort -u | grep .
}

# Makes the sources that lab_apt reads for another release than this machine's,
# and the lists: anew when this machine's are newer.
lab_make_sources() {
    local state=$LAB_CACHE/apt-$LAB_XEN
    [[ $LAB_XEN != "$LAB_OWN_XEN" ]] || return 0
    [[ -s $state/sources.list &&
        ! /var/lib/apt/lists -nt $state/sources.list ]] && return 0
    mkdir -p "$state"/{lists,cache/archives}/partial
    LAB_XEN=$LAB_OWN_XEN lab_try_apt lab_other_sources
    lab_other_sources >"$state/sources.list"
    # Without a network: with the lists that there are.
    lab_apt apt-get update >/dev/null 2>&1
}

lab_is_installed() {
    [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == *' installed' ]]
}

# Installs those of the named packages that are lacking.
lab_install() {
    local package lacking=()
    for package; do
        lab_is_installed "$package" || lacking+=("$package")
    done
    [[ ${#lacking[@]} -gt 0 ]] || return 0
    [[ $(id -u) == 0 ]] || die 1 "packages are lacking; as root:" \
        "apt-get install --no-install-recommends ${lacking[*]}"
    say "installing ${lacking[*]}"
    lab_try_apt env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y install --no-install-recommends "${lacking[@]}"
}

# Runs an apt command; when it fails, once more after apt-get update. What it
# says is shown only when it fails for good.
lab_try_apt() {
    local log=$LAB_RUN/apt.log
    "$@" >"$log" 2>&1 && return 0
    say "apt-get update"
    if ! { lab_apt apt-get update && "$@"; } >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die 1 "failed: $*"
    fi
}

# dom0's kernel has its version in its name, the metapackage knows it. (The cloud
# kernel cannot be a dom0.)
lab_kernel_packages() {
    lab_apt apt-cache show --no-all-versions linux-image-amd64 |
        sed -n 's/^Depends: \(linux-image-[^ ,]*\).*/\1/p' | grep .
}

# The other packages that go into dom0.
lab_dom0_packages() {
    printf '%s\n' "xen-hypervisor-$LAB_XEN-amd64" \
        "xen-utils-$LAB_XEN" "libxenmisc$LAB_XEN" xen-utils-common \
        xenstore-utils libxencall1 libxendevicemodel1 libxenevtchn1 \
        libxenforeignmemory1 libxengnttab1 libxenhypfs1 libxenstore4 \
        libxentoolcore1 libxentoollog1 busybox-static libc6 libgcc-s1 \
        libyajl2 libncurses6 libtinfo6 liblzma5 zlib1g libbz2-1.0 liblzo2-2 \
        libzstd1 libuuid1 libnl-3-200 libnl-route-3-200 electric-fence
}

# The packages of a device model for HVM guests; --hvm alone wants them. Debian
# 13 has renamed those whose times got 64 bits, and its libraries need a few more.
lab_hvm_packages() {
    local t64='' more=()
    if [[ $LAB_XEN != "$LAB_OWN_XEN" ]]; then
        t64=t64
        more=(libatomic1 libcap2 libxxhash0)
    fi
    printf '%s\n' qemu-system-xen qemu-system-data seabios libpixman-1-0 \
        libspice-server1 libjpeg62-turbo libusb-1.0-0 libfdt1 \
        libglib2.0-0$t64 libssl3$t64 libopus0 libgstreamer1.0-0 \
        libgstreamer-plugins-base1.0-0 liborc-0.4-0$t64 liblz4-1 libsasl2-2 \
        libstdc++6 libudev1 libpcre2-8-0 libunwind8 libdw1$t64 libelf1$t64 \
        libffi8 libbz2-1.0 liblzma5 libc6 "${more[@]}"
}

# Debian's script that saves and restores all guests, and a shell for it.
lab_xendomains_packages() {
    printf '%s\n' bash-static xen-utils-common
}

# libvirtd with its libxl driver, virsh, AppArmor with the profile of libvirtd; and every
# library that the former depend on, whatever it is called in this release.
lab_libvirt_packages() {
    local programs=(libvirt-daemon libvirt-daemon-driver-xen libvirt-clients
        apparmor libexpat1)
    printf '%s\n' "${programs[@]}" libvirt-daemon-system
    [[ $LAB_XEN == "$LAB_OWN_XEN" ]] || echo libvirt-common
    lab_apt apt-cache depends --recurse --no-recommends --no-suggests \
        --no-conflicts --no-breaks --no-replaces --no-enhances \
        "${programs[@]}" | grep '^lib[^:]*$' | grep -v '^libvirt-'
}

# What a build for another Xen than this machine's needs, besides dom0's.
lab_sysroot_packages() {
    printf '%s\n' libc6-dev linux-libc-dev libxen-dev libyajl-dev \
        libexpat1-dev libexpat1
}

# Prints the file names of the packages of kernel, dom0, hvm, libvirt, xendomains or
# sysroot ($1), versions and all.
lab_list_debs() {
    local packages
    packages=$("lab_$1_packages") || return 1
    # shellcheck disable=SC2086 # a list of names
    lab_apt apt-get download --print-uris $packages | awk '{print $2}'
}

# The file with the list of the package files of $1 for this Xen.
lab_deb_list() {
    echo "$LAB_CACHE/debs/list-$1-$LAB_XEN"
}

# Makes that list. Asks apt only when its lists are newer than ours: that takes
# two seconds.
lab_update_deb_list() {
    local list lists=/var/lib/apt/lists
    list=$(lab_deb_list "$1")
    [[ $LAB_XEN == "$LAB_OWN_XEN" ]] || lists=$LAB_CACHE/apt-$LAB_XEN/lists
    mkdir -p "$LAB_CACHE/debs"
    lab_make_sources
    [[ -s $list && ! $lists -nt $list && ! $LAB_DIR/debs.sh -nt $list ]] &&
        return 0
    lab_list_debs "$1" >"$list.new" 2>/dev/null
    if [[ ! -s $list.new && -s $list ]]; then
        return 0                # apt knows nothing now, but we did
    fi
    [[ -s $list.new ]] || lab_try_apt lab_list_debs "$1"
    [[ -s $list.new ]] || lab_list_debs "$1" >"$list.new"
    mv "$list.new" "$list"
}

# Downloads what list $1 names and is not here yet.
lab_download_debs() {
    local deb missing=()
    while read -r deb; do
        [[ -s $LAB_CACHE/debs/$deb ]] || missing+=("${deb%%_*}")
    done <"$(lab_deb_list "$1")"
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "downloading ${#missing[@]} packages for $1"
    cd "$LAB_CACHE/debs" || die 1 "no $LAB_CACHE/debs"
    lab_try_apt lab_apt apt-get download "${missing[@]}"
    cd "$OLDPWD" || die 1 "no $OLDPWD"
}
