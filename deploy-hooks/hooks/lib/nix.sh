# shellcheck shell=sh
# shellcheck disable=SC2154 # verb comes from common.sh
# SPDX-License-Identifier: Apache-2.0
#
# A profile of Nix as an app: a version is a path of the store, which is made to serve by its program bin/activate (of a NixOS
# system: bin/switch-to-configuration switch).
#
# Old and new cannot run side by side, and what is activated may take the network or the agent away. So the way back is armed
# before the activation: DEPLOY_CACHE/nix-return says to which path, of which deploy. It is disarmed only by the stage `stop`,
# which comes after the watch. Until then three may take it: the agent, when a later stage fails; the agent again, after a crash,
# as the state of the deploy is still an open one; and a timer of systemd, whatever became of the agent. The timer is a file with
# the time of day in it: it outlives a reboot, and is made up for when the server was off at that time. Where /etc/systemd/system
# cannot be written (NixOS) it is one in memory, and after a reboot only the agent is left.
#
# Sourced after common.sh.
need nix-env
app=${DEPLOY_APP:?} id=${DEPLOY_ID:?}
profile=${DEPLOY_OPTION_PROFILE:-/nix/var/nix/profiles/agent-$app}
case $profile in /*) ;; *) die "the option profile is not a path" ;; esac
armed=${DEPLOY_CACHE:?}/nix-return # "ID PATH", of one deploy, never of a path alone: the same path may come twice
timer=agent-return-$app-$id units=/etc/systemd/system

current() { readlink -f -- "$profile" 2>/dev/null || true; }

has_systemd() { [ -d /run/systemd/system ]; }

# Under systemd in a unit of its own: what is activated may need powers that the agent has not, and may restart the agent.
activate() { # PATH
	if [ -x "$1/bin/activate" ]; then
		set -- "$1/bin/activate"
	elif [ -x "$1/bin/switch-to-configuration" ]; then
		set -- "$1/bin/switch-to-configuration" switch
	else
		say "$1 has neither bin/activate nor bin/switch-to-configuration: the profile alone is changed"
		return
	fi
	if has_systemd; then
		set -- systemd-run --quiet --collect --wait --pipe --setenv "PATH=$PATH" --setenv "HOME=${HOME:-/root}" -- "$@"
	fi
	run "$@"
}

arm() { # AFTER-SECONDS
	{ printf '%s %s\n' "$id" "$(current)"; } >"$armed.new"
	sync -- "$armed.new"
	mv -- "$armed.new" "$armed"
	if ! has_systemd; then
		say "without systemd only the agent can put the version before back"
	elif [ -w "$units" ]; then
		arm_timer "$(date -u -d "@$(($(date +%s) + $1))" '+%Y-%m-%d %H:%M:%S UTC')" "$1"
	else
		systemd-run --quiet --collect --unit "$timer" --on-active "$1" --timer-property AccuracySec=1s \
			--setenv "PATH=$PATH" --setenv "HOME=${HOME:-/root}" --setenv "DEPLOY_APP=$app" --setenv "DEPLOY_ID=$id" \
			--setenv "DEPLOY_CACHE=$DEPLOY_CACHE" --setenv "DEPLOY_OPTION_PROFILE=$profile" -- "$(realpath -- "$0")" revert
	fi
}

# A timer whose time has passed when it is started (systemd was busy) would never fire: so it also counts from its start.
arm_timer() { # WHEN AFTER-SECONDS
	cat >"$units/$timer.service" <<-END
		[Unit]
		Description=The version of $app before deploy $id comes back
		[Service]
		Type=oneshot
		Environment="PATH=$PATH" "HOME=${HOME:-/root}" DEPLOY_APP=$app DEPLOY_ID=$id
		Environment="DEPLOY_CACHE=$DEPLOY_CACHE" "DEPLOY_OPTION_PROFILE=$profile"
		ExecStart="$(realpath -- "$0")" revert
	END
	cat >"$units/$timer.timer" <<-END
		[Unit]
		Description=Deploy $id of $app was not confirmed
		[Timer]
		OnCalendar=$1
		OnActiveSec=$2
		AccuracySec=1s
		Persistent=yes
		[Install]
		WantedBy=timers.target
	END
	sync -- "$units/$timer.service" "$units/$timer.timer"
	systemctl daemon-reload
	systemctl --quiet enable --now -- "$timer.timer"
}

is_armed() { # by this deploy
	[ -f "$armed" ] && read -r by way_back <"$armed" && [ "$by" = "$id" ]
}

disarm() {
	is_dry && return
	rm -f -- "$armed"
	has_systemd || return 0
	if [ -f "$units/$timer.timer" ]; then
		systemctl --quiet disable --now -- "$timer.timer" || true
		rm -f -- "$units/$timer.timer" "$units/$timer.service"
		systemctl daemon-reload
	else
		systemctl --quiet stop -- "$timer.timer" 2>/dev/null || true
	fi
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
