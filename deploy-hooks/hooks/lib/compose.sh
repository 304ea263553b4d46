# shellcheck shell=sh
# shellcheck disable=SC2154 # app and id come from docker.sh
# SPDX-License-Identifier: Apache-2.0
#
# A compose file of the source. One service, the option `service`, is what is deployed without a gap; all others are
# compose's own, and changed by it in place.
#
# The folder of the project is DEPLOY_CACHE/compose, the same for all deploys: `./data:/data` in a compose file means one
# and the same folder each time. The source is copied over it.
#
# Sourced after common.sh, switch.sh and docker.sh.
project=${DEPLOY_CACHE:?}/compose
service=${DEPLOY_OPTION_SERVICE:-}
case $service in
'') die "the option service is missing: the one of the compose file that gets the requests" ;;
-* | *[!A-Za-z0-9._-]*) die "\"$service\" is not the name of a service" ;;
esac

compose_file() {
	if [ -n "${DEPLOY_OPTION_COMPOSE_FILE:-}" ]; then
		case "/$DEPLOY_OPTION_COMPOSE_FILE/" in //?*/ | */../*) die "compose_file is not a path within the source" ;; esac
		echo "$project/$DEPLOY_OPTION_COMPOSE_FILE"
		return
	fi
	for f in compose.yaml compose.yml docker-compose.yaml docker-compose.yml; do
		if [ -f "$project/$f" ]; then echo "$project/$f" && return; fi
	done
	die "the source has no compose.yaml"
}

compose_copy() {
	mkdir -p -- "$project"
	find "$project" -maxdepth 1 \( -name '.agent.*.yaml' -o -name .env \) -delete
	cp -a --remove-destination -- "${DEPLOY_WORKDIR:?}/." "$project/"
	rm -f -- "$project/.agent.$id.yaml" # a source may have a link there
	# The image of the service has a name of its own at each deploy, so that the one before stays.
	printf 'services:\n  %s:\n    image: "%s"\n' "$service" "$1" >"$project/.agent.$id.yaml"
	# Where compose files say `env_file: .env` or ${NAME}.
	if file=$(secret env); then
		rm -f -- "$project/.env"
		env_for_compose "$file" >"$project/.env"
	fi
}

compose() {
	file=$(compose_file) || exit
	ours=$project/.agent.$id.yaml
	if [ -f "$ours" ]; then set -- --file "$ours" "$@"; fi
	set -- --project-name "$app" --project-directory "$project" --file "$file" "$@"
	if docker compose version >/dev/null 2>&1; then
		run docker compose "$@"
	else
		need docker-compose
		run docker-compose "$@"
	fi
}
