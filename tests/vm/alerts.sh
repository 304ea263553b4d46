#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Who is told of what, from the packaged unit, with the usual interval: real OOM kills, a container that is
# unhealthy, one that restarts for ever, and an agent that is restarted in between. Runs inside the guest as root.
set -u
here=$(dirname "$0")
# shellcheck source=tests/vm/lib.sh
. "$here/lib.sh"
told=/root/told
interval=20
trap 'docker rm -f leader child survivor sick looper >/dev/null 2>&1; systemctl stop receiver hungry 2>/dev/null' EXIT

test_message() { # CHANNEL
	agent notify test "$1" >/dev/null
}

the_start() {
	systemctl stop agent
	rm -rf /var/lib/agent "$told"
	install -m 644 "$here/alerts.conf" /etc/agent/agent.conf
	systemd-run -q --unit receiver python3 "$here/receiver.py" "$told"
	ok "the configuration has no mistake" agent config check
	ok "the service starts" systemctl start agent
	ok "it answers" soon healthy
	ok "a webhook is told" soon test_message hook
	ok "a program is told" soon test_message file
	ok "a mail server is told" soon test_message mail
}

chart() { # TYPE
	curl -sf -m 20 -H "Authorization: Bearer $(cat /var/lib/agent/token.admin)" "http://127.0.0.1:4500/chart/host/host/load1.$1"
}

chart_is_drawn() {
	[ "$(chart png | head -c 8 | od -An -tx1)" = " 89 50 4e 47 0d 0a 1a 0a" ]
}

# Without fonts there would be boxes.
chart_has_letters() {
	[ "$(chart svg | grep -c 'id="glyph')" -gt 10 ]
}

events() { # KIND RULE ENTITY: what the webhook got of it
	jq -c --arg kind "$1" --arg rule "$2" --arg entity "$3" \
		'select(.event.kind == $kind and .event.rule == $rule and .event.entity == $entity)' "$told/hook.jsonl"
}

is_told() { # KIND RULE ENTITY
	[ -n "$(events "$@")" ]
}

is_told_once() { # KIND RULE ENTITY
	[ "$(events "$@" | wc -l)" = 1 ]
}

is_told_to_the_program() { # KIND RULE ENTITY
	jq -es --arg kind "$1" --arg rule "$2" --arg entity "$3" \
		'any(.kind == $kind and .rule == $rule and .entity == $entity)' "$told/command.jsonl" >/dev/null
}

is_listed() { # RULE ENTITY: as firing, in `agent alerts`
	agent alerts --json | jq -e --arg rule "$1" --arg entity "$2" \
		'.alerts | any(.rule == $rule and "\(.class)/\(.entity)" == $entity and .fired_ms > 0)' >/dev/null
}

is_in_the_log() { # TITLE: as sent to the webhook
	agent notify log --channel hook --json |
		jq -e --arg title "$1" '.deliveries | any(.title == $title and .state == "sent")' >/dev/null
}

killed_at() { # CGROUP PATTERN: when the kernel killed there for lack of memory, Unix seconds
	journalctl -k -o short-unix --no-pager | awk -v p="$1" '/oom-kill:/ && $0 ~ "oom_memcg=[^,]*" p { print $1; exit }'
}

# The event has the time of the sample that brought it.
is_within_two_samples() { # RULE ENTITY CGROUP PATTERN
	local killed sampled arrived
	killed=$(killed_at "$3")
	read -r sampled arrived < <(events alert.firing "$1" "$2" | jq -r '"\(.event.time_ms / 1000) \(.at)"' | head -n 1)
	[ -n "$killed" ] && [ -n "$arrived" ] || return 1
	awk -v k="$killed" -v s="$sampled" -v a="$arrived" -v limit=$((2 * interval)) 'BEGIN {
		printf "     killed, noticed after %.1f s, told after %.1f s\n", s - k, a - k
		exit !(s - k <= limit) }'
}

