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
    libxen-dev libyajl-dev libcunit1-dev)

# apt for dom0's packages. Another Debian release's would be told here where
# that release's lists and cache directories are.
lab_apt() {
    local tool=$1
    shift
    "$tool" -q -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 "$@"
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

# The packages that go into dom0; the kernel's package has its version in its
# name, the metapackage knows it. (The cloud kernel cannot be a dom0.)
lab_dom0_packages() {
    local kernel
    kernel=$(lab_apt apt-cache show --no-all-versions linux-image-amd64 |
        sed -n 's/^Depends: \(linux-image-[^ ,]*\).*/\1/p')
    [[ -n $kernel ]] || return 1
    printf '%s\n' "$kernel" "xen-hypervisor-$LAB_XEN-amd64" \
        "xen-utils-$LAB_XEN" "libxenmisc$LAB_XEN" xen-utils-common \
        xenstore-utils libxencall1 libxendevicemodel1 libxenevtchn1 \
        libxenforeignmemory1 libxengnttab1 libxenhypfs1 libxenstore4 \
        libxentoolcore1 libxentoollog1 busybox-static libc6 libgcc-s1 \
        libyajl2 libncurses6 libtinfo6 liblzma5 zlib1g libbz2-1.0 liblzo2-2 \
        libzstd1 libuuid1 libnl-3-200 libnl-route-3-200
}

# The packages of a device model for HVM guests; --hvm alone wants them.
lab_hvm_packages() {
    printf '%s\n' qemu-system-xen qemu-system-data seabios libpixman-1-0 \
        libspice-server1 libjpeg62-turbo libusb-1.0-0 libfdt1 libglib2.0-0 \
        libssl3 libopus0 libgstreamer1.0-0 libgstreamer-plugins-base1.0-0 \
        liborc-0.4-0 liblz4-1 libsasl2-2 libstdc++6 libudev1 libpcre2-8-0 \
        libunwind8 libdw1 libelf1 libffi8 libbz2-1.0 liblzma5 libc6
}

# Prints the file names of the packages of dom0 or hvm ($1), versions and all.
lab_list_debs() {
    local packages
    packages=$("lab_$1_packages") || return 1
    # shellcheck disable=SC2086 # a list of names
    lab_apt apt-get download --print-uris $packages | awk '{print $2}'
}

# Leaves the list of the package files of dom0 or hvm ($1) in
# $LAB_CACHE/debs/list-$1. Asks apt only when its lists are newer than ours: that
# takes two seconds.
lab_update_deb_list() {
    local list=$LAB_CACHE/debs/list-$1 lists=/var/lib/apt/lists
    mkdir -p "$LAB_CACHE/debs"
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

# Downloads what list $1 (dom0 or hvm) names and is not here yet.
lab_download_debs() {
    local deb missing=()
    while read -r deb; do
        [[ -s $LAB_CACHE/debs/$deb ]] || missing+=("${deb%%_*}")
    done <"$LAB_CACHE/debs/list-$1"
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "downloading ${#missing[@]} packages for $1"
    cd "$LAB_CACHE/debs" || die 1 "no $LAB_CACHE/debs"
    lab_try_apt lab_apt apt-get download "${missing[@]}"
    cd "$OLDPWD" || die 1 "no $OLDPWD"
}
