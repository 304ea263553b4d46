# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# Versions of an app as instances of a template unit: APP@ID.service with a drop-in of its own. Sourced after common.sh.
need systemctl
app=${DEPLOY_APP:?} id=${DEPLOY_ID:?}
template=${DEPLOY_OPTION_UNIT:-$app}
case $template in -* | *[!A-Za-z0-9_.-]*) die "\"$template\" is not the name of a template unit" ;; esac
# shellcheck disable=SC2034 # start/systemd reads it
unit=$template@$id.service
units=/etc/systemd/system

unit_is_ours() { # UNIT
	case $1 in "$template"@*.service) [ -f "$units/$1.d/50-agent.conf" ] ;; *) return 1 ;; esac
}

unit_last_words() { # UNIT
	systemctl --no-pager --full --lines=0 status -- "$1" || true
	journalctl --no-pager --quiet --lines=200 --output=cat --unit "$1" || true
}

unit_remove() { # UNIT
	run systemctl disable --now -- "$1"
	is_dry && return
	rm -rf -- "${units:?}/$1.d"
	systemctl daemon-reload
	systemctl reset-failed -- "$1" 2>/dev/null || true
}

unit_status() {
	if [ -n "${DEPLOY_CONTAINER:-}" ] && systemctl --quiet is-active -- "$DEPLOY_CONTAINER"; then
		result serves new
	elif [ -n "${DEPLOY_OLD_CONTAINER:-}" ] && systemctl --quiet is-active -- "$DEPLOY_OLD_CONTAINER"; then
		result serves old
	else
		result serves neither
	fi
}
