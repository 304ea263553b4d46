# shellcheck shell=sh
# shellcheck disable=SC2154 # verb, scratch and switch_* come from what is sourced before
# SPDX-License-Identifier: Apache-2.0
#
# Containers and images of an app. All carry the labels agent.app and agent.deploy, and nothing without them is ever stopped
# or removed. A container is APP-ID; an image agent/APP:COMMIT-ID.
#
# Each app has a bridge of its own, agent-APP, 198.18.N.0/24 (N: switch_number, lib/switch.sh), so that apps do not reach one
# another, and each of its containers a fixed address there: Docker would give another one after a restart.

# Sourced after common.sh and switch.sh.
need docker
if [ -n "${DEPLOY_OPTION_DOCKER_SOCKET:-}" ]; then export DOCKER_HOST="unix://$DEPLOY_OPTION_DOCKER_SOCKET"; fi
app=${DEPLOY_APP:?} id=${DEPLOY_ID:?}
network=agent-$app

docker_ready() { docker version --format . >/dev/null || again "Docker does not answer"; }

image_name() { # of this deploy
	commit=$(printf %.12s "${DEPLOY_COMMIT:-}")
	printf 'agent/%s:%s\n' "$app" "${commit:+$commit-}$id"
}

image_done() { # NAME: it was built; tell it
	result image "$1"
	if ! is_dry; then result digest "$(docker image inspect --format '{{.Id}}' -- "$1")"; fi
}

exists() { docker container inspect --format . -- "$1" >/dev/null 2>&1; }

of_container() { # NAME TEMPLATE
	docker container inspect --format "$2" -- "$1"
}

# Guards every stop and removal: a name in the journal may since be somebody else's container.
is_ours() { # NAME
	[ -n "$1" ] && exists "$1" && [ "$(of_container "$1" '{{index .Config.Labels "agent.app"}}')" = "$app" ]
}

is_running() { # NAME
	[ -n "$1" ] && exists "$1" && [ "$(of_container "$1" '{{.State.Running}}')" = true ]
}

network_up() {
	number=$(switch_number "$app")
	docker network inspect --format . "$network" >/dev/null 2>&1 && return
	# What joins by itself (a router in a container) gets one of the first addresses.
	run docker network create --driver bridge --subnet "$switch_net.$number.0/24" \
		--ip-range "$switch_net.$number.0/29" --label "agent.app=$app" "$network"
}

# A free address for a container; a stopped one keeps its own, for the way back.
free_address() {
	taken=$(docker ps --all --quiet --filter "label=agent.app=$app" | while read -r c; do
		of_container "$c" "{{with index .NetworkSettings.Networks \"$network\"}}{{with .IPAMConfig}}{{.IPv4Address}}{{end}}{{end}}"
	done)
	last=9
	while [ $((last += 1)) -le 250 ]; do
		if ! printf '%s\n' "$taken" | grep -qxF "$switch_net.$number.$last"; then
			echo "$switch_net.$number.$last"
			return
		fi
	done
	die "no address is free in $network: too many stopped versions"
}

# The port the app listens on: the option, else the only one its image names.
port_of() { # IMAGE
	port=${DEPLOY_OPTION_PORT:-}
	if [ -z "$port" ] && ! is_dry; then
		port=$(docker image inspect --format '{{range $p, $_ := .Config.ExposedPorts}}{{println $p}}{{end}}' -- "$1" |
			sed -n 's,/tcp$,,p')
	fi
	case $port in
	'' | *[!0-9]*) is_dry || die "which port does it listen on? The image does not say one: set the option port" ;;
	esac
	echo "$port"
}

tell_container() { # NAME PORT
	result container "$1"
	is_dry && return
	ip=$(of_container "$1" "{{with index .NetworkSettings.Networks \"$network\"}}{{.IPAddress}}{{end}}")
	if [ -z "$ip" ]; then
		last_words "$1"
		if [ "$(of_container "$1" '{{.State.OOMKilled}}')" = true ]; then die "$1 has ended at once: killed for want of memory"; fi
		die "$1 has no address in the network $network: it has ended at once, or left it"
	fi
	result address "$ip:$2"
}

# Why it is no more, for the log.
last_words() { # NAME
	exists "$1" || return 0
	of_container "$1" '{{.Name}}: {{.State.Status}}, exit status {{.State.ExitCode}}, restarts {{.RestartCount}}{{if .State.OOMKilled}}, killed for want of memory{{end}}{{if .State.Error}}, {{.State.Error}}{{end}}'
	say "its last lines:"
	docker logs --tail 200 -- "$1" 2>&1 || true
}

remove_new() {
	# A rollback starts a container of an earlier deploy: that one stays.
	if [ "${DEPLOY_CONTAINER:-}" != "${DEPLOY_OLD_CONTAINER:-}" ] && is_ours "${DEPLOY_CONTAINER:-}" &&
		[ "$(of_container "$DEPLOY_CONTAINER" '{{index .Config.Labels "agent.deploy"}}')" != "$id" ]; then
		last_words "$DEPLOY_CONTAINER"
		stop_container "$DEPLOY_CONTAINER"
	fi
	for c in $(docker ps --all --format '{{.Names}}' --filter "label=agent.app=$app" --filter "label=agent.deploy=$id"); do
		last_words "$c"
		run docker rm --force -- "$c" >/dev/null
	done
}

