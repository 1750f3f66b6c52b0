# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A Linux guest tries to read, list, watch, write and open what is ours in
# xenstore, its own and another guest's, with xenstore's own tools: it gets nothing
# and changes nothing, and would, were the keys open to it. And others' links in
# dom0's /tmp are not written through.
# host: lab-2x2.json
# linux: yes
# host-memory: 6144
# dom0_mem: 1024
# memory: 1000
# timeout: 400

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

ROOT=/tmp/root
LIB=/usr/lib/x86_64-linux-gnu

# The guest's first process. It says on its console "try WHAT: STATUS OUTPUT" of
# each attempt, when dom0 has given the word.
guest_init() {
    cat <<'END'
#!/bin/busybox sh
export PATH=/bin:/usr/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
read -r line </proc/cmdline
other=${line##*other=}
other=${other%% *}
until me=$(xenstore-read domid 2>/dev/null); do
    usleep 100000
done

# try WHAT COMMAND...
try() {
    what=$1
    shift
    out=$(timeout 60 "$@" 2>&1)
    echo "try $what: $? $(printf %s "$out" | tr '\n\t' '  ')"
}

attack() {
    key=/libxl/$2/numa-placement
    for path in /libxl /libxl/$2 $key $key/node; do
        try "$1 list" xenstore-list $path
        try "$1 ls" xenstore-ls -f $path
    done
    for path in $key $key/status $key/version $key/nodes; do
        try "$1 read" xenstore-read $path
        try "$1 write" xenstore-write $path evil
        try "$1 rm" xenstore-rm $path
        try "$1 chmod" xenstore-chmod $path b$me
    done
    try "$1 write" xenstore-write $key/evil evil
    try "$1 write" xenstore-write /libxl/$2/evil evil
}

echo "guest $me is ready"
until xenstore-exists data/go 2>/dev/null; do
    usleep 100000
done
try control-read xenstore-read name
try control-write xenstore-write data/mine hello
try control-open-read xenstore-read /libxl/$other/open
try control-open-write xenstore-write /libxl/$other/open "written by $me"
attack own $me
attack other $other
# What we read of a guest elsewhere.
try name-write xenstore-write /local/domain/$me/name evil
try video-write xenstore-write /local/domain/$me/memory/videoram 1000000
try everything xenstore-ls -f /
# A watch tells at once that it is set, and then of each change it may see.
echo "guest $me watches"
xenstore-watch -n 2 /libxl >/dev/null
echo "guest $me saw a change"
while :; do
    sleep 1000
done
END
}

# The ramdisk of the scenarios' Linux guest, with xenstore's tools from dom0.
make_ramdisk() {
    mkdir -p $ROOT/usr/bin $ROOT/$LIB $ROOT/lib64 $ROOT/usr/lib &&
        (cd $ROOT && cpio -id <"$LAB_LINUX_INITRD") &&
        ln -s usr/lib $ROOT/lib &&
        cp -L /usr/bin/xenstore-* $ROOT/usr/bin/ &&
        cp -L /lib64/ld-linux-x86-64.so.2 $ROOT/lib64/ &&
        cp -L $LIB/libxenstore.so.* $LIB/libxentool*.so.* $LIB/libc.so.6 \
            $LIB/libgcc_s.so.1 $ROOT/$LIB/ &&
        guest_init >$ROOT/init &&
        chmod 755 $ROOT/init &&
        (cd $ROOT && find . | cpio -o -H newc) >/tmp/ramdisk
}

console() {
    tr -d '\r' </var/log/xen/guest-mallory.log
}

says() {
    console | grep -qx "$1"
}

# tried WHAT: status and output of each such attempt.
tried() {
    console | sed -n "s/^try $1: //p"
}

# report DOMID: all that is ours of it, with permissions.
report() {
    xenstore-ls -fp "/libxl/$1" | grep numa-placement
}

ok "a guest is built, whose report is of interest" lab_create alice pvh 200 1
alice=$(lab_domid alice)
ok "the other guest's ramdisk has xenstore's tools" make_ramdisk
ok "it is built" lab_create mallory pv 200 1 "kernel=\"$LAB_LINUX\"" \
    'ramdisk="/tmp/ramdisk"' "extra=\"console=hvc0 quiet other=$alice \""
mallory=$(lab_domid mallory)
ok "it is up" lab_wait 120 says "guest $mallory is ready"

report "$alice" >/tmp/alice
report "$mallory" >/tmp/mallory
between "there is a report to look for" "$(wc -l </tmp/mallory)" 1 1
is "it is dom0's alone, and so is the other guest's" \
    "$(cat /tmp/alice /tmp/mallory | sed 's/.*(\(.*\)).*/\1/' | sort -u)" n0
xenstore-write "/libxl/$alice/open" secret
xenstore-chmod "/libxl/$alice/open" n0 "b$mallory"
xenstore-write "/local/domain/$mallory/data/go" 1
ok "it has tried all" lab_wait 120 says "guest $mallory watches"

is "control: it reads a key of its own" "$(tried control-read)" "0 mallory"
is "control: it writes one, and dom0 sees it" \
    "$(tried control-write)$(xenstore-read "/local/domain/$mallory/data/mine")" \
    "0 hello"
is "control: of a key beside the report that dom0 opens to it it has the value" \
    "$(tried control-open-read)" "0 secret"
is "control: and changes it" "$(xenstore-read "/libxl/$alice/open")" \
    "written by $mallory"
for whose in own other; do
    for what in list ls read write rm chmod; do
        is "$whose report: it can $what nothing: every attempt fails" \
            "$(tried "$whose $what" | grep -c '^1 ') $(
                tried "$whose $what" | grep -vc '^1 ')" \
            "$(case $what in write) echo 6 ;; *) echo 4 ;; esac) 0"
    done
