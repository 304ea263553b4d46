# shellcheck shell=sh
# shellcheck disable=SC2154 # verb comes from common.sh, seen from the hook
# SPDX-License-Identifier: Apache-2.0
#
# Healthy several times in a row, before a deadline, and no later than the app has died. A hook defines is_healthy, which sets
# $seen, and explain, which shows more of the last refusal; then calls `probe`.
#
# Sourced after common.sh.

# Whether the container, if it is one, has ended or begun anew: waiting longer would tell nothing.
has_died() {
	case ${DEPLOY_CONTAINER:-} in '' | */* | *@*) return 1 ;; esac
	command -v docker >/dev/null || return 1
	if [ -n "${DEPLOY_OPTION_DOCKER_SOCKET:-}" ]; then export DOCKER_HOST="unix://$DEPLOY_OPTION_DOCKER_SOCKET"; fi
	state=$(docker container inspect --format '{{.State.Status}} {{.RestartCount}} {{.State.OOMKilled}}' -- "$DEPLOY_CONTAINER" 2>/dev/null) || return 1
	case $state in "running 0 false") return 1 ;; esac
	seen="its container is: ${state%% *}"
	case $state in *true) seen="$seen, killed for want of memory" ;; esac
	return 0
}

probe() {
	[ "$verb" != revert ] || nothing "a probe changes nothing"
	[ -n "${DEPLOY_ADDRESS:-}" ] || nothing "the new version has no address to be asked at"
	check_address "$DEPLOY_ADDRESS"
	is_dry && say "would ask $DEPLOY_ADDRESS" && exit 0
	count=${DEPLOY_OPTION_HEALTH_COUNT:-3} interval=${DEPLOY_OPTION_HEALTH_INTERVAL:-300ms}
	case $count in '' | *[!0-9]* | 0) die "\"$count\" is not a number of times" ;; esac
	interval=$(pause_of "$interval")
	left=$(seconds "${DEPLOY_OPTION_HEALTH_DEADLINE:-60s}")
	most=$(seconds_left)
	if [ "$most" -lt "$left" ]; then left=$most; fi
	if [ "$verb" = status ]; then count=1 left=0; fi
	end=$(($(date +%s) + left)) good=0 last=
	while :; do
		# First: what is asked of one that is gone takes seconds.
		if has_died; then
			say "its last lines:"
			docker logs --tail 50 -- "$DEPLOY_CONTAINER" 2>&1 || true
			die "not healthy: $seen"
		fi
		if is_healthy; then
			good=$((good + 1))
			[ "$good" -lt "$count" ] || break
		else
			good=0
			if [ "$seen" != "$last" ]; then say "$seen"; fi
			last=$seen
		fi
		if [ "$(date +%s)" -ge "$end" ]; then
			explain
			die "not healthy: $seen"
		fi
		# While it comes up, what is asked for often is found soon.
		if [ "$good" = 0 ]; then sleep 0.2; else sleep "$interval"; fi
	done
	if [ "$good" = 1 ]; then say "healthy"; else say "healthy $good times in a row"; fi
}
