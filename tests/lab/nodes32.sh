# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# On a host of 32 nodes a guest larger than a node goes to siblings; stock xl
# gives up above 16 nodes.
# host: lab-32n.json
# memory: 2600
# timeout: 500

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

lab_check_many_nodes 32
