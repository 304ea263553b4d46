# shellcheck shell=sh
# shellcheck disable=SC2154 # app, network, number and switch_net come from what is sourced before
# SPDX-License-Identifier: Apache-2.0
#
# A swarm of one server. Each version is a service of its own, APP-ID, so that old and new run side by side and the switch decides;
# an update of one service would have swarm move the requests, and take them back, unasked. Swarm starts a task again
# with another address: the route hook is then to be run again.
#
# Sourced after common.sh, switch.sh and docker.sh.

service_is_ours() { # NAME
	[ -n "$1" ] && [ "$(docker service inspect --format '{{index .Spec.Labels "agent.app"}}' -- "$1" 2>/dev/null)" = "$app" ]
}

# A bridge of this server that services may join: an overlay's addresses cannot be reached from the server itself.
swarm_network_up() {
	number=$(switch_number "$app")
	docker network inspect --format . "$network-swarm" >/dev/null 2>&1 && return
	docker network inspect --format . "$network-config" >/dev/null 2>&1 ||
		run docker network create --config-only --subnet "$switch_net.$number.0/24" \
			--label "agent.app=$app" "$network-config" >/dev/null
	run docker network create --driver bridge --scope swarm --attachable --config-from "$network-config" "$network-swarm" >/dev/null
}

# The address of the one running task; empty: none yet.
task_address() { # SERVICE
	for task in $(docker service ps --quiet --filter desired-state=running -- "$1"); do
		c=$(docker inspect --type task --format '{{if eq .Status.State "running"}}{{.Status.ContainerStatus.ContainerID}}{{end}}' "$task")
		[ -n "$c" ] || continue
		of_container "$c" "{{with index .NetworkSettings.Networks \"$network-swarm\"}}{{.IPAddress}}{{end}}"
		return
	done
}

wait_for_task() { # SERVICE
	while [ "$(seconds_left)" -gt 0 ]; do
		ip=$(task_address "$1")
		if [ -n "$ip" ]; then return; fi
		sleep 0.3
	done
	swarm_last_words "$1"
	die "no task of $1 runs"
}

# To no task, and until the app has ended.
service_stop() { # SERVICE
	run docker service scale --detach "$1=0" >/dev/null
	is_dry && return
	while [ -n "$(docker ps --quiet --filter "label=com.docker.swarm.service.name=$1")" ]; do
		[ "$(seconds_left)" -gt 0 ] || die "$1 does not end"
		sleep 0.2
	done
}

swarm_last_words() { # SERVICE
	docker service ps --no-trunc --format '{{.Name}} {{.CurrentState}} {{.Error}}' -- "$1" || true
	timeout 10 docker service logs --tail 200 --raw -- "$1" 2>&1 || true
}

service_status() {
	docker_ready
	if service_is_ours "${DEPLOY_CONTAINER:-}" && [ -n "$(task_address "$DEPLOY_CONTAINER")" ]; then
		result serves new
	elif service_is_ours "${DEPLOY_OLD_CONTAINER:-}" && [ -n "$(task_address "$DEPLOY_OLD_CONTAINER")" ]; then
		result serves old
	else
		result serves neither
	fi
}
