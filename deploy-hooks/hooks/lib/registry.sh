# shellcheck shell=sh
# shellcheck disable=SC2154 # scratch comes from common.sh
# SPDX-License-Identifier: Apache-2.0
#
# Login to a registry for the length of one hook: what docker keeps of it is in a private folder that goes with the hook.
#
# Sourced after common.sh and make_scratch.

registry_host() { # IMAGE: "" stands for Docker Hub
	host=${1%%/*}
	case $1 in */*) case $host in *.* | *:* | localhost) echo "$host" ;; esac ;; esac
}

registry_login() { # IMAGE
	secret registry-user >/dev/null || return 0
	password=$(secret registry-password) || die "there is a secret registry-user, but no registry-password"
	mkdir -- "$scratch/docker"
	# Plugins and the like of the usual folder are still found.
	if [ -d "${HOME:-}/.docker/cli-plugins" ]; then ln -s -- "$HOME/.docker/cli-plugins" "$scratch/docker/cli-plugins"; fi
	export DOCKER_CONFIG="$scratch/docker"
	user=$(cat -- "$(secret registry-user)")
	host=$(registry_host "$1")
	is_dry && return
	docker login --username "$user" --password-stdin ${host:+"$host"} <"$password" >/dev/null 2>"$scratch/login" || {
		cat -- "$scratch/login" >&2
		die "the registry ${host:-Docker Hub} refuses registry-user and registry-password"
	}
}