stop_container() { # NAME
	grace=$(seconds "${DEPLOY_OPTION_STOP_TIMEOUT:-30s}")
	run docker update --restart=no -- "$1" >/dev/null
	run docker stop -t "$grace" -- "$1" >/dev/null
}

start_again() { # NAME
	is_running "$1" || run docker start -- "$1" >/dev/null
	come_back "$1"
}

# From now on after a reboot too. The stage stop does it when there is an old version to stop beside the new one.
come_back() { # NAME
	if is_ours "$1" && [ "$(of_container "$1" '{{.HostConfig.RestartPolicy.Name}}')" != unless-stopped ]; then
		run docker update --restart=unless-stopped -- "$1" >/dev/null
	fi
}

# Who runs; the route hook knows who gets the requests.
containers_status() {
	docker_ready
	if is_running "${DEPLOY_CONTAINER:-$app-$id}"; then
		result serves new
	elif is_running "${DEPLOY_OLD_CONTAINER:-}"; then
		result serves old
	else
		result serves neither
	fi
}

# The stage stop. The new version is what comes back after a reboot; the old one stays, stopped, for a return in seconds.
containers_stop() {
	docker_ready
	old=${DEPLOY_OLD_CONTAINER:-} new=${DEPLOY_CONTAINER:-}
	case $verb in
	apply)
		come_back "$new"
		if [ "$old" = "$new" ] || ! is_ours "$old"; then nothing "there is no old version to stop"; fi
		stop_container "$old"
		;;
	revert)
		[ -n "$old" ] || nothing "there was no version before"
		is_ours "$old" || die "the old version, \"$old\", is gone"
		start_again "$old"
		;;
	status) containers_status ;;
	esac
}

# Numbers of the deploys whose versions stay, one a line: those of the containers the journal names, else the newest of what is there; in any
# case what serves and what served before.
kept() { # on stdin: all there are, a number a line
	printf '%s\n' "$id"
	for c in "${DEPLOY_CONTAINER:-}" "${DEPLOY_OLD_CONTAINER:-}"; do
		if is_ours "$c"; then of_container "$c" '{{index .Config.Labels "agent.deploy"}}'; fi
	done
	for i in "${DEPLOY_IMAGE:-}" "${DEPLOY_OLD_IMAGE:-}"; do
		case $i in "agent/$app:"*) printf '%s\n' "${i##*[:-]}" ;; esac
	done
	if [ -n "${DEPLOY_KEEP:-}" ]; then
		printf '%s\n' "$DEPLOY_KEEP" | tr ' ' '\n' | sed 's/.*-//'
	else
		sort -rnu | head -n "${DEPLOY_OPTION_KEEP:-3}"
	fi
}

# The stage retire: by name and label, never a prune; what runs is left alone.
containers_retire() {
	[ "$verb" = apply ] || nothing "what was removed cannot come back"
	docker_ready
	come_back "${DEPLOY_CONTAINER:-}"
	keep=$({
		docker ps --all --filter "label=agent.app=$app" --format '{{.Label "agent.deploy"}}'
		docker image ls --filter "reference=agent/$app" --format '{{.Tag}}' | sed 's/.*-//'
	} | grep -x '[0-9][0-9]*' | kept)
	docker ps --all --filter "label=agent.app=$app" --format '{{.Label "agent.deploy"}} {{.State}} {{.Names}}' |
		while read -r number state name; do
			printf '%s\n' "$keep" | grep -qxF "$number" && continue
			if [ "$state" = running ]; then
				say "$name of deploy $number still runs, and is left alone"
			else
				run docker rm -- "$name" >/dev/null
			fi
		done
	retire_images
}

retire_images() { # but those of $keep
	docker image ls --filter "reference=agent/$app" --format '{{.Tag}} {{.Size}}' | while read -r tag size; do
		printf '%s\n' "$keep" | grep -qxF "${tag##*-}" && continue
		say "image of deploy ${tag##*-}, $size"
		run docker image rm -- "agent/$app:$tag" >/dev/null || say "agent/$app:$tag is still in use"
	done
}

# git's own folder out of what is built: it would go into images, and be another one each time for the cache of layers.
without_git() {
	is_dry || rm -rf -- "${DEPLOY_WORKDIR:?}/.git"
}

# The other networks of the option `networks`: there an app meets its database by name.
join_networks() { # CONTAINER [ALIAS]
	while IFS= read -r other; do
		if [ -n "$other" ]; then run docker network connect ${2:+--alias "$2"} -- "$other" "$1"; fi
	done <<-END
		${DEPLOY_OPTION_NETWORKS:-}
	END
}
