# shellcheck shell=sh
# shellcheck disable=SC2154 # verb, scratch and switch_* come from what is sourced before
# SPDX-License-Identifier: Apache-2.0
#
# What the routers have in common: over the switch (switch.sh) a router is told once where an app is, and never again. Without
# it the router gets the address of each version and is reloaded, which costs a few requests on connections kept alive.
#
# Sourced after common.sh and switch.sh. A hook defines router_point TARGET, which makes the router lead there, and does
# nothing when it does already, and router_now, which prints where it leads; then calls `route`.

# An atomic change of a file of the router, content on stdin: tested, and taken back when the test fails. 1: as it was.
router_file() { # PATH TEST-COMMAND...
	path=$1
	shift
	cat >"$scratch/new" || die "the folder for temporary files is full"
	if [ -f "$path" ] && cmp -s -- "$scratch/new" "$path"; then return 1; fi
	if is_dry; then
		say "would write $path:"
		cat -- "$scratch/new"
		return 0
	fi
	rm -f -- "$scratch/before"
	if [ -f "$path" ]; then cp -p -- "$path" "$scratch/before" || die "$path cannot be kept"; fi
	# Beside it, by a name no router reads, for a rename.
	aside="${path%/*}/.${path##*/}.new"
	# Called in conditions, where a failure ends nothing by itself.
	{ cp -- "$scratch/new" "$aside" && chmod 0644 "$aside" && mv -- "$aside" "$path"; } || die "$path cannot be written"
	"$@" >"$scratch/test" 2>&1 && return 0
	if [ -f "$scratch/before" ]; then mv -- "$scratch/before" "$path"; else rm -f -- "$path"; fi
	cat -- "$scratch/test" >&2
	# Was it the file of this app, or is the router's configuration wrong without it too?
	"$@" >/dev/null 2>&1 || die "the router's configuration is wrong by itself, without what is to be changed for $DEPLOY_APP"
	die "the router refuses $path; it is as it was"
}

# The app answers through the router. With `router` (the address of the router's plain HTTP, 127.0.0.1:80) as the only way, so
# that DNS does not matter. No certificate yet is no failure: the router gets one in its own time.
router_check() {
	[ -n "${DEPLOY_OPTION_DOMAIN:-}" ] && ! is_dry || return 0
	need curl
	router=${DEPLOY_OPTION_ROUTER:-127.0.0.1:80}
	url="http://$DEPLOY_OPTION_DOMAIN${DEPLOY_OPTION_HEALTH_PATH:-/}"
	tries=0
	while :; do
		status=0
		code=$(curl --silent --insecure --globoff --location --max-redirs 5 --max-time 5 --output /dev/null --write-out '%{http_code}' \
			--connect-to "$DEPLOY_OPTION_DOMAIN:80:$router" --connect-to "$DEPLOY_OPTION_DOMAIN:443:${router%:*}:443" \
			--url "$url") || status=$?
		case $status:$code in
		0:[23]?? | 0:401 | 0:403) break ;;
		35:*) say "$DEPLOY_OPTION_DOMAIN has no certificate yet" && return 0 ;;
		0:404) [ -n "${DEPLOY_OPTION_HEALTH_PATH:-}" ] || break ;;
		esac
		[ $((tries += 1)) -lt 5 ] || die "through the router, $url says $code (curl: $status)"
		sleep 0.3
	done
	say "through the router, $url says $code"
}

# The verbs of all route hooks. Stable means: router_point is the same at each deploy.
route() {
	make_scratch
	stable=
	if switch_is_usable; then stable=$(switch_address); fi
	case $verb in
	apply) route_to "${DEPLOY_ADDRESS:-}" ;;
	revert) route_to "${DEPLOY_OLD_ADDRESS:-}" ;;
	status) route_status ;;
	esac
}

route_to() { # TARGET
	[ -n "$1" ] || [ -n "$stable" ] || nothing "there was no version before, and the router stays as it is"
	if [ -n "$1" ]; then check_address "$1"; elif [ "$verb" = apply ]; then die "the new version has no address"; fi
	if [ -n "$stable" ]; then
		switch_set "$stable" "$1"
		router_point "$stable:$switch_port"
	else
		say "without nft each deploy reloads the router; requests on connections kept alive may be lost"
		router_point "$1"
	fi
	if [ -z "$1" ]; then return; fi
	router_check
	downtime_end
}

route_status() {
	if [ -n "$stable" ]; then
		now=$(switch_target "$stable") || again "nft does not answer"
	else
		now=$(router_now)
	fi
	case $now in
	'') result serves neither ;;
	"${DEPLOY_ADDRESS:-}") result serves new ;;
	"${DEPLOY_OLD_ADDRESS:-}") result serves old ;;
	*) result serves neither ;;
	esac
}
