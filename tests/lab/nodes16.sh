# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# On a host of 16 nodes a guest larger than a node goes to siblings; stock xl
# picks strangers.
# host: lab-16n.json
# memory: 2600
# version: 4.20
# timeout: 400

# shellcheck source=tests/lab/lib.sh
. "$LAB_LIB"

lab_check_many_nodes 16
