#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs inside the guest as root, where run.sh put the agent: one line per check, then "N passed, N failed".
# The guest is emulated and slow, so deadlines are wide.
set -u
passed=0 failed=0
trap 'docker rm -f burner memory oom server client >/dev/null 2>&1' EXIT

ok() { # TEXT COMMAND...
	local text=$1
	shift
	if "$@"; then
		echo "ok   $text"
		passed=$((passed + 1))
	else
		echo "FAIL $text   [$*]"
		failed=$((failed + 1))
	fi
}

wait_for() { # SECONDS COMMAND...
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.3
	done
}

api() { # PATH
	curl -s -m 10 -H "Authorization: Bearer $(cat /var/lib/agent/token.admin)" "http://127.0.0.1:4500$1"
}

entity() { # CLASS KEY: the live entity, or an error
	api "/api/v1/entities?class=$1" | jq -e --arg key "$2" '.entities[] | select(.key == $key and .live)'
}

value() { # CLASS KEY METRIC
	entity "$1" "$2" | jq -e ".values.$3"
}

is() { # FILTER CLASS KEY METRIC: jq filter on the value
	value "$2" "$3" "$4" | jq -e "$1" >/dev/null
}

has_entity() { # CLASS KEY
	entity "$1" "$2" >/dev/null
}

