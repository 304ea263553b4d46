# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# What every hook begins with. Sourced; the contract is in ../../README.md.
set -eu
umask 077
# When the server is short of memory a build goes before the apps do, and before the agent; what a hook starts inherits it (proc(5)).
echo 500 2>/dev/null >/proc/self/oom_score_adj || true
newline='
'

say() { printf '%s\n' "$*"; }

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

again() { # it may work later
	printf '%s\n' "$*" >&2
	exit 75
}

nothing() { # nothing to do here
	say "$*"
	exit 77
}

is_dry() { [ "${DEPLOY_DRY_RUN:-}" = 1 ]; }

# Shows a command and runs it; only shows it in a dry run. Secrets are files, so what is shown is never one.
run() {
	say "+ $*" >&2 # what a command prints may be thrown away, that it ran not
	is_dry || "$@"
}

need() { # PROGRAM...
	for program in "$@"; do
		command -v "$program" >/dev/null || die "$program is not installed, and this hook needs it"
	done
}

result() { # KEY VALUE
	case $2 in *"$newline"*) die "the value of $1 has more than one line" ;; esac
	if [ -n "${DEPLOY_OUTPUT:-}" ]; then printf '%s=%s\n' "$1" "$2" >>"$DEPLOY_OUTPUT"; fi
}

is_on() { # an option
	case ${1:-} in 1 | yes | true | on) return 0 ;; esac
	return 1
}

is_off() { # not the same as not set
	case ${1:-} in 0 | no | false | off) return 0 ;; esac
	return 1
}

# The whole seconds of "90", "90s", "5m", "1h", "1500ms".
seconds() {
	case $1 in
	*ms) n=${1%ms} unit=ms ;;
	*s) n=${1%s} unit=1 ;;
	*m) n=${1%m} unit=60 ;;
	*h) n=${1%h} unit=3600 ;;
	*) n=$1 unit=1 ;;
	esac
	case $n in '' | *[!0-9]* | ???????*) die "\"$1\" is not a time such as 90s, 5m or 1h" ;; esac
	if [ "$unit" = ms ]; then echo $(((n + 999) / 1000)); else echo $((n * unit)); fi
}

# The same for sleep: "300ms" is 0.300.
pause_of() {
	case $1 in
	*ms)
		n=${1%ms}
		case $n in '' | *[!0-9]* | ???????*) die "\"$1\" is not a time such as 300ms, 90s or 5m" ;; esac
		printf '%d.%03d\n' $((n / 1000)) $((n % 1000))
		;;
	*) seconds "$1" ;;
	esac
}

# The whole seconds until this hook is ended, less a second to say why.
seconds_left() {
	left=$((${DEPLOY_DEADLINE:-0} - $(date +%s) - 1))
	if [ "${DEPLOY_DEADLINE:-0}" = 0 ]; then echo 3600; elif [ "$left" -gt 0 ]; then echo "$left"; else echo 0; fi
}

# The path of a file of the source; what leaves it is refused. A link is followed by nobody before fetch has looked at it.
inside() { # RELATIVE
	case "/$1/" in //?*/ | */../*) die "\"$1\" is not a path within the source" ;; esac
	printf '%s/%s\n' "${DEPLOY_WORKDIR:?}" "$1"
}

secret() { # NAME: the path of that secret; fails when the app has none
	[ -n "${CREDENTIALS_DIRECTORY:-}" ] && [ -f "$CREDENTIALS_DIRECTORY/$1" ] &&
		printf '%s\n' "$CREDENTIALS_DIRECTORY/$1"
}

# The secret env has NAME=value in its lines and nothing else. systemd and compose see quotes, escapes and variables in there.
env_for_systemd() { sed 's/[\\"]/\\&/g; s/=\(.*\)$/="\1"/' "$1"; } # FILE

env_for_compose() { # FILE; in quotes two backslashes would be one, and one at the end would take the quote with it
	sed "/\\\\\\\\/b; /\\\\\$/b; s/'/\\\\'/g; s/=\(.*\)\$/='\1'/" "$1"
}

# A private folder $scratch that goes with the hook, however it ends.
make_scratch() {
	scratch=$(mktemp -d)
	trap 'rm -rf -- "$scratch"' EXIT
	trap 'exit 143' TERM INT HUP
}

check_domain() { # it goes into configuration files of routers
	case ${1:-} in
	'') die "the option domain is missing" ;;
	-* | .* | *[!A-Za-z0-9.*-]*) die "\"$1\" is not the name of a domain" ;;
	esac
}

check_address() { # IPV4:PORT
	case ${1:-} in
	*[!0-9.:]* | *:*:* | *. | :* | *: | '') die "\"${1:-}\" is not an address such as 198.18.3.10:8080" ;;
	*.*.*.*:*) ;;
	*) die "\"$1\" is not an address such as 198.18.3.10:8080" ;;
	esac
}

# How long nothing served, where the old version has to stop first: begun by start, ended by route.
downtime_begin() { date +%s%3N >"${DEPLOY_CACHE:?}/stopped-at"; }

downtime_end() {
	[ -f "${DEPLOY_CACHE:-}/stopped-at" ] || return 0
	ms=$(($(date +%s%3N) - $(cat "$DEPLOY_CACHE/stopped-at")))
	rm -f -- "$DEPLOY_CACHE/stopped-at"
	say "nothing served for $ms ms"
	result downtime_ms "$ms"
}

verb=${1:-}
case $verb in
apply | revert | status) ;;
*) die "usage: $0 apply|revert|status" ;;
esac