an_oom_kill() { # RULE CLASS/NAME CGROUP PATTERN
	local name=${2#*/}
	ok "$name: the OOM kill is told, by name" soon is_told alert.firing "$1" "$2"
	ok "$name: within two samples" is_within_two_samples "$1" "$2" "$3"
	ok "$name: agent alerts lists it" soon is_listed "$1" "$2"
	ok "$name: agent notify log has it" soon is_in_the_log "$name was killed for lack of memory"
	ok "$name: the program got it too" soon is_told_to_the_program alert.firing "$1" "$2"
}

container_id() { # NAME
	docker inspect -f '{{.Id}}' "$1"
}

# `tail` keeps what it reads until a line ends, and here none does.
the_oom_kills() {
	local run=(docker run -d --memory 32m)
	"${run[@]}" --name leader bb:lab sh -c 'sleep 2; exec tail /dev/zero' >/dev/null
	"${run[@]}" --name child bb:lab sh -c 'sleep 1; tail /dev/zero; sleep 1' >/dev/null
	"${run[@]}" --name survivor bb:lab sh -c 'tail /dev/zero; exec sleep 1000' >/dev/null
	systemd-run -q --unit hungry -p MemoryMax=32M sh -c 'sleep 1; exec tail /dev/zero'
	docker run -d --name sick --health-cmd 'test -e /well' --health-interval 2s --health-retries 1 \
		bb:lab sleep 1000 >/dev/null
	docker run -d --name looper --restart always bb:lab sh -c 'exit 1' >/dev/null
	an_oom_kill oom_kill container/leader "$(container_id leader)"
	an_oom_kill oom_kill container/child "$(container_id child)"
	an_oom_kill oom_kill container/survivor "$(container_id survivor)"
	an_oom_kill service_oom_kill service/hungry hungry.service
	ok "survivor still runs" test "$(docker inspect -f '{{.State.Running}}' survivor)" = true
}

mail_has_a_picture() { # KIND
	jq -es --arg kind "$1" 'any(.kind == $kind and .pictures[0] > 1000)' "$told/mail.jsonl" >/dev/null
}

the_troubles() {
	ok "an unhealthy container is told" soon is_told alert.firing unhealthy container/sick
	ok "by mail with a picture" soon mail_has_a_picture alert.firing
	ok "a container that restarts for ever is told" soon is_told alert.firing restart_loop container/looper
	ok "a chart is drawn" soon chart_is_drawn
	ok "with letters" soon chart_has_letters
}

sampled_at() {
	api '/api/v1/entities?class=host' | jq '.time // 0'
}

sampled_after() { # UNIX SECONDS
	[ "$(sampled_at)" -gt "$1" ]
}

two_more_samples() {
	local now
	now=$(date +%s)
	soon sampled_after "$now" && soon sampled_after $((now + interval))
}

nothing_twice() {
	local twice
	twice=$(jq -c '.event | select(.kind == "alert.firing") | [.rule, .entity]' "$told/hook.jsonl" | sort | uniq -d)
	[ -z "$twice" ] || {
		echo "     $twice"
		return 1
	}
}

is_well() {
	[ "$(docker inspect -f '{{.State.Health.Status}}' sick)" = healthy ]
}

new_daemon() { # OLD PID
	[ "$(systemctl show -P MainPID agent)" != "$1" ] && healthy
}

the_restarts() {
	local old
	ok "systemctl restart while something fires" systemctl restart agent
	ok "sampling goes on" two_more_samples
	ok "nothing is told a second time" nothing_twice
	ok "what fired still does" is_listed unhealthy container/sick
	old=$(systemctl show -P MainPID agent)
	kill -9 "$old"
	ok "systemd starts a killed agent again" soon new_daemon "$old"
	ok "sampling goes on" two_more_samples
	ok "nothing is told a second time" nothing_twice
	systemctl stop agent
	docker exec sick touch /well
	ok "a container recovers while the agent is stopped" soon is_well
	systemctl start agent
	ok "that is told after the start" soon is_told alert.recovered unhealthy container/sick
	ok "by mail too" soon mail_has_a_picture alert.recovered
	ok "once" is_told_once alert.recovered unhealthy container/sick
	ok "nothing else is told a second time" nothing_twice
	ok "the restart loop still fires" is_listed restart_loop container/looper
}

nothing_failed() {
	agent notify log --json | jq -e '.deliveries | length > 0 and all(.state == "sent")' >/dev/null
}

the_unit() {
	ok "all that was told arrived" soon nothing_failed
	ok "nothing in the unit was killed for lack of memory" \
		grep -qx 'oom_kill 0' /sys/fs/cgroup/system.slice/agent.service/memory.events
	echo "     most memory it had: $(($(cat /sys/fs/cgroup/system.slice/agent.service/memory.peak) >> 20)) MiB"
	ok "the journal has no error" test "$(journalctl -u agent -p err -o cat --since "@$begin" | grep -vc '^-- ')" = 0
}

begin=$(date +%s)
the_start
the_oom_kills
the_troubles
the_restarts
the_unit
summary
