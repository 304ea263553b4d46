# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the checks in the guest have in common: one line per check, and questions to the agent. The guest is
# emulated and slow, and the machine below it may be busy, so deadlines are wide.
passed=0 failed=0

ok() { # TEXT COMMAND...
	local text=$1
	shift
	if "$@"; then
		echo "ok   $text"
		passed=$((passed + 1))
	else
		echo "FAIL $text   [$*]"
		failed=$((failed + 1))
	fi
}

wait_for() { # SECONDS COMMAND...
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.3
	done
}

soon() { # COMMAND...: it becomes true; at once where nothing else keeps the machine busy
	wait_for 90 "$@"
}

api() { # PATH
	curl -s -m 10 -H "Authorization: Bearer $(cat /var/lib/agent/token.admin)" "http://127.0.0.1:4500$1"
}

entity() { # CLASS KEY: the live entity, or an error
	api "/api/v1/entities?class=$1" | jq -e --arg key "$2" '.entities[] | select(.key == $key and .live)'
}

value() { # CLASS KEY METRIC
	entity "$1" "$2" | jq -e ".values.$3"
}

is() { # FILTER CLASS KEY METRIC: jq filter on the value
	value "$2" "$3" "$4" | jq -e "$1" >/dev/null
}

has_entity() { # CLASS KEY
	entity "$1" "$2" >/dev/null
}

healthy() {
	[ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' http://127.0.0.1:4500/health)" = 200 ]
}

# Every script ends with it.
summary() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}