done
is "nor its name" "$(tried name-write | cut -c1-2
    xenstore-read "/local/domain/$mallory/name")" "1 
mallory"
is "nor the size of its video memory" "$(tried video-write | cut -c1-2)" "1 "
is "nothing of ours is in all that it was told" \
    "$(console | grep '^try' | grep -c -e best-effort -e spread \
        -e 'placed' -e 'numa-placement = ')" 0
is "the reports are what they were, permissions too" \
    "$(report "$alice"; report "$mallory")" "$(cat /tmp/alice /tmp/mallory)"
is "no key is there that was not" \
    "$(xenstore-ls -f /libxl | grep -c evil)" 0

# Its watch is of all that is below /libxl; dom0's own shows that there is something.
xenstore-watch -n 2 /libxl >/dev/null &
watch=$!
ok "a guest is built meanwhile" lab_create bob pvh 100 1
ok "dom0's watch tells of it" lab_wait 10 sh -c "! kill -0 $watch"
sleep 5
is "the other guest's does not" "$(says "guest $mallory saw a change" && echo seen)" ""
xenstore-write "/libxl/$alice/open" "another secret"
ok "control: but of the key that is open to it" \
    lab_wait 60 says "guest $mallory saw a change"
ok "reports are read as ever" sh -c 'xl numa-placement list |
    grep -c " best-effort  *placed$" | grep -qx 3'

# --- dom0's /tmp -------------------------------------------------------------------

echo 1 >/proc/sys/fs/protected_symlinks
mkdir -m 1777 /tmp/all
echo precious >/tmp/precious
ln -s ../precious /tmp/all/out
chown -h 65534 /tmp/all/out
is "a link of somebody else's in a folder of all is not followed" \
    "$(xl numa-placement snapshot -o /tmp/all/out 2>&1; cat /tmp/precious)" \
    "xl numa-placement: /tmp/all/out: Permission denied
precious"
chown -h 0 /tmp/all/out
ok "one of root's own is" xl numa-placement snapshot -o /tmp/all/out
ok "and the file is replaced" grep -q xlnuma-host /tmp/precious
