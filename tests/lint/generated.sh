#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The completion, the sample file and the manual pages say what the tables of options and commands say.
set -eu
BUILD=${BUILD:-build}
make -s "$BUILD/agent"
agent=$BUILD/agent
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
bad=0

sh packaging/generate.sh "$agent" "$out"
for file in agent.bash-completion agent.conf.sample man/agent.conf.5; do
	diff "packaging/$file" "$out/$file" || {
		echo "packaging/$file is out of date: run make docs"
		bad=1
	}
done

# Every command and option of the help is in agent(1).
"$agent" --help | sed -n 's/^  \([a-z]\{1,\}\( [a-z]\{1,\}\)\{0,1\}\)  .*/\1/p' >"$out/commands"
[ "$(wc -l <"$out/commands")" -ge 8 ]
while read -r name; do
	grep -qx "\.It Ic $name" packaging/man/agent.1 || {
		echo "packaging/man/agent.1: no \"$name\""
		bad=1
	}
	# shellcheck disable=SC2086 # a name may be two words
	for option in $("$agent" help $name | sed -n 's/^  --\([a-z]*\) .*/\1/p'); do
		grep -q "^\.It Fl -$option\( \|$\)" packaging/man/agent.1 || {
			echo "packaging/man/agent.1: no option --$option"
			bad=1
		}
	done
done <"$out/commands"

# The completion knows them too.
completed() { # WORD...: what follows them
	bash -c 'set -eu; . packaging/agent.bash-completion
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _agent; echo "${COMPREPLY[*]}"' _ "$@"
}
expect() { # OUTPUT WORD...
	want=$1
	shift
	got=$(completed "$@")
	[ "$got" = "$want" ] || {
		echo "completion of \"$*\": \"$got\" instead of \"$want\""
		bad=1
	}
}
expect "config" agent con
expect "rotate show" agent token ""
expect "--state" agent status --s
expect "--viewer" agent token show --v
expect "alerts" agent al
expect "silence silences" agent alerts s
expect "--json" agent alerts --j
expect "--reason --rule" agent alerts silence --r
expect "warning" agent notify send x --severity w
expect "token top" agent help t
exit $bad
