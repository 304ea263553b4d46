# shellcheck shell=sh
# shellcheck disable=SC2154 # verb comes from common.sh
# SPDX-License-Identifier: Apache-2.0
#
# A profile of Nix as an app: a version is a path of the store, which is made to serve by its program bin/activate (of a NixOS
# system: bin/switch-to-configuration switch).
#
# Old and new cannot run side by side, and what is activated may take the network or the agent away. So the way back is armed
# before the activation: DEPLOY_CACHE/nix-return says to which path, of which deploy, and when. It is disarmed only by the stage
# `stop`, which comes after the watch. Until then three may take it: the agent, when a later stage fails; a timer of systemd,
# when the agent is gone; the agent again, after a reboot or a crash, as the state of the deploy is still an open one.
#
# Sourced after common.sh.
need nix-env
app=${DEPLOY_APP:?} id=${DEPLOY_ID:?}
profile=${DEPLOY_OPTION_PROFILE:-/nix/var/nix/profiles/agent-$app}
case $profile in /*) ;; *) die "the option profile is not a path" ;; esac
armed=${DEPLOY_CACHE:?}/nix-return # "ID PATH", of one deploy, never of a path alone: the same path may come twice
timer=agent-return-$app-$id

current() { readlink -f -- "$profile" 2>/dev/null || true; }

activate() { # PATH
	if [ -x "$1/bin/activate" ]; then
		run "$1/bin/activate"
	elif [ -x "$1/bin/switch-to-configuration" ]; then
		run "$1/bin/switch-to-configuration" switch
	else
		say "$1 has neither bin/activate nor bin/switch-to-configuration: the profile alone is changed"
	fi
}

arm() { # AFTER-SECONDS
	{ printf '%s %s\n' "$id" "$(current)"; } >"$armed.new"
	sync -- "$armed.new"
	mv -- "$armed.new" "$armed"
	if [ -d /run/systemd/system ]; then
		systemd-run --quiet --collect --unit "$timer" --on-active "$1" --timer-property AccuracySec=1s \
			--setenv "PATH=$PATH" --setenv "HOME=${HOME:-/root}" --setenv "DEPLOY_APP=$app" --setenv "DEPLOY_ID=$id" \
			--setenv "DEPLOY_CACHE=$DEPLOY_CACHE" --setenv "DEPLOY_OPTION_PROFILE=$profile" -- "$(realpath -- "$0")" revert
	else
		say "without systemd only the agent can put the version before back"
	fi
}

is_armed() { # by this deploy
	[ -f "$armed" ] && read -r by way_back <"$armed" && [ "$by" = "$id" ]
}

disarm() {
	is_dry && return
	rm -f -- "$armed"
	if [ -d /run/systemd/system ]; then systemctl --quiet stop -- "$timer.timer" 2>/dev/null || true; fi
}

# To where it was before. Again and again with the same end.
take_way_back() {
	if ! is_armed; then
		[ -z "${DEPLOY_IMAGE:-}" ] || [ "$(current)" != "$DEPLOY_IMAGE" ] || die "the way back from $DEPLOY_IMAGE is gone"
		say "the version before is back already"
		return
	fi
	if [ -n "$way_back" ] && [ -e "$way_back" ]; then
		run nix-env --profile "$profile" --set "$way_back"
		activate "$way_back"
	else
		say "there was no version before"
	fi
	disarm
}

profile_status() {
	now=$(current)
	case $now in
	'') result serves neither ;;
	"${DEPLOY_IMAGE:-}") result serves new ;;
	"${DEPLOY_OLD_IMAGE:-}") result serves old ;;
	*) result serves neither ;;
	esac
}
