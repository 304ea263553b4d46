#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# generate.sh AGENT FOLDER: writes into FOLDER what comes from the tables of options and commands: the completion, the
# sample file, and agent.conf.5 with its list of options made anew.
set -eu
agent=$1
to=$2
here=$(dirname "$0")

"$agent" completion >"$to/agent.bash-completion"
"$agent" config sample >"$to/agent.conf.sample"
mkdir -p "$to/man"
{
	sed '/^\.\\" Begin of the list/q' "$here/man/agent.conf.5"
	"$agent" config man
	sed -n '/^\.\\" End of the list/,$p' "$here/man/agent.conf.5"
} >"$to/man/agent.conf.5.new"
mv "$to/man/agent.conf.5.new" "$to/man/agent.conf.5"
