# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A host of one node: the guest is built as stock xl does it, without a word.
# host: lab-1n.json
# timeout: 120
# memory: 300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

is "the host has one node" "$(lab_nodes | wc -l)" 1
messages=$(lab_create g pvh 300 1 2>&1)
is "the guest is built" "$?" 0
is "not a word about it" "$messages" ""
is "reported as off, and why" "$(for key in status reason; do
    lab_report "$(lab_domid g)" "$key"
done)" "off
the host has one NUMA node"
is "its affinities are stock xl's" "$(lab_vcpus g)" "all / all"
