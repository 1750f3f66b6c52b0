#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Make `configure` in a source tree that comes from version control.
cd "$(dirname "$0")" && exec autoreconf --install
