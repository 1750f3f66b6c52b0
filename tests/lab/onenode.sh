# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A host of one node: one warning, and the guest is built as stock xl does it.
# host: lab-1n.json
# timeout: 120
# memory: 300

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

is "the host has one node" "$(lab_nodes | wc -l)" 1
messages=$(lab_create g pvh 300 1 2>&1)
is "the guest is built" "$?" 0
is "one warning says why it is not placed" "$messages" \
    "xl-numa: warning: domain $(lab_domid g) (g): the host has one NUMA node: \
placement is left to libxl"
is "its affinities are stock xl's" "$(lab_vcpus g)" "all / all"