healthy() {
	[ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' http://127.0.0.1:4500/health)" = 200 ]
}

main_pid() {
	systemctl show -P MainPID agent
}

web_pid() {
	pgrep -P "$(main_pid)" -f 'agent web'
}

the_service() {
	systemctl daemon-reload
	ok "systemctl start waits until it is ready" systemctl start agent
	ok "the service is active" systemctl -q is-active agent
	ok "it answers" wait_for 30 healthy
	ok "the journal has the link with the token once" test "$(journalctl -u agent -o cat | grep -c '#token=')" = 1
	ok "journal lines have their priority, none is an error" \
		test "$(journalctl -u agent -p err -o cat | grep -vc '^-- ')" = 0
	# shellcheck disable=SC2016 # jq
	ok "no problem is shown" no_problems
}

no_problems() {
	local problems
	problems=$(api /api/v1/host | jq -c '.problems')
	[ "$problems" = "[]" ] || {
		echo "     $problems"
		return 1
	}
}

cgroup_is_v2() {
	[ "$(api /api/v1/host | jq -r .cgroup)" = v2 ]
}

the_host() {
	ok "the host's cgroups are v2" cgroup_is_v2
	ok "host CPU is known" wait_for 20 is '. >= 0 and . <= 100' host host cpu_used_percent
	ok "memory is that of /proc/meminfo" \
		is ". == $(awk '/^MemTotal/{printf "%.0f", $2 * 1024}' /proc/meminfo)" host host memory_total_bytes
	ok "pressure is known" is '. >= 0' host host pressure_cpu_some_percent
	ok "the root file system is there" is '. > 0 and . < 100' filesystem / used_percent
	ok "and not taken for read-only" is '. == 0' filesystem / read_only
	ok "the disk is there" is '. >= 0' disk vda written_bytes_per_second
	for service in ssh docker nginx; do
		ok "service $service has memory" is '. > 0' service "$service" memory_used_bytes
		ok "service $service has CPU" is '. >= 0' service "$service" cpu_used_percent
	done
}

memory_is_as_docker_shows_it() {
	local shown
	shown=$(docker stats --no-stream --format '{{.MemUsage}}' memory | sed 's/MiB.*//')
	is "(. / 1048576 / $shown - 1) | fabs < 0.02" container memory memory_used_bytes
}

the_containers() {
	docker run -d --name burner --cpus 0.5 bb:lab sh -c 'while :; do :; done' >/dev/null
	docker run -d --name memory --memory 128m --shm-size 64m bb:lab \
		sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=48 2>/dev/null; exec sleep 1000' >/dev/null
	ok "a container is seen" wait_for 20 has_entity container burner
	ok "half a core is 50 % +- 5" wait_for 30 is '. > 45 and . < 55' container burner cpu_used_percent
	ok "its throttling is seen" wait_for 20 is '. > 10' container burner cpu_throttled_percent
	ok "its limit is 0.5 cores" is '. == 0.5' container burner cpu_limit_cores
	ok "memory is what docker stats shows, within 2 %" wait_for 20 memory_is_as_docker_shows_it
	ok "the memory limit is known" is '. == 134217728' container memory memory_limit_bytes
	ok "no limit is no limit" test "$(value container burner memory_limit_bytes)" = null
	ok "pressure of the container is known" is '. >= 0' container burner pressure_cpu_some_percent
	ok "the service docker does not count its containers" is '. < 40' service docker cpu_used_percent
}

client_counters() {
	docker exec client cat /proc/net/dev | awk '$1 == "eth0:" { print $2 }'
}

exported() { # total received by the client, as /metrics has it
	api /metrics | awk '/^container_network_receive_bytes_total\{.*client/ { printf "%.0f", $NF }'
}

received_is_as_counted() {
	local agent kernel
	agent=$(exported) kernel=$(client_counters)
	[ -n "$agent" ] && awk -v a="$agent" -v k="$kernel" 'BEGIN { d = a / k - 1; exit !(d < 0.02 && d > -0.02) }'
}

the_network() {
	docker run -d --name server bb:lab \
		sh -c 'mkdir -p /w; dd if=/dev/zero of=/w/file bs=1M count=4 2>/dev/null; exec httpd -f -p 80 -h /w' >/dev/null
	docker run -d --name client bb:lab sleep 1000 >/dev/null
	local address
	address=$(docker inspect -f '{{.NetworkSettings.IPAddress}}' server)
	wait_for 20 docker exec client wget -q -O /dev/null "http://$address/file"
	ok "network bytes are what the client received, within 2 %" wait_for 20 received_is_as_counted
}

oom_is_counted() {
	api '/api/v1/series?entity=container/oom&metric=oom_kills&from=-120&how=maximum' |
		jq -e '[.series[0].values[0][] | select(. != null)] | add >= 1' >/dev/null
}

the_oom_kill() {
	docker run -d --name oom --memory 16m bb:lab sleep 1000 >/dev/null
	wait_for 20 has_entity container oom
	docker exec oom sh -c 'tail /dev/zero' >/dev/null 2>&1
	ok "an OOM kill in a container is counted" wait_for 20 oom_is_counted
}

removed() { # KEY
	! has_entity container "$1"
}

the_coming_and_going() {
	local id
	id=$(entity container memory | jq -r .labels.id)
	docker rm -f memory >/dev/null
	ok "a removed container goes" wait_for 20 removed memory
	docker run -d --name memory bb:lab sleep 1000 >/dev/null
	ok "made again under its name it is the same entity" wait_for 20 has_entity container memory
	ok "with a new id" test "$(entity container memory | jq -r .labels.id)" != "$id"
}

new_web_process() { # OLD PID
	local now
	now=$(web_pid)
	[ -n "$now" ] && [ "$now" != "$1" ] && healthy
}

new_daemon() { # OLD PID
	[ "$(main_pid)" != "$1" ] && healthy
}

the_deaths() {
	local old
	old=$(web_pid)
	kill -9 "$old"
	ok "a killed web process comes back" wait_for 10 new_web_process "$old"
	old=$(main_pid)
	kill -9 "$old"
	ok "systemd starts a killed daemon again" wait_for 30 new_daemon "$old"
	ok "whose containers are known again" wait_for 20 has_entity container burner
}

name_is() {
	[ "$(api /api/v1/host | jq -r .hostname)" = "$1" ]
}

nothing_left() {
	! pgrep -x agent >/dev/null
}

the_end() {
	echo 'hostname = "renamed";' >>/etc/agent/agent.conf
	systemctl reload agent
	ok "systemctl reload takes the new configuration" wait_for 20 name_is renamed
	ok "memory of the service stays below 64 MiB" test "$(systemctl show -P MemoryCurrent agent)" -lt $((64 << 20))
	ok "systemctl stop ends it" systemctl stop agent
	ok "with success" test "$(systemctl show -P Result agent)" = success
	ok "and nothing is left" nothing_left
}

the_service
the_host
the_containers
the_network
the_oom_kill
the_coming_and_going
the_deaths
the_end
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
